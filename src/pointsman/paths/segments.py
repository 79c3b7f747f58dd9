"""One glob without braces, matched segment by segment in time that is linear in the path.

A regular expression tries every place for every ``**`` and every ``*``, which multiply; here only
the last one is moved on, over segments and, within one, over characters.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from wcmatch import glob

_FLAGS = glob.EXTGLOB | glob.DOTGLOB | glob.FORCEUNIX
_EXTENDED = re.compile(r"[?*+@!]\(")
TOKEN = re.compile(r"\*+|\[[!^]?\]?(?:\[:\w+:\]|[^\]])*\]|\\.|.", re.DOTALL)
"""What a segment is made of: stars, classes, escaped characters, characters."""
_Segment = Callable[[str], bool]


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return what says whether a path matches this pattern, which has no braces to expand."""
    segments = _compiled(pattern)
    return lambda path: _is_match(segments, path.split("/"))


def holder(pattern: str) -> Callable[[str], bool]:
    """Return what says whether a directory could hold, at any depth, what this pattern matches."""
    segments = _compiled(pattern)
    return lambda path: _leads_on(segments, path.split("/"))


def _compiled(pattern: str) -> "list[_Segment | None]":
    # None stands for **: no segment, or as many as there are.
    segments = [None if part == "**" else _segment(part) for part in pattern.split("/")]
    if segments[-1] is None:
        # At the end it is something in the directory, never the directory itself.
        segments.append(_anything)
    return segments


def _leads_on(segments: Sequence[_Segment | None], parts: Sequence[str]) -> bool:
    """Whether a segment is left to match once these parts have been."""
    states = _past_stars(segments, {0})
    for part in parts:
        after = set()
        for at in states:
            segment = segments[at] if at < len(segments) else _never
            if segment is None:
                after.add(at)
            elif segment(part):
                after.add(at + 1)
        states = _past_stars(segments, after)
    return any(at < len(segments) for at in states)


def _past_stars(segments: Sequence[_Segment | None], states: set[int]) -> set[int]:
    out = set(states)
    for state in states:
        at = state
        while at < len(segments) and segments[at] is None:
            at += 1
            out.add(at)
    return out


def _anything(part: str) -> bool:
    del part
    return True


@lru_cache(maxsize=4096)
def _segment(part: str) -> _Segment:
    if not part:
        return lambda given: not given
    tokens = TOKEN.findall(part)
    if sum(token[0] == "*" for token in tokens) < 2 or _EXTENDED.search(part):
        return _one(part)
    characters = [None if token[0] == "*" else _character(token) for token in tokens]
    return lambda given: _is_match(characters, given)


def is_segment(part: str, name: str) -> bool:
    """Whether a part of a pattern matches this name."""
    return _segment(part)(name)


def is_one_character(token: str, character: str) -> bool:
    """Whether a token that is no star matches this one character."""
    return _character(token)(character)


@lru_cache(maxsize=4096)
def _character(token: str) -> _Segment:
    # Behind another character: alone, a dot is a directory's own name and matches no wildcard.
    matches = _one(f"x{token}")
    return lambda given: matches(f"x{given}")


@lru_cache(maxsize=4096)
def _one(part: str) -> _Segment:
    compiled: Any = glob.compile([part], flags=_FLAGS)
    matches: _Segment = compiled.match
    return matches


def _is_match(segments: Sequence[_Segment | None], parts: Sequence[str]) -> bool:
    at, part = 0, 0
    star, tried = -1, 0
    while part < len(parts):
        segment = segments[at] if at < len(segments) else _never
        if segment is None:
            star, tried = at, part
            at += 1
        elif segment(parts[part]):
            at, part = at + 1, part + 1
        elif star >= 0:
            # The last ** takes one segment more; an earlier one never has to.
            tried += 1
            at, part = star + 1, tried
        else:
            return False
    return all(segment is None for segment in segments[at:])


def _never(part: str) -> bool:
    del part
    return False
