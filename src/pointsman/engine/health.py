"""How a hook's runs stand against its budget: pure arithmetic over what was counted.

The interval of a rate is Wilson's (1927), at 95 %: it holds for few runs and for rates near 0,
where the plain one does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

from pointsman.model.budget import LONGEST
from pointsman.model.hook_runs import Runs, bucket_end

_Z = 1.959964
"""The standard normal's 97.5 % point: 95 % in the middle."""
ENOUGH = 30
"""Runs below which no budget is recommended: their p99 would be their longest."""
_NEAR = 0.5
"""A p95 past this share of the budget is near it: the rest is soon gone on a busy machine."""
_STEPS = (1, 2, 5)
_SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of runs, and the interval that holds the true one in 95 of 100 cases."""

    share: float
    low: float
    high: float


def rate(hits: int, runs: int) -> Rate:
    """Return the share of hits with Wilson's interval; of no runs nothing is known.

    >>> rate(0, 10)
    Rate(share=0.0, low=0.0, high=0.2775)
    """
    if runs <= 0:
        return Rate(0.0, 0.0, 1.0)
    share = hits / runs
    spread = _Z * sqrt(share * (1 - share) / runs + _Z**2 / (4 * runs**2))
    middle, scale = share + _Z**2 / (2 * runs), 1 + _Z**2 / runs
    low, high = (middle - spread) / scale, (middle + spread) / scale
    return Rate(round(share, 6), round(max(low, 0.0), 4), round(min(high, 1.0), 4))


def quantile(buckets: Mapping[int, int], share: float) -> int | None:
    """Return the bucket in which this share of all runs has ended; ``None`` of no runs."""
    wanted, seen = share * sum(buckets.values()), 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen and seen >= wanted:
            return bucket
    return None


def length_ms(buckets: Mapping[int, int], share: float) -> float | None:
    """Return the length in ms below which this share of all runs has ended, at most 1/4 too high.

    ``None`` of no runs.
    """
    bucket = quantile(buckets, share)
    return None if bucket is None else round(bucket_end(bucket) / 1e6, 4)


def recommended_ms(p99_ms: float | None, runs: int, timeouts: Rate, budget_ms: int) -> int | None:
    """Return the budget that these runs ask for: twice their p99, rounded up to 1, 2 or 5.

    Where more than one run in a hundred was cut off, the p99 is not known: twice the budget then.
    ``None`` where there are too few runs. Never more than any hook may have.
    """
    if runs < ENOUGH or p99_ms is None:
        return None
    needed = 2.0 * budget_ms if timeouts.share > 0.01 else 2.0 * p99_ms
    return min(_rounded(max(needed, 10.0)), int(LONGEST * 1000))


def near(p95_ms: float | None, budget_ms: int) -> bool:
    """Whether one run in twenty takes more than half of the budget."""
    return p95_ms is not None and p95_ms > _NEAR * budget_ms


def standing(runs: Runs) -> dict[str, Any]:
    """Return what there is to say of one hook on one kind of event; times in ms."""
    p50, p95, p99 = (length_ms(runs.buckets, share) for share in _SHARES)
    asked = sum(runs.buckets.values())
    timeouts = rate(runs.timeouts, asked)
    return {
        "hook": runs.hook,
        "event": runs.event,
        "role": runs.role,
        "runs": runs.total,
        "outcomes": runs.outcomes,
        "decisions": runs.decisions,
        "mean_ms": round(runs.duration_ns / asked / 1e6, 3) if asked else None,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "budget_ms": runs.budget_ms,
        "timeouts": runs.timeouts,
        "timeout_rate": timeouts.share,
        "timeout_rate_low": timeouts.low,
        "timeout_rate_high": timeouts.high,
        "near_budget": near(p95, runs.budget_ms),
        "recommended_budget_ms": recommended_ms(p99, asked, timeouts, runs.budget_ms),
    }


def _rounded(value: float) -> int:
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= value:
                return ceil(step * power)
        power *= 10
