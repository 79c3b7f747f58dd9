"""Rates with their interval, quantiles of a histogram, and the budget that follows."""

import doctest

import pytest

from pointsman.engine import health
from pointsman.engine.health import Rate, near, quantile, rate, recommended_ms


def test_the_examples_hold() -> None:
    assert doctest.testmod(health).failed == 0


@pytest.mark.parametrize(
    ("hits", "runs", "low", "high"),
    # Newcombe (1998), table I, method 3: Wilson's interval without continuity correction.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(hits: int, runs: int, low: float, high: float) -> None:
    found = rate(hits, runs)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


def test_of_no_runs_nothing_is_known() -> None:
    assert rate(0, 0) == Rate(0.0, 0.0, 1.0)
    assert quantile({}, 0.5) is None


def test_a_quantile_is_the_bucket_in_which_that_share_has_ended() -> None:
    buckets = {3: 50, 5: 45, 9: 5}
    assert [quantile(buckets, share) for share in (0.01, 0.5, 0.51, 0.95, 0.951, 1.0)] == [
        3, 3, 5, 5, 9, 9,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("p99", "runs", "timeouts", "budget", "wanted"),
    [
        (40.0, 100, 0, 10_000, 100),
        (0.2, 100, 0, 10_000, 10),
        (40.0, 29, 0, 10_000, None),
        (None, 100, 0, 10_000, None),
        (1000.0, 100, 2, 1000, 2000),
        (1000.0, 1000, 5, 1000, 2000),
        (15_000.0, 100, 0, 15_000, 20_000),
    ],
)
def test_the_budget_that_is_recommended(
    p99: float | None, runs: int, timeouts: int, budget: int, wanted: int | None
) -> None:
    assert recommended_ms(p99, runs, rate(timeouts, runs), budget) == wanted


def test_near_its_budget_is_a_hook_that_often_takes_half_of_it() -> None:
    assert near(5001.0, 10_000)
    assert not near(4999.0, 10_000)
    assert not near(None, 10_000)
