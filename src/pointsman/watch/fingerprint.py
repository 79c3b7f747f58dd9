"""Numbers that stand for values, and texts without what changes from one run to the next."""

import re
from collections.abc import Mapping
from typing import Any

_MOST_TEXT = 32 * 1024
_MOST_ITEMS = 20_000
_DEEPEST = 100
_TIMING = frozenset({"durationMs", "durationSeconds", "duration_ms", "totalDurationMs"})
_PASSING = re.compile(
    r"0x[0-9a-f]+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"  # addresses, UUIDs
    r"|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?)?|\b\d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"|\b\d+(?:\.\d+)?\s?(?:ns|µs|us|ms|s|sec|secs|seconds?|min|minutes?)\b",
    re.IGNORECASE,
)
"""Addresses, ids, times and durations."""


def fingerprint(value: Any) -> int:
    """Return a number for a JSON value: the same for equal ones, in one process.

    Keys count in any order, and ``1`` is not ``true``. Of very large values the first 20,000
    parts count.
    """
    return _hash(value, [_MOST_ITEMS], 0) or 1


def _hash(value: Any, left: list[int], depth: int) -> int:
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        return 1
    if isinstance(value, str):
        return hash(value)
    if isinstance(value, Mapping):
        # Sorted by the keys' own order, so that a cap leaves out the same every time.
        pairs = ((key, _hash(value[key], left, depth + 1)) for key in sorted(value, key=str))
        return hash(("map", *pairs))
    if isinstance(value, list | tuple):
        return hash(("list", *(_hash(each, left, depth + 1) for each in value)))
    # By their text: to Python -1 and -2 have one hash, and True is 1.
    return hash((type(value).__name__, repr(value)))


def outcome(value: Any) -> int:
    """Return a number for what a call has given, without times, durations and addresses."""
    if isinstance(value, Mapping):
        kept = {key: each for key, each in value.items() if key not in _TIMING}
        texts = {key: steady(each) for key, each in kept.items() if isinstance(each, str)}
        return fingerprint({**kept, **texts})
    return fingerprint(steady(value) if isinstance(value, str) else value)


def steady(text: str) -> str:
    """Return a text without what differs each time; of a long one its beginning and its end."""
    if len(text) > _MOST_TEXT:
        half = _MOST_TEXT // 2
        text = f"{len(text)} {text[:half]}…{text[-half:]}"
    return _PASSING.sub("#", text)
