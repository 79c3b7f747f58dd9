"""Variables in a Dockerfile: ``ENV``, ``ARG``, and where instructions refer to them."""

import re
from collections.abc import Iterator

from pointsman.model.preflight import How, Use
from pointsman.preflight.spans import Lines

_INSTRUCTION = re.compile(rb"^[ \t]*([A-Za-z]+)[ \t]+", re.MULTILINE)
_PAIR = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)=(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|\\.|[^\s\\])*")
_OLD = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)[ \t]+\S")
_ARG = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)")
_REFERENCE = re.compile(rb"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)|([A-Za-z_][A-Za-z0-9_]*))")
_COMMENT = re.compile(rb"[ \t]*#")
_GAP = re.compile(rb"(?:[ \t]|\\[ \t]*\r?\n(?:[ \t]*#[^\n]*\n)*)*")


def uses(data: bytes, file: str) -> Iterator[Use]:
    """Yield what instructions set and refer to. ``ARG`` is of the build, and counts as set."""
    lines = Lines(data)
    for start, end in instructions(data):
        found = _INSTRUCTION.match(data, start, end)
        if found is None:
            continue
        word = found.group(1).upper()
        if word == b"ENV":
            yield from _env(data, found.end(), end, file, lines)
        elif word == b"ARG":
            named = _ARG.match(data, found.end(), end)
            if named is not None:
                yield _use(named, 1, How.SET, file, lines)
        for each in _REFERENCE.finditer(data, found.end(), end):
            yield _use(each, 1 if each.group(1) else 2, How.READ, file, lines)


def _env(data: bytes, at: int, end: int, file: str, lines: Lines) -> Iterator[Use]:
    named = list(pairs(data, at, end))
    old = None if named else _OLD.match(data, at, end)
    for each in [old] if old is not None else named:
        yield _use(each, 1, How.IMAGE, file, lines)


def pairs(data: bytes, at: int, end: int) -> "Iterator[re.Match[bytes]]":
    """Yield every ``NAME=value`` of an ``ENV``; nothing where it is written ``NAME value``."""
    found = _PAIR.match(data, at, end)
    while found is not None:
        yield found
        gap = _GAP.match(data, found.end(), end)
        found = _PAIR.match(data, gap.end() if gap else found.end(), end)


def instructions(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each instruction begins and ends, with the lines that continue it."""
    at, begin = 0, -1
    for line in data.splitlines(keepends=True):
        begin = at if begin < 0 else begin
        at += len(line)
        if _COMMENT.match(line) and begin == at - len(line):
            begin = -1
        elif not line.rstrip().endswith(b"\\") and not _COMMENT.match(line):
            yield begin, at
            begin = -1
    if begin >= 0:
        yield begin, at


def _use(found: re.Match[bytes], group: int, how: How, file: str, lines: Lines) -> Use:
    start, end = found.span(group)
    name = found.group(group).decode()
    return Use(name=name, file=file, line=lines.of(start), how=how, start=start, end=end)
