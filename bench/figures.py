"""What a measurement says: a figure, its goal, and the arithmetic between samples and figure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class BenchError(Exception):
    """A measurement did not measure what it says, so it has no figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table.

    ``goal`` is a bound on ``value`` (an upper one unless ``at_least``) or ``None`` where the
    figure is only shown; ``value`` is ``None`` where it could not be had, for the ``reason``
    given. ``detail`` is what the figure was made of, in the unit that its key names.
    """

    name: str
    what: str
    unit: str
    value: float | None = None
    goal: float | None = None
    at_least: bool = False
    reason: str = ""
    detail: Mapping[str, float | int | str] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the goal was met; ``None`` where there is no goal or no value."""
        if self.value is None or self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def as_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        row: dict[str, Any] = {
            "name": self.name,
            "what": self.what,
            "unit": self.unit,
            "value": None if self.value is None else round(self.value, 4),
            "goal": self.goal,
            "goal_is": "at least" if self.at_least else "at most",
            "met": self.met,
            "detail": dict(self.detail),
        }
        return {**row, "reason": self.reason} if self.reason else row


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that at least this share of all samples does not exceed.

    Raises:
        BenchError: there are no samples.
    """
    if not samples:
        raise BenchError("there are no samples")
    rank = max(1, math.ceil(share * len(samples)))
    return sorted(samples)[rank - 1]


def median(samples: Sequence[float]) -> float:
    """Return the middle sample."""
    return percentile(samples, 0.5)


def ratio(one: float, other: float) -> float:
    """Return how many times ``other`` goes into ``one``.

    Raises:
        BenchError: ``other`` is no time that anything took.
    """
    if other <= 0:
        raise BenchError(f"a time of {other} is not to be divided by")
    return one / other


def rounded(value: float) -> float:
    """Return a value with four significant digits, for the detail of a figure."""
    if value == 0:
        return 0.0
    return round(value, 3 - math.floor(math.log10(abs(value))))
