"""Go: what a file imports and declares; a package is a directory and needs no import within."""

from collections.abc import Iterator

import tree_sitter_go
from tree_sitter import Language, Node

from pointsman.code.facts import (
    ALL,
    MOST_ATTRIBUTES,
    MOST_MEMBER,
    MOST_MEMBERS,
    MOST_TEXT,
    WHOLE,
    Declared,
    Export,
    Facts,
    Import,
    clipped,
)
from pointsman.code.syntax import Source, child, text_of, until

_GO = Language(tree_sitter_go.language())
OWN_PACKAGE = "."
"""What a file of a package imports without saying so: everything the others declare."""
_NAMES = "[(identifier) (type_identifier)] @n"


def read(data: bytes, suffix: str) -> Facts:
    """Return what a file says."""
    del suffix
    source = Source(_GO, data)
    imports = list(_imports(source))
    used = source.chains({each.local for each in imports if each.local})
    taken = [
        Import(one.module, one.name, one.local, one.line, one.column, _some(used, one.local))
        for one in imports
    ]
    declared = list(_declarations(source))
    exports = tuple(
        Export(one.name, one.line, one.name, column=one.column, hidden=not one.name[:1].isupper())
        for one in declared
    )
    names = frozenset(text_of(node) for node in source.nodes(_NAMES))
    taken.append(Import(OWN_PACKAGE, ALL, "", 1))
    return Facts("go", tuple(taken), exports, tuple(declared), names)


def _some(used: "dict[str, dict[str, int]] | object", local: str) -> tuple[tuple[str, int], ...]:
    found = used.get(local, {}) if isinstance(used, dict) else {}
    return tuple(found.items())[:MOST_ATTRIBUTES]


def _imports(source: Source) -> Iterator[Import]:
    for spec in source.nodes("(import_spec) @i"):
        module = text_of(spec.child_by_field_name("path"))[1:-1]
        alias = text_of(spec.child_by_field_name("name"))
        place = source.place(spec)
        if alias == "_":
            yield Import(module, "", "", *place)
        elif alias == ".":
            yield Import(module, ALL, "", *place)
        else:
            yield Import(module, WHOLE, alias or _package(module), *place)


def _package(module: str) -> str:
    """Return what a package is called: by its last segment that is no version."""
    parts = module.rstrip("/").split("/")
    last = parts[-1]
    if last[:1] == "v" and last[1:].isdecimal() and len(parts) > 1:
        last = parts[-2]
    return last.partition(".v")[0].removeprefix("go-").replace("-", "_")


def _declarations(source: Source) -> Iterator[Declared]:
    methods: dict[str, list[str]] = {}
    found: list[Declared] = []
    for node in source.root.named_children:
        if node.type == "function_declaration":
            found.append(_named(source, node, node, "func"))
        elif node.type == "method_declaration":
            methods.setdefault(_receiver(node), []).append(_head(node))
        elif node.type in {"type_declaration", "const_declaration", "var_declaration"}:
            found += _specs(source, node)
    for each in found:
        # Methods lie beside their type; together they are what can be asked of it.
        more = (*each.members, *methods.get(each.name, ()))[:MOST_MEMBERS]
        yield Declared(each.name, each.kind, each.line, each.text, each.column, more)


def _named(source: Source, name_of: Node, whole: Node, kind: str) -> Declared:
    name = name_of.child_by_field_name("name")
    line, column = source.place(name) if name is not None else source.place(name_of)
    return Declared(text_of(name), kind, line, _head(whole), column)


def _head(node: Node) -> str:
    return clipped(until(node, node.child_by_field_name("body")), MOST_TEXT).rstrip()


def _receiver(node: Node) -> str:
    receiver = text_of(node.child_by_field_name("receiver")).strip("()")
    return receiver.split("[")[0].split(" ")[-1].lstrip("*")


def _specs(source: Source, node: Node) -> Iterator[Declared]:
    word = text_of(node.children[0])
    for spec in _flat(node):
        kind = spec.child_by_field_name("type") if word == "type" else None
        inner = child(kind, "field_declaration_list") if kind is not None else None
        end = inner if inner is not None else kind
        body = kind is not None and kind.type in {"struct_type", "interface_type"}
        text = f"{word} {text_of(spec)}"
        if body and kind is not None:
            text = f"{word} {until(spec, kind)}{text_of(kind.children[0])}"
        members = _members(end) if body and end is not None else ()
        for name in spec.children_by_field_name("name"):
            line, column = source.place(name)
            yield Declared(
                text_of(name),
                word,
                line,
                clipped(text, MOST_TEXT, value=word != "type"),
                column,
                members,
            )


def _flat(node: Node) -> Iterator[Node]:
    """Yield the specs of a declaration, those in its list as well."""
    for spec in node.named_children:
        if spec.type == "var_spec_list":
            yield from spec.named_children
        elif spec.type != "comment":
            yield spec


def _members(node: Node) -> tuple[str, ...]:
    found = [each for each in node.named_children if each.type != "comment"]
    return tuple(clipped(text_of(each), MOST_MEMBER) for each in found[:MOST_MEMBERS])
