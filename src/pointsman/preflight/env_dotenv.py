"""Variables in ``.env`` files: ``NAME=value``, ``export NAME=value``, references in values."""

import re
from collections.abc import Iterator

from pointsman.model.preflight import How, Use
from pointsman.preflight.spans import Lines

_LINE = re.compile(rb"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*=(.*)$", re.MULTILINE)
_REFERENCE = re.compile(rb"\$\{([A-Za-z_][A-Za-z0-9_]*)")


def uses(data: bytes, file: str) -> Iterator[Use]:
    """Yield what the file sets, and what its values are made of."""
    lines = Lines(data)
    for found in _LINE.finditer(data):
        yield _use(found, 1, How.SET, file, lines)
        if not found.group(2).lstrip().startswith(b"'"):
            for each in _REFERENCE.finditer(data, found.start(2), found.end(2)):
                yield _use(each, 1, How.READ, file, lines)


def _use(found: re.Match[bytes], group: int, how: How, file: str, lines: Lines) -> Use:
    start, end = found.span(group)
    name = found.group(group).decode()
    return Use(name=name, file=file, line=lines.of(start), how=how, start=start, end=end)
