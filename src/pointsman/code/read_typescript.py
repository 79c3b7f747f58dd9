"""TypeScript, TSX and JavaScript: what a file imports, exports and declares."""

from collections.abc import Iterator

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Node

from pointsman.code.facts import (
    ALL,
    DEFAULT,
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
from pointsman.code.syntax import Source, child, children, text_of, until

_TS = Language(tree_sitter_typescript.language_typescript())
_TSX = Language(tree_sitter_typescript.language_tsx())
_JS = Language(tree_sitter_javascript.language())
_GRAMMARS = {".ts": _TS, ".mts": _TS, ".cts": _TS, ".tsx": _TSX}
_LAZY = "(call_expression function: (import)) @i"
_REQUIRE = '(call_expression function: (identifier) @f (#eq? @f "require")) @r'
_KINDS = {
    "class_declaration": "class",
    "abstract_class_declaration": "class",
    "interface_declaration": "interface",
    "type_alias_declaration": "type",
    "enum_declaration": "enum",
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "function_signature": "function",
    "internal_module": "namespace",
    "module": "namespace",
}
_VARIABLES = frozenset({"lexical_declaration", "variable_declaration"})
_MOST_VALUE = 80


def read(data: bytes, suffix: str) -> Facts:
    """Return what a file says."""
    source = Source(_GRAMMARS.get(suffix, _JS), data)
    imports = [*_imports(source), *_lazy(source, data)]
    used = source.chains({each.local for each in imports if each.local})
    taken = tuple(_with_used(each, used.get(each.local, {})) for each in imports)
    declared, exported = _statements(source, source.root)
    bound = {each.local: each for each in imports if each.local}
    exports = tuple(_passed_on(each, bound, {one.name for one in declared}) for each in exported)
    # `name` of a namespace import that asks for nothing is still a dependence on the module.
    return Facts("typescript", taken, exports, tuple(declared))


def _with_used(taken: Import, used: dict[str, int]) -> Import:
    if not used:
        return taken
    some = tuple(used.items())[:MOST_ATTRIBUTES]
    names = (*taken.used, *some)
    return Import(taken.module, taken.name, taken.local, taken.line, taken.column, names, taken.top)


def _passed_on(export: Export, bound: dict[str, Import], declared: set[str]) -> Export:
    """Turn the export of something imported into one that is passed on."""
    if not export.local or export.local in declared or export.local not in bound:
        return export
    taken = bound[export.local]
    return Export(
        export.name, export.line, module=taken.module, original=taken.name, column=export.column
    )


def _module(node: Node | None) -> str:
    return text_of(node)[1:-1]


def _imports(source: Source) -> Iterator[Import]:
    for statement in children(source.root, "import_statement"):
        line, column = source.place(statement)
        clause = child(statement, "import_clause")
        required = child(statement, "import_require_clause")
        if required is not None:
            module = _module(required.child_by_field_name("source"))
            local = child(required, "identifier")
            if module and local is not None:
                yield Import(module, WHOLE, text_of(local), *source.place(local))
            continue
        module = _module(statement.child_by_field_name("source"))
        if clause is None:
            yield Import(module, "", "", line, column)
            continue
        for part in clause.named_children:
            yield from _clause(source, part, module)


def _clause(source: Source, part: Node, module: str) -> Iterator[Import]:
    if part.type == "identifier":
        yield Import(module, DEFAULT, text_of(part), *source.place(part))
    elif part.type == "namespace_import":
        local = child(part, "identifier")
        yield Import(module, WHOLE, text_of(local), *source.place(part))
    elif part.type == "named_imports":
        for each in children(part, "import_specifier"):
            name = each.child_by_field_name("name")
            alias = each.child_by_field_name("alias") or name
            if name is not None:
                yield Import(module, _bare(name), text_of(alias), *source.place(name))


def _bare(node: Node | None) -> str:
    return text_of(node).strip("\"'")


def _lazy(source: Source, data: bytes) -> Iterator[Import]:
    """Yield what is imported where it is needed: ``import("m")`` and ``require("m")``."""
    patterns = [_LAZY] if b"import(" in data else []
    patterns += [_REQUIRE] if b"require(" in data else []
    for pattern in patterns:
        for node in source.nodes(pattern):
            arguments = node.child_by_field_name("arguments")
            first = arguments.named_children[0] if arguments and arguments.named_children else None
            if node.type == "call_expression" and first is not None and first.type == "string":
                yield from _bound_to(source, node, _module(first))


def _bound_to(source: Source, call: Node, module: str) -> Iterator[Import]:
    line, column = source.place(call)
    above = call.parent
    while above is not None and above.type in {"await_expression", "parenthesized_expression"}:
        above = above.parent
    if above is None:
        return
    asked = above.child_by_field_name("property")
    if above.type == "member_expression" and asked is not None and text_of(asked) != "then":
        yield Import(module, text_of(asked), "", *source.place(asked), top=False)
        return
    target = above.child_by_field_name("name") if above.type == "variable_declarator" else None
    if target is not None and target.type == "identifier":
        yield Import(module, WHOLE, text_of(target), line, column, top=False)
        return
    if target is not None and target.type == "object_pattern":
        for name, local in _pattern(target):
            yield Import(module, text_of(name), text_of(local), *source.place(name), top=False)
        return
    yield Import(module, "", "", line, column, top=False)


def _pattern(target: Node) -> Iterator[tuple[Node, Node]]:
    """Yield key and name of what an object pattern takes apart."""
    for each in target.named_children:
        if each.type == "shorthand_property_identifier_pattern":
            yield each, each
        elif each.type == "pair_pattern":
            key, value = each.child_by_field_name("key"), each.child_by_field_name("value")
            if key is not None and value is not None and value.type == "identifier":
                yield key, value


def _statements(source: Source, block: Node) -> tuple[list[Declared], list[Export]]:
    declared: list[Declared] = []
    exported: list[Export] = []
    for node in block.named_children:
        if node.type == "export_statement":
            found = list(_declarations(source, node.child_by_field_name("declaration"), node))
            declared += found
            exported += _exports(source, node, found, declared)
        else:
            declared += _declarations(source, node, node)
            exported += _common(source, node)
    return declared, exported


def _exports(
    source: Source, node: Node, found: list[Declared], declared: list[Declared]
) -> Iterator[Export]:
    line, column = source.place(node)
    default = any(each.type == "default" for each in node.children)
    module = _module(node.child_by_field_name("source"))
    clause = child(node, "export_clause")
    named = child(node, "namespace_export")
    if clause is not None:
        yield from _specifiers(source, clause, module)
    elif named is not None:
        yield Export(_bare(child(named)), line, module=module, original=WHOLE, column=column)
    elif module:
        yield Export(ALL, line, module=module, original=ALL, column=column)
    elif default:
        yield from _default(source, node, found, declared)
    elif any(each.type == "=" for each in node.children):
        yield Export("export=", line, local=text_of(child(node)), column=column)
        yield Export(DEFAULT, line, local=text_of(child(node)), column=column)
    else:
        for one in dict.fromkeys(each.name for each in found):
            place = next(each for each in found if each.name == one)
            yield Export(one, place.line, local=one, column=place.column)


def _default(
    source: Source, node: Node, found: list[Declared], declared: list[Declared]
) -> Iterator[Export]:
    line, column = source.place(node)
    value = node.child_by_field_name("value")
    if found:
        yield Export(DEFAULT, found[0].line, local=found[0].name, column=found[0].column)
    elif value is not None and value.type == "identifier":
        yield Export(DEFAULT, line, local=text_of(value), column=column)
    else:
        head = until(node, value.child_by_field_name("body") if value is not None else None)
        declared.append(
            Declared(DEFAULT, "value", line, clipped(head, _MOST_VALUE, value=True), column)
        )
        yield Export(DEFAULT, line, local=DEFAULT, column=column)


def _specifiers(source: Source, clause: Node, module: str) -> Iterator[Export]:
    for each in children(clause, "export_specifier"):
        name = each.child_by_field_name("name")
        alias = each.child_by_field_name("alias") or name
        if name is None:
            continue
        line, column = source.place(name)
        if module:
            yield Export(_bare(alias), line, module=module, original=_bare(name), column=column)
        else:
            yield Export(_bare(alias), line, local=_bare(name), column=column)


def _common(source: Source, node: Node) -> Iterator[Export]:
    """Yield what CommonJS exports: ``exports.a = …``, ``module.exports = a`` or ``= {a, b}``."""
    inner = child(node, "assignment_expression") if node.type == "expression_statement" else None
    if inner is None:
        return
    left, right = text_of(inner.child_by_field_name("left")), inner.child_by_field_name("right")
    line, column = source.place(node)
    if left in {"module.exports", "exports"} and right is not None:
        local = text_of(right) if right.type == "identifier" else ""
        yield Export("export=", line, local=local, column=column)
        yield Export(DEFAULT, line, local=local, column=column)
        for each in children(right, "shorthand_property_identifier", "pair"):
            key = each.child_by_field_name("key") or each
            value = each.child_by_field_name("value") or each
            yield Export(_bare(key), source.place(key)[0], local=text_of(value))
    elif left.startswith(("exports.", "module.exports.")):
        local = text_of(right) if right is not None and right.type == "identifier" else ""
        yield Export(left.rpartition(".")[2], line, local=local, column=column)


def _declarations(source: Source, node: Node | None, whole: Node) -> Iterator[Declared]:
    """Yield what a statement declares; ``whole`` is it with what stands before it."""
    if node is None:
        return
    if node.type in {"ambient_declaration", "expression_statement"}:
        for inner in children(node, *_KINDS, *_VARIABLES):
            yield from _declarations(source, inner, whole)
        return
    if node.type in _VARIABLES:
        yield from _variables(source, node, whole)
        return
    name, kind = node.child_by_field_name("name"), _KINDS.get(node.type)
    if name is None or kind is None or name.type == "string":
        return
    body = node.child_by_field_name("body")
    # Without decorators, which may be long and say nothing of what can be called.
    start = node if child(whole, "decorator") is not None else whole
    line, column = source.place(name)
    end = None if kind == "type" else body
    text = clipped(until(start, end), MOST_TEXT).rstrip(" {;")
    yield Declared(text_of(name), kind, line, text, column, _members(body, kind))


def _variables(source: Source, node: Node, whole: Node) -> Iterator[Declared]:
    word = text_of(node.children[0])
    before = "export " if whole.type == "export_statement" else ""
    for each in children(node, "variable_declarator"):
        name, value = each.child_by_field_name("name"), each.child_by_field_name("value")
        if name is None:
            continue
        if name.type == "object_pattern":
            for _, local in _pattern(name):
                short = clipped(text_of(value), _MOST_VALUE, value=True)
                text = f"{before}{word} {{ {text_of(local)} }} = {short}"
                yield Declared(text_of(local), word, source.place(local)[0], text)
            continue
        line, column = source.place(name)
        text = f"{before}{word} {_variable(each, value)}"
        yield Declared(text_of(name), word, line, text, column)


def _variable(each: Node, value: Node | None) -> str:
    body = value.child_by_field_name("body") if value is not None else None
    if body is not None:
        return clipped(until(each, body), MOST_TEXT).rstrip(" {")
    head = until(each, value).rstrip(" =")
    if value is None or each.child_by_field_name("type") is not None:
        return clipped(head, MOST_TEXT)
    return f"{clipped(head, MOST_TEXT)} = {clipped(text_of(value), _MOST_VALUE, value=True)}"


def _members(body: Node | None, kind: str) -> tuple[str, ...]:
    if body is None or kind not in {"class", "interface", "enum"}:
        return ()
    out: list[str] = []
    for node in body.named_children:
        if node.type in {"comment", "decorator", "class_static_block"}:
            continue
        if kind == "class" and _is_private(node):
            continue
        end = node.child_by_field_name("body")
        if end is None and node.type == "public_field_definition":
            end = node.child_by_field_name("value")
        out.append(clipped(until(node, end), MOST_MEMBER).rstrip(" {=;"))
        if len(out) == MOST_MEMBERS:
            break
    return tuple(out)


def _is_private(node: Node) -> bool:
    access = child(node, "accessibility_modifier")
    name = node.child_by_field_name("name")
    return (access is not None and text_of(access) == "private") or (
        name is not None and name.type == "private_property_identifier"
    )
