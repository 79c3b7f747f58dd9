"""Environments in Terraform: services of Cloud Run (both resources), functions, AWS Lambda."""

import re
from collections.abc import Iterator
from functools import cache

import tree_sitter
import tree_sitter_hcl

from pointsman.model.preflight import Target
from pointsman.preflight.environments_manifest import Around, given, newer, of_document
from pointsman.preflight.environments_model import (
    Environment,
    Fact,
    Sort,
    Source,
    Variable,
    variable,
)
from pointsman.preflight.environments_tree import NONE, Part

_MOST_DEPTH = 40
_TAKEN = Part(table={"!ref": NONE})
"""Stands for what Terraform works out."""
_LAMBDA = {"runtime": "runtime", "memorySize": "memory", "timeout": "timeout", "role": "identity",
           "handler": "command"}  # fmt: skip
_FUNCTION = {"availableMemory": "memory", "availableCpu": "cpu", "timeoutSeconds": "timeout",
             "serviceAccountEmail": "identity", "maxInstanceCount": "max", "vpcConnector": "vpc",
             "minInstanceCount": "min"}  # fmt: skip


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def environments(data: bytes, file: str) -> Iterator[Environment]:
    """Yield an environment for each resource that runs a program."""
    for body in _parser().parse(data).root_node.named_children:
        for block in body.named_children:
            words = [_plain(each) for each in block.named_children
                     if each.type in {"identifier", "string_lit"}]  # fmt: skip
            if block.type == "block" and words[:1] == ["resource"] and len(words) == 3:
                line = block.start_point[0] + 1
                yield from _resource(words[1], words[2], _body(block, 0), line, file)


def _resource(kind: str, label: str, part: Part, line: int, file: str) -> Iterator[Environment]:
    name = part.at("name") or Part(line=line, text=label)
    if kind in {"google_cloud_run_v2_service", "google_cloud_run_v2_job"}:
        yield from newer(Part(line=line, table=part.table | {"name": name}), file)
    elif kind == "google_cloud_run_service":
        table = {
            "kind": Part(text="Service"), "apiVersion": Part(text="serving.knative.dev/v1"),
            "metadata": Part(table=part.at("metadata").table | {"name": name}),
            "spec": Part(table={"template": part.at("template")}),
        }  # fmt: skip
        yield from of_document(Part(line=line, table=table), file, Around())
    elif kind == "aws_lambda_function":
        variables = _variables(part.at("environment", "variables"), file)
        facts = _facts(part, _LAMBDA, file)
        if "memory" in facts:
            facts["memory"] = Fact(f"{facts['memory'].text}Mi", file, facts["memory"].line)
        yield _made(label, Target.LAMBDA, variables, facts, Fact("", file, line))
    elif kind == "google_cloudfunctions2_function":
        service = part.at("serviceConfig")
        variables = _variables(service.at("environmentVariables"), file)
        for each in service.at("secretEnvironmentVariables").each():
            key = each.at("key")
            variables[key.text] = variable(key.text, None, Source.SECRET, file, key.line)
        facts = _facts(service, _FUNCTION, file)
        facts |= _facts(part.at("buildConfig"), {"runtime": "runtime"}, file)
        yield _made(label, Target.FUNCTIONS, variables, facts, Fact("", file, line))


def _made(
    label: str, target: Target, variables: dict[str, Variable], facts: dict[str, Fact], at: Fact
) -> Environment:
    return Environment(label=f"{at.file} ({label})", sort=Sort.DEPLOYED, file=at.file, name=label,
                       line=at.line, target=target, variables=variables,
                       facts=facts)  # fmt: skip


def _facts(part: Part, names: dict[str, str], file: str) -> dict[str, Fact]:
    return {what: Fact(part.at(key).text or "put in by Terraform", file, part.lines[key])
            for key, what in names.items() if part.at(key)}  # fmt: skip


def _variables(table: Part, file: str) -> dict[str, Variable]:
    return {name: variable(name, given(value), Source.LITERAL, file, table.lines[name])
            for name, value in table.table.items()}  # fmt: skip


def _body(block: tree_sitter.Node, depth: int) -> Part:
    table: dict[str, Part] = {}
    lines: dict[str, int] = {}
    for body in block.named_children if depth < _MOST_DEPTH else ():
        for each in body.named_children if body.type == "body" else ():
            if not each.named_children or each.type not in {"attribute", "block"}:
                continue
            name = _camel(_plain(each.named_children[0]))
            if each.type == "attribute":
                table[name] = _value(each.named_children[-1], depth + 1)
            else:
                made = _body(each, depth + 1)
                known = table.get(name)
                table[name] = made if known is None else Part(items=(*known.each(), made))
            lines.setdefault(name, each.start_point[0] + 1)
    return Part(line=block.start_point[0] + 1, table=table, lines=lines)


def _value(node: tree_sitter.Node, depth: int) -> Part:
    line = node.start_point[0] + 1
    while len(node.named_children) == 1 and node.type in {"expression", "literal_value",
                                                          "collection_value"}:  # fmt: skip
        node = node.named_children[0]
    if depth > _MOST_DEPTH:
        return NONE
    if node.type == "string_lit":
        return Part(line=line, text=_plain(node))
    if node.type in {"numeric_lit", "bool_lit", "template_expr"}:
        return Part(line=line, text=(node.text or b"").decode("utf-8", "replace").strip('"'))
    if node.type == "tuple":
        items = [each for each in node.named_children if each.type == "expression"]
        return Part(line=line, items=tuple(_value(each, depth + 1) for each in items))
    return _object(node, depth) if node.type == "object" else Part(line=line, table=_TAKEN.table)


def _object(node: tree_sitter.Node, depth: int) -> Part:
    table: dict[str, Part] = {}
    lines: dict[str, int] = {}
    for each in node.named_children:
        if each.type == "object_elem" and len(each.named_children) > 1:
            name = (each.named_children[0].text or b"").decode("utf-8", "replace").strip('"')
            table[name] = _value(each.named_children[-1], depth + 1)
            lines[name] = each.start_point[0] + 1
    return Part(line=node.start_point[0] + 1, table=table, lines=lines)


def _plain(node: tree_sitter.Node) -> str:
    text = (node.text or b"").decode("utf-8", "replace")
    return text[1:-1] if text[:1] == '"' else text


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found.group(1).upper(), name)
