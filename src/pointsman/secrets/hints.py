"""Which patterns a text gives cause to ask: those with a hint in it.

A hint stands within one line, and what agents say repeats itself: a call's input comes three times,
the session's id and its paths with every event. A line without a hint is looked at once.
"""

from collections.abc import Iterable
from itertools import islice

from pointsman.secrets.patterns import Pattern

_MOST_LINES = 8192
_LONGEST = 256
"""Characters of a line that is remembered, 2 MiB in all; a longer one seldom comes again."""


class Hints:
    """Looks for the hints of these patterns, and remembers lines without any."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._hints = tuple((hint, each) for each in patterns for hint in each.hints)
        self._quiet: set[str] = set()

    def of(self, text: str) -> list[Pattern]:
        """Return the patterns with a hint in a text, in their order."""
        lines = set(text.split("\n")).difference(self._quiet)
        if not lines:
            return []
        fresh = "\n".join(lines)
        found = [(hint, pattern) for hint, pattern in self._hints if hint in fresh]
        self._remember(lines, [hint for hint, _ in found])
        return list(dict.fromkeys(pattern for _, pattern in found))

    def _remember(self, lines: set[str], hints: list[str]) -> None:
        if len(self._quiet) + len(lines) > _MOST_LINES:
            # All of them: which are the oldest would cost every line a place in an order.
            self._quiet.clear()
        self._quiet.update(
            line
            for line in islice(lines, _MOST_LINES)
            if len(line) <= _LONGEST and not any(hint in line for hint in hints)
        )
