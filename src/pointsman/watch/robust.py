"""Figures that a few wild values do not move: median and median absolute deviation."""

import math
from collections.abc import Sequence

CONSISTENT = 0.6745
"""The 0.75 quantile of the normal distribution: makes the MAD comparable with a standard deviation
(Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993)."""


def median(values: Sequence[float]) -> float:
    """Return the median of values of which there is at least one."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def centre(values: Sequence[float], least: float) -> tuple[float, float]:
    """Return the median and the median absolute deviation, the latter not below ``least``.

    Of values that are very even, a step of some percent would otherwise be a great deviation.
    """
    middle = median(values)
    deviation = median([abs(value - middle) for value in values])
    return middle, max(deviation, least)


def modified_z(value: float, values: Sequence[float], least: float) -> float:
    """Return the modified z-score of a value against others: 0.6745 (x - median) / MAD."""
    middle, deviation = centre(values, least)
    return CONSISTENT * (value - middle) / deviation


def log(value: float) -> float:
    """Return the natural logarithm of a value, of nothing that of a very small one."""
    return math.log(max(value, 1e-6))
