"""Variables in shell scripts: assignments and references, and what ``gcloud`` and the like set."""

import re
from collections.abc import Iterator

from pointsman.model.preflight import How, Use
from pointsman.preflight.spans import Lines

_SET = re.compile(
    rb"(?:^|[;&|(]|\b(?:export|declare|local|readonly|env|then|do|else)\b)"
    rb"[ \t]*(?:-\w+[ \t]+)*([A-Za-z_][A-Za-z0-9_]*)\+?=",
    re.MULTILINE,
)
_REFERENCE = re.compile(
    rb"(?<![\\$])\$(?:\{[#!]?([A-Za-z_][A-Za-z0-9_]*)|([A-Za-z_][A-Za-z0-9_]*))"
)
_DEPLOY = re.compile(
    rb"--(?:set|update)-(?:build-)?env-vars(?:[ \t]*=[ \t]*|[ \t]+)(\"[^\"\n]*\"|'[^'\n]*'|\S+)"
    rb"|--set-secrets(?:=|[ \t]+)(\"[^\"\n]*\"|'[^'\n]*'|\S+)"
    rb"|--environment[ \t]+\"?'?Variables=\{([^}\n]*)\}"
)
_NAMED = re.compile(rb"(?<!\w)([A-Za-z_]\w*)=")
_SINGLE = re.compile(rb"'[^']*'")
_COMMENT = re.compile(rb"(?:^|(?<=[ \t;]))#[^\n]*", re.MULTILINE)


def uses(data: bytes, file: str) -> Iterator[Use]:
    """Yield what a script sets, refers to, and hands to a platform."""
    lines = Lines(data)
    code = _COMMENT.sub(lambda found: b" " * len(found.group()), data)
    deployed = [span for found in _DEPLOY.finditer(code) for span in _spans(found)]
    for start, end in deployed:
        for each in _NAMED.finditer(code, start, end):
            # A value may hold an equals sign as well; a name follows what parts the pairs.
            if each.start() != start and code[each.start() - 1] not in b",@;|^\"'":
                continue
            yield _use(each, 1, How.DEPLOYED, file, lines)
    for each in _SET.finditer(code):
        if not any(start <= each.start(1) < end for start, end in deployed):
            yield _use(each, 1, How.SET, file, lines)
    # Between single quotes nothing is expanded.
    code = _SINGLE.sub(lambda found: b" " * len(found.group()), code)
    for each in _REFERENCE.finditer(code):
        yield _use(each, 1 if each.group(1) else 2, How.READ, file, lines)


def _spans(found: re.Match[bytes]) -> Iterator[tuple[int, int]]:
    for group in (1, 2, 3):
        if found.group(group) is not None:
            yield found.span(group)


def _use(found: re.Match[bytes], group: int, how: How, file: str, lines: Lines) -> Use:
    start, end = found.span(group)
    name = found.group(group).decode()
    return Use(name=name, file=file, line=lines.of(start), how=how, start=start, end=end)
