"""Variables that Terraform (HCL) hands to a platform.

``env { name = "X" }`` of containers (also as ``dynamic "env"``), and maps below
``environment_variables``, ``variables`` of ``environment``, ``env_vars`` and the like.
"""

import re
from collections.abc import Iterator
from functools import cache

import tree_sitter
import tree_sitter_hcl

from pointsman.model.preflight import How, Use

_BLOCKS = frozenset({b"env", b"environment", b"deployment_env", b"env_var"})
_MAPS = frozenset({b"environment_variables", b"build_environment_variables", b"env_vars", b"env",
                   b"env_variables", b"environment"})  # fmt: skip
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*\Z")


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def uses(data: bytes, file: str) -> Iterator[Use]:
    """Yield every variable that is set. Broken files yield what can be made out."""
    waiting: list[tuple[tree_sitter.Node, bool]] = [(_parser().parse(data).root_node, False)]
    while waiting:
        node, inside = waiting.pop()
        if node.type == "block":
            inside = _title(node) in _BLOCKS
        elif node.type == "attribute":
            yield from _attribute(node, file, inside=inside)
        waiting.extend((each, inside) for each in reversed(node.children))


def _title(block: tree_sitter.Node) -> bytes:
    words = [each for each in block.children if each.type in {"identifier", "string_lit"}]
    names = [_inner(each)[0] if each.type == "string_lit" else each.text or b"" for each in words]
    if names[:1] == [b"content"]:
        # Of `dynamic "env" { content { … } }` the label says what it makes.
        above = block.parent.parent if block.parent is not None else None
        return _title(above) if above is not None and above.type == "block" else b""
    return names[1] if names[:1] == [b"dynamic"] and len(names) > 1 else b"".join(names[:1])


def _attribute(node: tree_sitter.Node, file: str, *, inside: bool) -> Iterator[Use]:
    name = (node.children[0].text or b"") if node.children else b""
    value = node.children[-1] if node.children else node
    if inside and name in {b"name", b"key"}:
        text = _first(value, "string_lit", stop="object")
        if text is not None:
            yield from _use(*_inner(text), node, file)
    elif name in _MAPS or (inside and name == b"variables"):
        holder = _first(value, "object", stop="")
        for each in holder.children if holder is not None else ():
            if each.type == "object_elem" and each.children:
                yield from _key(each.children[0], file)


def _key(node: tree_sitter.Node, file: str) -> Iterator[Use]:
    text = _first(node, "string_lit", stop="")
    if text is not None:
        yield from _use(*_inner(text), node, file)
        return
    name = node.text or b""
    yield from _use(name, node.start_byte, node, file)


def _first(node: tree_sitter.Node, kind: str, stop: str) -> tree_sitter.Node | None:
    """Return the first node of a kind in document order."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.type == kind:
            return each
        if each.type != stop:
            waiting.extend(reversed(each.children))
    return None


def _inner(text: tree_sitter.Node) -> tuple[bytes, int]:
    parts = [each for each in text.children if each.type == "template_literal"]
    return (parts[0].text or b"", parts[0].start_byte) if len(parts) == 1 else (b"", 0)


def _use(name: bytes, start: int, node: tree_sitter.Node, file: str) -> Iterator[Use]:
    if _NAME.match(name):
        yield Use(name=name.decode(), file=file, line=node.start_point[0] + 1, how=How.DEPLOYED,
                  start=start, end=start + len(name))  # fmt: skip
