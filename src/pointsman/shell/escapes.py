"""Backslash sequences of ``$'…'``, ``echo -e`` and ``printf``."""

import re

_ANSI = re.compile(
    r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|c.|.)", re.DOTALL
)
_NAMES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "E": "\x1b",
}
_KEPT = frozenset("\\'\"?")


def unescape(text: str) -> str:
    """Return text with its backslash sequences carried out."""
    return _ANSI.sub(_one, text) if "\\" in text else text


def _one(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else match[0]
    if code[0].isdigit():
        return chr(int(code, 8) & 0xFF)
    if code[0] == "c" and len(code) > 1:
        return chr(ord(code[1]) & 0x1F)
    found = _NAMES.get(code)
    if found is not None:
        return found
    return code if code in _KEPT else match[0]
