"""What the readers of all languages do with a syntax tree."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

# Possessive, as most words of a text are no chain: none is tried again with a letter less.
_CHAIN = re.compile(
    rb"(?<![\w.$])([A-Za-z_$][\w$]*+)((?:\s*+\??(?:\.|::)\s*+#?[A-Za-z_$][\w$]*+)++)"
)
_DOT = re.compile(rb"\s*\??(?:\.|::)\s*")
_NAMES = frozenset(
    {"identifier", "type_identifier", "jsx_identifier", "package_identifier", "nested_identifier"}
)


class Source:
    """The bytes of a file and their syntax tree."""

    def __init__(self, language: Language, data: bytes) -> None:
        self.data = data
        self.language = language
        self.tree: Tree = Parser(language).parse(data)
        self.root = self.tree.root_node
        self._lines = [0, *(match.end() for match in re.finditer(rb"\n", data))]
        self._ascii = data.isascii()

    def nodes(self, pattern: str) -> list[Node]:
        """Return the nodes that a query captures, in the order of the text."""
        found = QueryCursor(_query(self.language, pattern)).captures(self.root)
        nodes = [node for several in found.values() for node in several]
        return sorted(nodes, key=lambda node: node.start_byte)

    def chains(self, locals_: Iterable[str]) -> Mapping[str, dict[str, int]]:
        """Return by local name what is asked of it, ``local.name``, with the line of the first.

        A local name may itself have dots (Python's ``import a.b``). What stands in a comment or
        in a string is none.
        """
        wanted: dict[bytes, list[str]] = {}
        for local in locals_:
            wanted.setdefault(re.split(r"\.|::", local)[0].encode(), []).append(local)
        out: dict[str, dict[str, int]] = {local: {} for some in wanted.values() for local in some}
        if not out:
            return out
        for match in _CHAIN.finditer(self.data):
            for local in wanted.get(match[1], ()):
                name = _asked(local, match[0])
                if name and name not in out[local] and self._is_name(match.start()):
                    out[local][name] = self.line_at(match.start())
        return out

    def line_at(self, byte: int) -> int:
        """Return the line of a byte."""
        return bisect_right(self._lines, byte)

    def place(self, node: Node) -> tuple[int, int]:
        """Return line (from 1) and column (from 0, in UTF-16 code units) of a node."""
        row, column = node.start_point
        if self._ascii or not column:
            return row + 1, column
        before = self.data[node.start_byte - column : node.start_byte]
        return row + 1, len(before.decode("utf-8", "replace").encode("utf-16-le")) // 2

    def _is_name(self, byte: int) -> bool:
        node = self.root.descendant_for_byte_range(byte, byte + 1)
        return node is not None and node.type in _NAMES


def _asked(local: str, chain: bytes) -> str:
    """Return the name that a chain asks of a local name, or the empty string."""
    parts = [part.decode() for part in _DOT.split(chain)]
    own = re.split(r"\.|::", local)
    return parts[len(own)] if parts[: len(own)] == own and len(parts) > len(own) else ""


@cache
def _query(language: Language, pattern: str) -> Query:
    return Query(language, pattern)


def text_of(node: Node | None) -> str:
    """Return the text of a node; of none the empty string."""
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def until(node: Node, end: Node | None) -> str:
    """Return the text of a node up to where another one begins; whole where there is none."""
    data = node.text or b""
    cut = data if end is None else data[: end.start_byte - node.start_byte]
    return cut.decode("utf-8", "replace")


def children(node: Node, *kinds: str) -> Iterator[Node]:
    """Yield the named children of these kinds; of all kinds where none is named."""
    for child in node.named_children:
        if not kinds or child.type in kinds:
            yield child


def child(node: Node, *kinds: str) -> Node | None:
    """Return the first of them."""
    return next(children(node, *kinds), None)
