"""Environments of functions in SAM and CloudFormation templates."""

from collections.abc import Iterator

from pointsman.model.preflight import Target
from pointsman.preflight.environments_manifest import given
from pointsman.preflight.environments_model import (
    Environment,
    Fact,
    Sort,
    Source,
    Variable,
    variable,
)
from pointsman.preflight.environments_tree import Part

_TYPES = frozenset({"AWS::Serverless::Function", "AWS::Lambda::Function"})
_FACTS = {"Runtime": "runtime", "MemorySize": "memory", "Timeout": "timeout", "Role": "identity",
          "Handler": "command", "CodeUri": "context"}  # fmt: skip
_RESOLVED = ("{{resolve:secretsmanager:", "{{resolve:ssm-secure:")


def of_document(document: Part, file: str) -> Iterator[Environment]:
    """Yield an environment for each function of a template."""
    common = document.at("Globals", "Function")
    for name, resource in document.at("Resources").table.items():
        if resource.at("Type").text not in _TYPES:
            continue
        variables: dict[str, Variable] = {}
        facts: dict[str, Fact] = {}
        for holder in (common, resource.at("Properties")):
            variables |= _variables(holder.at("Environment", "Variables"), file)
            for key, what in _FACTS.items():
                part = holder.at(key)
                if part:
                    unit = "Mi" if key == "MemorySize" and part.text else ""
                    text = f"{part.text or 'put in by the template'}{unit}"
                    facts[what] = Fact(text, file, holder.lines[key])
        yield Environment(
            label=f"{file} ({name})", sort=Sort.DEPLOYED, file=file, name=name,
            line=document.at("Resources").lines[name], target=Target.LAMBDA,
            variables=variables, facts=facts,
        )  # fmt: skip


def _variables(table: Part, file: str) -> dict[str, Variable]:
    found = {}
    for name, value in table.table.items():
        line = table.lines[name]
        if value.text.startswith(_RESOLVED):
            found[name] = variable(name, None, Source.SECRET, file, line)
        elif value.table:
            found[name] = variable(name, None, Source.FIELD, file, line)
        else:
            found[name] = variable(name, given(value), Source.LITERAL, file, line)
    return found
