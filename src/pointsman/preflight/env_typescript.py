"""Variables of the environment in TypeScript and JavaScript: by a tolerant grammar.

Known are ``process.env`` (Node), ``import.meta.env`` (Vite), ``Bun.env`` and ``Deno.env.get``:
as a member, by a text in brackets, and taken apart.
"""

import re
from collections.abc import Iterator
from functools import cache

import tree_sitter
import tree_sitter_typescript

from pointsman.model.preflight import How, Need, Use

_TABLES = frozenset({b"process.env", b"import.meta.env", b"Bun.env"})
_CALLS = {b"Deno.env.get": How.READ, b"Deno.env.set": How.SET, b"Deno.env.has": How.READ}
_NAME = re.compile(rb"[A-Za-z_$][A-Za-z0-9_$]*\Z")


@cache
def _parser(tsx: bool) -> tree_sitter.Parser:
    language = tree_sitter_typescript.language_tsx if tsx else (
        tree_sitter_typescript.language_typescript
    )  # fmt: skip
    return tree_sitter.Parser(tree_sitter.Language(language()))


def uses(data: bytes, file: str) -> Iterator[Use]:
    """Yield every use in a module. Broken code yields what can be made out."""
    # JSX is a part of JavaScript in practice; in .ts `<T>x` is a cast.
    tree = _parser(not file.endswith((".ts", ".mts", ".cts"))).parse(data)
    waiting = [tree.root_node]
    while waiting:
        node = waiting.pop()
        yield from _of(node, file)
        waiting.extend(reversed(node.children))


def _of(node: tree_sitter.Node, file: str) -> Iterator[Use]:
    if node.type == "member_expression":
        name = node.child_by_field_name("property")
        if name is not None and _is_table(node.child_by_field_name("object")):
            yield from _use(name, file, _how(node))
    elif node.type == "subscript_expression":
        index = node.child_by_field_name("index")
        if index is not None and _is_table(node.child_by_field_name("object")):
            yield from _text(index, file, _how(node))
    elif node.type == "call_expression":
        function = node.child_by_field_name("function")
        given = node.child_by_field_name("arguments")
        how = _CALLS.get(_plain(function)) if function is not None else None
        if how is not None and given is not None and given.named_children:
            yield from _text(given.named_children[0], file, how)
    elif node.type == "object_pattern" and _is_table(_taken_from(node)):
        yield from _pattern(node, file)


def _pattern(node: tree_sitter.Node, file: str) -> Iterator[Use]:
    for each in node.named_children:
        if each.type == "shorthand_property_identifier_pattern":
            # The name in the program stays what it was: `{ OLD }` becomes `{ NEW: OLD }`.
            yield from _use(each, file, How.READ, form=f"{{}}: {_plain(each).decode()}")
        elif each.type == "object_assignment_pattern" and each.named_children:
            first = each.named_children[0]
            yield from _use(first, file, How.READ, form=f"{{}}: {_plain(first).decode()}")
        elif each.type == "pair_pattern":
            key = each.child_by_field_name("key")
            if key is not None and key.type == "string":
                yield from _text(key, file, How.READ)
            elif key is not None and key.type == "property_identifier":
                yield from _use(key, file, How.READ)


def _taken_from(pattern: tree_sitter.Node) -> tree_sitter.Node | None:
    above = pattern.parent
    if above is None:
        return None
    if above.type == "variable_declarator":
        return above.child_by_field_name("value")
    return above.child_by_field_name("right") if above.type == "assignment_expression" else None


def _is_table(node: tree_sitter.Node | None) -> bool:
    while node is not None and node.type in {"parenthesized_expression", "non_null_expression",
                                             "as_expression", "satisfies_expression"}:  # fmt: skip
        node = node.named_children[0] if node.named_children else None
    return node is not None and _plain(node) in _TABLES


def _plain(node: tree_sitter.Node | None) -> bytes:
    if node is None or node.end_byte - node.start_byte > 200:
        return b""
    return b"".join((node.text or b"").split()).replace(b"?.", b".").replace(b"globalThis.", b"")


def _how(node: tree_sitter.Node) -> How:
    above = node.parent
    if above is not None and above.type in {"assignment_expression",
                                            "augmented_assignment_expression"}:  # fmt: skip
        return How.SET if above.child_by_field_name("left") == node else How.READ
    return How.READ


def _text(node: tree_sitter.Node, file: str, how: How) -> Iterator[Use]:
    if node.type == "string":
        inner = [each for each in node.children if each.type == "string_fragment"]
        if len(inner) == 1:
            yield from _use(inner[0], file, how)
    elif node.type == "template_string" and not node.named_children:
        return
    elif node.type == "template_string":
        inner = node.named_children
        if len(inner) == 1 and inner[0].type == "string_fragment":
            yield from _use(inner[0], file, how)


def _use(node: tree_sitter.Node, file: str, how: How, form: str = "{}") -> Iterator[Use]:
    name = node.text or b""
    if _NAME.match(name):
        yield Use(name=name.decode(), file=file, line=node.start_point[0] + 1, how=how,
                  start=node.start_byte, end=node.end_byte, form=form,
                  need=_need(node))  # fmt: skip


def _need(node: tree_sitter.Node) -> Need:
    """``x ?? y``, ``x || y`` and ``{ x = y }`` go on with something else."""
    here, above = node, node.parent
    while above is not None and above.type in {"member_expression", "subscript_expression",
                                               "string", "arguments", "call_expression",
                                               "parenthesized_expression"}:  # fmt: skip
        here, above = above, above.parent
    if above is None:
        return Need.MAYBE
    if above.type == "object_assignment_pattern":
        return Need.DEFAULT
    sign = above.child_by_field_name("operator")
    first = above.child_by_field_name("left") == here
    either = sign is not None and sign.type in {"??", "||"}
    return Need.DEFAULT if first and either else Need.MAYBE
