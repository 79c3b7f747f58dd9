"""Names of what a process has open: what is written by them is the file behind them.

Linux opens ``/dev/fd/3`` and ``/proc/self/fd/3`` anew, for writing too, whatever the descriptor
was opened for; ``/proc/self/cwd`` and ``/proc/self/root`` are directories like any other.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pointsman.shell.effects import UNKNOWN, Effect, Kind

_OWN = rf"/proc/(?:self|thread-self|{UNKNOWN}+)"
_PLACE = re.compile(rf"{_OWN}/(?:task/[^/]+/)?(cwd|root)(?=/|\Z)")
_OPEN = re.compile(rf"(?:/dev/fd|/proc/(?:self|thread-self|\d+|{UNKNOWN}+)/fd)/(\d+|{UNKNOWN}+)")
_STANDARD = {"/dev/stdin": "0", "/dev/stdout": "1", "/dev/stderr": "2"}
_CHANGES = frozenset({Kind.WRITE, Kind.CHMOD})


def placed(path: str, cwd: str) -> str:
    """Return a path with the shell's own directory and root in place of their names in /proc."""
    found = _PLACE.match(path) if path.startswith("/proc/") else None
    if found is None:
        return path
    return (cwd.rstrip("/") if found[1] == "cwd" else "") + path[found.end() :] or "/"


def through_descriptors(
    effects: Sequence[Effect], read_on: Mapping[str, Sequence[str]]
) -> Iterator[Effect]:
    """Yield the effects, and what is written by the name of a descriptor as its file.

    ``read_on`` says which files each descriptor is opened on for reading, anywhere in the command:
    one that is opened for writing is an effect already.
    """
    for each in effects:
        yield each
        number = _number(each.path) if read_on and each.kind in _CHANGES else ""
        if number:
            named = read_on.get(number, ()) if UNKNOWN not in number else _all(read_on)
            yield from (replace(each, path=path) for path in dict.fromkeys(named))


def _number(path: str) -> str:
    found = _OPEN.fullmatch(path)
    return found[1] if found is not None else _STANDARD.get(path, "")


def _all(read_on: Mapping[str, Sequence[str]]) -> Iterator[str]:
    return (path for paths in read_on.values() for path in paths)
