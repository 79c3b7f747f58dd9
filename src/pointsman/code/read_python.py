"""Python: what a file imports, exports and declares."""

from collections.abc import Iterator

import tree_sitter_python
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
from pointsman.code.syntax import Source, child, children, text_of

_PY = Language(tree_sitter_python.language())
_IMPORTS = "(import_statement) @i (import_from_statement) @f"
_BLOCKS = frozenset({
    "if_statement", "elif_clause", "else_clause", "try_statement", "except_clause",
    "finally_clause", "with_statement", "block",
})  # fmt: skip
_MOST_VALUE = 80
_MOST_DEPTH = 20


def read(data: bytes, suffix: str) -> Facts:
    """Return what a file says."""
    del suffix
    source = Source(_PY, data)
    imports = list(_imports(source))
    used = source.chains({each.local for each in imports if each.local})
    taken = tuple(_with_used(each, used.get(each.local, {})) for each in imports)
    declared = list(_declarations(source, source.root, 0))
    names: frozenset[str] = frozenset()
    if any(each.name == ALL for each in imports):
        names = frozenset(text_of(node) for node in source.nodes("(identifier) @i"))
    exports = tuple(_exports(declared, imports, _listed(source)))
    return Facts("python", taken, exports, tuple(declared), names)


def _with_used(taken: Import, used: dict[str, int]) -> Import:
    some = tuple(used.items())[:MOST_ATTRIBUTES]
    return Import(taken.module, taken.name, taken.local, taken.line, taken.column, some, taken.top)


def _imports(source: Source) -> Iterator[Import]:
    for node in source.nodes(_IMPORTS):
        top = _is_top(node)
        if node.type == "import_statement":
            for part in node.named_children:
                yield from _modules(source, part, top=top)
            continue
        module = text_of(node.child_by_field_name("module_name"))
        if child(node, "wildcard_import") is not None:
            yield Import(module, ALL, "", *source.place(node), top=top)
            continue
        for part in node.children_by_field_name("name"):
            name, alias = _named(part)
            yield Import(module, text_of(name), text_of(alias), *source.place(name), top=top)


def _modules(source: Source, part: Node, *, top: bool) -> Iterator[Import]:
    name, alias = _named(part)
    yield Import(text_of(name), WHOLE, text_of(alias), *source.place(name), top=top)


def _named(part: Node) -> tuple[Node, Node]:
    """Return what is imported and what it is called here."""
    name = part.child_by_field_name("name") if part.type == "aliased_import" else part
    alias = part.child_by_field_name("alias") if part.type == "aliased_import" else part
    return name or part, alias or part


def _is_top(node: Node) -> bool:
    above = node.parent
    while above is not None and above.type in _BLOCKS:
        above = above.parent
    return above is not None and above.type == "module"


def _declarations(source: Source, block: Node, depth: int) -> Iterator[Declared]:
    for node in block.named_children:
        if node.type in _BLOCKS and depth < _MOST_DEPTH:
            yield from _declarations(source, node, depth + 1)
        elif node.type == "expression_statement":
            for part in children(node, "assignment"):
                yield from _assigned(source, part)
        else:
            yield from _one(source, node)


def _one(source: Source, node: Node) -> Iterator[Declared]:
    inner = node.child_by_field_name("definition") if node.type == "decorated_definition" else node
    if inner is None or inner.type not in {"function_definition", "class_definition"}:
        return
    name, body = inner.child_by_field_name("name"), inner.child_by_field_name("body")
    if name is None:
        return
    kind = "class" if inner.type == "class_definition" else "function"
    text = clipped(_head(inner), MOST_TEXT)
    members = _members(body) if kind == "class" and body is not None else ()
    line, column = source.place(name)
    yield Declared(text_of(name), kind, line, text, column, members)


def _assigned(source: Source, node: Node) -> Iterator[Declared]:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    names = [] if left is None else [left] if left.type == "identifier" else left.named_children
    if left is not None and left.type not in {"identifier", "pattern_list", "tuple_pattern"}:
        names = []
    for name in names:
        if name.type == "identifier":
            line, column = source.place(name)
            text = clipped(text_of(node), _MOST_VALUE, value=True)
            yield Declared(text_of(name), "variable", line, text, column)
    # `a = b = 1` holds another assignment on its right.
    if right is not None and right.type == "assignment":
        yield from _assigned(source, right)


def _members(body: Node) -> tuple[str, ...]:
    out: list[str] = []
    for node in body.named_children:
        text = _member(node)
        if text:
            out.append(clipped(text, MOST_MEMBER))
        if len(out) == MOST_MEMBERS:
            break
    return tuple(out)


def _member(node: Node) -> str:
    if node.type == "expression_statement":
        part = child(node, "assignment")
        left = part.child_by_field_name("left") if part is not None else None
        if part is None or left is None or left.type != "identifier" or text_of(left)[0] == "_":
            return ""
        return clipped(text_of(part), _MOST_VALUE, value=True)
    inner = node.child_by_field_name("definition") if node.type == "decorated_definition" else node
    if inner is None or inner.type not in {"function_definition", "class_definition"}:
        return ""
    name = text_of(inner.child_by_field_name("name"))
    if name.startswith("_") and name not in {"__init__", "__call__"}:
        return ""
    how = [f"{text_of(each)} " for each in children(node, "decorator")] if inner != node else []
    known = [each for each in how if each.startswith(("@property", "@classmethod", "@static"))]
    return "".join(known) + _head(inner)


def _head(node: Node) -> str:
    """Return the first line of a definition, without a comment that follows it."""
    fields = ("return_type", "parameters", "superclasses", "type_parameters", "name")
    last = next((found for name in fields if (found := node.child_by_field_name(name))), node)
    return f"{(node.text or b'')[: last.end_byte - node.start_byte].decode('utf-8', 'replace')}:"


def _listed(source: Source) -> frozenset[str] | None:
    """Return the names in ``__all__``, or ``None`` where there is no such list."""
    for node in children(source.root, "expression_statement"):
        part = child(node, "assignment")
        if part is None or text_of(part.child_by_field_name("left")) != "__all__":
            continue
        right = part.child_by_field_name("right")
        if right is not None and right.type in {"list", "tuple"}:
            return frozenset(text_of(each)[1:-1] for each in children(right, "string"))
    return None


def _exports(
    declared: list[Declared], imports: list[Import], listed: frozenset[str] | None
) -> Iterator[Export]:
    for each in imports:
        if not each.top or "." in each.local:
            continue
        if each.name == ALL:
            yield Export(ALL, each.line, module=each.module, original=ALL, column=each.column)
        else:
            hidden = each.local not in listed if listed is not None else False
            yield Export(each.local, each.line, "", each.module, each.name, each.column, hidden)
    # What is declared here comes last: it is what a name stands for where both are there.
    for one in declared:
        hidden = one.name.startswith("_") if listed is None else one.name not in listed
        yield Export(one.name, one.line, one.name, column=one.column, hidden=hidden)
