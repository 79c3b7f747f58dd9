"""Several sheets of one domain as one: the user's, then the project's, which has the last word.

Tables are merged key by key, lists are joined (the project's entries first), and of two entries
with the same name only the project's is kept. Nothing takes a safety protocol away.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_NAMES = ("protocol", "name", "path", "issue", "what", "practice", "enhancement", "category")
"""The keys of an entry that name it."""
_MOST_DEPTH = 16


def merged(sections: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sections of several sheets; of two values the later one counts."""
    out: dict[str, Any] = {}
    for each in sections:
        out = _tables(out, each, 0)
    return out


def _tables(before: Mapping[str, Any], after: Mapping[str, Any], depth: int) -> dict[str, Any]:
    out = dict(before)
    for key, value in after.items():
        known = out.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping) and depth < _MOST_DEPTH:
            out[key] = _tables(known, value, depth + 1)
        elif isinstance(known, list) and isinstance(value, list):
            out[key] = _lists(known, value)
        else:
            out[key] = value
    return out


def _lists(before: list[Any], after: list[Any]) -> list[Any]:
    taken = {_name(each) for each in after}
    return [*after, *(each for each in before if _name(each) not in taken)]


def _name(entry: Any) -> str:
    if isinstance(entry, Mapping):
        for key in _NAMES:
            if isinstance(entry.get(key), str):
                return f"{key} {' '.join(entry[key].lower().split())}"
    return f"= {entry!r}"
