"""Where a piece of Python's syntax tree stands in the file, to the byte."""

import ast
import re

_LITERAL = re.compile(rb"""[rRbBuU]{0,2}('''|\"\"\"|'|")""")


class Text:
    """A module's source. Columns of the tree are bytes of the line (UTF-8)."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        # Lines as Python's own reader has them: \r\n and \r end one as well.
        self._starts = [0]
        for line in data.splitlines(keepends=True) if b"\f" not in data else _split(data):
            self._starts.append(self._starts[-1] + len(line))
        self._mark = 3 if data.startswith(b"\xef\xbb\xbf") else 0

    def place(self, line: int, column: int) -> int:
        """Return the byte of a line (from 1) and column (from 0)."""
        return self._starts[line - 1] + column + (self._mark if line == 1 else 0)

    def literal(self, node: ast.Constant, value: str) -> tuple[int, int] | None:
        """Return the bytes between the quotes of a literal; ``None`` where they are not its value.

        They are not where the literal is put together of several, or has escapes in it.
        """
        start = self.place(node.lineno, node.col_offset)
        end = self.place(node.end_lineno or node.lineno, node.end_col_offset or 0)
        found = _LITERAL.match(self.data, start)
        if found is None:
            return None
        inner = (found.end(), end - len(found.group(1)))
        return inner if self.data[inner[0] : inner[1]] == value.encode() else None


def _split(data: bytes) -> list[bytes]:
    return re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", data)
