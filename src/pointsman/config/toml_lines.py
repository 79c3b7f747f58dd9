"""On which line of a TOML text a key stands: the parser of the standard library does not say."""

import re

_HEADER = re.compile(r"\s*(\[\[|\[)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=(.*)"""
)
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_STRING = re.compile(r'\"\"\"|\'\'\'|"(?:\\.|[^"\\])*"|\'[^\']*\'')

Path = tuple[str | int, ...]


def key_lines(text: str) -> dict[Path, int]:
    """Return the line (from 1) of every table and key, one pass over the text.

    Items of arrays of tables are numbered from 0, as in the parsed value.
    """
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    base: Path = ()
    inside = _Inside()
    for number, line in enumerate(text.splitlines(), 1):
        if inside.skip(line):
            continue
        header = _HEADER.match(line)
        if header:
            base = _table(_parts(header[2]), header[1] == "[[", counts)
            lines.setdefault(base, number)
            continue
        key = _KEY.match(line)
        if key:
            path = (*base, *_parts(key[1]))
            # `a.b = 1` makes the table `a` as well.
            for end in range(len(base) + 1, len(path) + 1):
                lines.setdefault(path[:end], number)
            inside.open(key[2])
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Return the line of a key, or of the nearest table around it."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 1


class _Inside:
    """Whether a line lies within a value that began on an earlier one."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0

    def skip(self, line: str) -> bool:
        """Return whether the line is part of such a value, and notice its end."""
        if not self._quote and self._depth <= 0:
            return False
        self._scan(line)
        return True

    def open(self, value: str) -> None:
        """Notice a value that does not end on its line."""
        self._quote, self._depth = "", 0
        self._scan(value)

    def _scan(self, text: str) -> None:
        if self._quote:
            _, found, text = text.partition(self._quote)
            if not found:
                return
            self._quote = ""
        # Brackets and # within texts mean nothing; the long quotes are looked for below.
        text = _STRING.sub(_keep_long_quotes, text)
        for quote in ('"""', "'''"):
            before, found, after = text.partition(quote)
            if found:
                self._count(before)
                self._quote = quote
                self._scan(after)
                return
        self._count(text.partition("#")[0])

    def _count(self, text: str) -> None:
        self._depth += sum((char in "[{") - (char in "]}") for char in text)


def _keep_long_quotes(match: re.Match[str]) -> str:
    return match[0] if match[0] in {'"""', "'''"} else ""


def _parts(text: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(text))


def _table(parts: Path, many: bool, counts: dict[Path, int]) -> Path:
    path: Path = ()
    for part in parts[:-1]:
        path = (*path, part)
        if path in counts:
            # Below an array of tables a header means its newest item.
            path = (*path, counts[path] - 1)
    path = (*path, parts[-1]) if parts else path
    if many:
        counts[path] = counts.get(path, 0) + 1
        return (*path, counts[path] - 1)
    return path
