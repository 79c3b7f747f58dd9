"""JSON as it was sent, read without its escapes: where a secret in it stands among the bytes.

Spliced, not parsed and written anew: every other byte stays, a key that comes twice included,
which a parser would hide.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable

_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|[0-9a-fA-F]{4})|(.))",
    re.DOTALL,
)
_MEANS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_QUICK = (("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ("\\b", "\b"), ("\\f", "\f"), ("\\/", "/"))
_QUOTE = re.compile(r'"')
_BARE = re.compile(r"[-+.\w]+")


class Unescaped:
    """A JSON text without its escapes, and the way back.

    ``text`` is what is to be searched: one string a line. Escapes stand in strings only, so that
    the text need not be parsed, and what is cut short or no JSON at all is searched, too.
    """

    def __init__(self, raw: str) -> None:
        self.raw = raw
        # Of every stretch without escapes: where it begins, here and there.
        self._here, self._there = [0], [0]
        self.text = self._read() if "\\" in raw else _lines(raw)

    def _read(self) -> str:
        parts: list[str] = []
        size = end = 0
        for found in _ESCAPE.finditer(self.raw):
            before = _lines(self.raw[end : found.start()])
            code, letter = found.groups()
            parts += (before, _char(code) if code else _MEANS.get(letter, letter))
            size += len(before)
            # The escape is a stretch of its own: whatever part of it is meant, all of it is.
            self._here.append(size)
            self._there.append(found.start())
            size += 1
            end = found.end()
            self._here.append(size)
            self._there.append(end)
        parts.append(_lines(self.raw[end:]))
        return "".join(parts)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a part of ``text`` stands in ``raw``."""
        return self._back(start), self._back(end)

    def _back(self, at: int) -> int:
        n = bisect_right(self._here, at) - 1
        return self._there[n] + at - self._here[n]


def searched(raw: str) -> str:
    """Return the ``text`` of ``Unescaped``, without the way back, where that can be had quickly.

    Nearly every search finds nothing, and needs no way back.
    """
    if "\\" not in raw:
        return _lines(raw)
    if "\\u" in raw or "\0" in raw or "\1" in raw:
        return Unescaped(raw).text
    # Pairs of backslashes first, and two characters that JSON may not hold in the places of what
    # the steps behind them would mistake.
    text = raw.replace("\\\\", "\0").replace('\\"', "\1")
    text = _lines(text)
    for escape, meaning in _QUICK:
        text = text.replace(escape, meaning)
    if "\\" in text:
        return Unescaped(raw).text
    return text.replace("\1", '"').replace("\0", "\\")


def _lines(text: str) -> str:
    """Return the text with the ends of strings as ends of lines: a command ends where it ends."""
    return text.replace('"', "\n")


def _char(code: str) -> str:
    if len(code) == 4:
        return chr(int(code, 16))
    high, low = int(code[:4], 16), int(code[6:], 16)
    return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)


def spliced(raw: str, places: Iterable[tuple[int, int, str]]) -> str:
    """Return the text with each of these places replaced, in order; JSON stays JSON.

    A place that runs across the ends of strings is replaced in each of them; one that is no
    string (a number) becomes one.
    """
    out: list[str] = []
    done = 0
    inside = False
    for start, end, mark in places:
        before = raw[done:start]
        inside = inside != bool(_quotes(before) % 2)
        out.append(before)
        done = end
        if not inside and _BARE.fullmatch(raw, start, end):
            out.append(f'"{mark}"')
            continue
        for n, part in enumerate(_split(raw[start:end])):
            if n:
                out.append('"')
                inside = not inside
            out.append(mark if inside else part)
    out.append(raw[done:])
    return "".join(out)


def _quotes(text: str) -> int:
    """Return how many ends of strings there are: quotes that are not escaped."""
    return text.count('"') if "\\" not in text else _ESCAPE.sub("", text).count('"')


def _split(text: str) -> list[str]:
    if '"' not in text:
        return [text]
    parts, start = [], 0
    skipped = {found.start() + 1 for found in _ESCAPE.finditer(text)}
    for found in _QUOTE.finditer(text):
        if found.start() not in skipped:
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]
