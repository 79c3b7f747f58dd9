"""Where a byte of a file is: its line."""

from bisect import bisect_right


class Lines:
    """Line numbers by byte; counted once for each file."""

    def __init__(self, data: bytes) -> None:
        starts, at = [0], data.find(b"\n")
        while at != -1:
            starts.append(at + 1)
            at = data.find(b"\n", at + 1)
        self.starts = starts

    def of(self, byte: int) -> int:
        """Return the line of a byte, counted from 1."""
        return bisect_right(self.starts, byte)


class Bytes:
    """Byte offsets of a text's characters, as UTF-8; what is before a line is counted once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._plain = text.isascii()
        self._starts: list[int] = [0]
        self._sizes: list[int] = [0]
        for line in () if self._plain else text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
            self._sizes.append(self._sizes[-1] + len(line.encode()))

    def of(self, index: int) -> int:
        """Return the byte at which the character with this index begins."""
        if self._plain:
            return index
        line = bisect_right(self._starts, index) - 1
        return self._sizes[line] + len(self._text[self._starts[line] : index].encode())
