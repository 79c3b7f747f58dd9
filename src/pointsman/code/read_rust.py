"""Rust: what a file uses, passes on and declares."""

from collections.abc import Iterator

import tree_sitter_rust
from tree_sitter import Language, Node

from pointsman.code.facts import (
    ALL,
    MOST_MEMBER,
    MOST_MEMBERS,
    MOST_TEXT,
    Declared,
    Export,
    Facts,
    Import,
    clipped,
)
from pointsman.code.syntax import Source, child, children, text_of, until

_RUST = Language(tree_sitter_rust.language())
_KINDS = {
    "struct_item": "struct", "enum_item": "enum", "union_item": "union", "trait_item": "trait",
    "function_item": "fn", "function_signature_item": "fn", "type_item": "type",
    "const_item": "const", "static_item": "static", "macro_definition": "macro", "mod_item": "mod",
}  # fmt: skip
_ROOTS = ("crate", "self", "super")
_NAMES = "[(identifier) (type_identifier)] @n"
_PATHS = "[(scoped_identifier) (scoped_type_identifier)] @p"
_MOST_DEPTH = 20


def read(data: bytes, suffix: str) -> Facts:
    """Return what a file says."""
    del suffix
    source = Source(_RUST, data)
    imports: list[Import] = []
    exports: list[Export] = []
    for node in source.nodes("(use_declaration) @u"):
        public = child(node, "visibility_modifier") is not None
        top = node.parent is not None and node.parent.type == "source_file"
        argument = node.child_by_field_name("argument")
        for taken in _uses(source, argument, (), 0) if argument is not None else ():
            imports.append(taken)
            if top and public:
                exports.append(_passed_on(taken))
    imports += _written_out(source)
    declared = list(_declarations(source))
    exports += [
        Export(one.name, one.line, one.name, column=one.column, hidden=one.text[:3] != "pub")
        for one in declared
    ]
    names: frozenset[str] = frozenset()
    if any(each.name == ALL for each in imports):
        names = frozenset(text_of(node) for node in source.nodes(_NAMES))
    return Facts("rust", tuple(imports), tuple(exports), tuple(declared), names)


def _passed_on(taken: Import) -> Export:
    name = ALL if taken.name == ALL else taken.local
    return Export(name, taken.line, "", taken.module, taken.name, taken.column)


def _uses(source: Source, node: Node, before: tuple[str, ...], depth: int) -> Iterator[Import]:
    """Yield what a ``use`` takes; lists in it are taken apart."""
    place = source.place(node)
    if depth > _MOST_DEPTH:
        return
    if node.type == "use_list":
        for each in node.named_children:
            yield from _uses(source, each, before, depth + 1)
    elif node.type == "scoped_use_list":
        path = (*before, *_path(node.child_by_field_name("path")))
        inner = node.child_by_field_name("list")
        if inner is not None:
            yield from _uses(source, inner, path, depth + 1)
    elif node.type == "use_wildcard":
        path = (*before, *_path(node.named_children[0] if node.named_children else None))
        yield Import("::".join(path), ALL, "", *place)
    elif node.type == "use_as_clause":
        path = (*before, *_path(node.child_by_field_name("path")))
        yield from _taken(path, text_of(node.child_by_field_name("alias")), place)
    else:
        yield from _taken((*before, *_path(node)), "", place)


def _taken(path: tuple[str, ...], alias: str, place: tuple[int, int]) -> Iterator[Import]:
    if path and path[-1] == "self":
        path = path[:-1]
    if len(path) > 1:
        yield Import("::".join(path[:-1]), path[-1], alias or path[-1], *place)


def _path(node: Node | None) -> tuple[str, ...]:
    return tuple(part for part in text_of(node).replace(" ", "").split("::") if part)


def _written_out(source: Source) -> Iterator[Import]:
    """Yield what is named by its whole path, ``crate::a::B``, without a ``use``."""
    seen: set[str] = set()
    for node in source.nodes(_PATHS):
        text = text_of(node)
        above = node.parent
        inside = above is not None and above.type.startswith(("scoped_", "use_"))
        if inside or text in seen or not text.startswith(_ROOTS):
            continue
        seen.add(text)
        for taken in _taken(_path(node), "", source.place(node)):
            yield Import(taken.module, taken.name, "", taken.line, taken.column, top=False)


def _declarations(source: Source) -> Iterator[Declared]:
    methods: dict[str, list[str]] = {}
    for node in source.nodes("(source_file (impl_item) @i)"):
        body = node.child_by_field_name("body")
        if body is None or node.child_by_field_name("trait") is not None:
            continue
        of = text_of(node.child_by_field_name("type")).partition("<")[0]
        found = [_head(each) for each in children(body, "function_item")]
        methods.setdefault(of, []).extend(each for each in found if each.startswith("pub"))
    for node in source.root.named_children:
        kind, name = _KINDS.get(node.type), node.child_by_field_name("name")
        if kind is None or name is None:
            continue
        line, column = source.place(name)
        text = text_of(name) if kind == "macro" else _head(node, kind in {"const", "static"})
        members = (*_members(node), *methods.get(text_of(name), ()))[:MOST_MEMBERS]
        yield Declared(text_of(name), kind, line, text, column, members)


def _head(node: Node, value: bool = False) -> str:
    text = until(node, node.child_by_field_name("body"))
    return clipped(text, MOST_TEXT, value=value).rstrip(" ;")


def _members(node: Node) -> tuple[str, ...]:
    body = node.child_by_field_name("body")
    if body is None or node.type not in {"struct_item", "enum_item", "trait_item", "union_item"}:
        return ()
    wanted = [each for each in body.named_children if "comment" not in each.type]
    wanted = [each for each in wanted if each.type != "attribute_item"]
    return tuple(clipped(_head(each), MOST_MEMBER) for each in wanted[:MOST_MEMBERS])
