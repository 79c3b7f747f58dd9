"""The arithmetic between samples and figures."""

import pytest
from bench.figures import BenchError, Figure, median, percentile, ratio, rounded
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("samples", "share", "expected"),
    [
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([5.0], 0.99, 5.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 1001)], 0.99, 990.0),
        ([1.0, 2.0, 3.0], 0.0, 1.0),
        ([1.0, 2.0, 3.0], 1.0, 3.0),
    ],
)
def test_percentile(samples: list[float], share: float, expected: float) -> None:
    assert percentile(samples, share) == expected


def test_percentile_of_nothing_is_no_figure() -> None:
    with pytest.raises(BenchError, match="no samples"):
        percentile([], 0.5)


@given(st.lists(st.floats(min_value=0, max_value=1e9), min_size=1), st.floats(0, 1))
def test_percentile_is_a_sample_that_enough_do_not_exceed(
    samples: list[float], share: float
) -> None:
    found = percentile(samples, share)
    assert found in samples
    assert sum(sample <= found for sample in samples) >= share * len(samples) - 1e-6


def test_median_is_the_middle() -> None:
    assert median([9.0, 1.0, 5.0]) == 5.0


def test_ratio() -> None:
    assert ratio(3.0, 2.0) == 1.5
    with pytest.raises(BenchError, match="divided"):
        ratio(1.0, 0.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, 0.0), (1234.567, 1235.0), (0.00123456, 0.001235), (-12.3456, -12.35)],
)
def test_rounded_keeps_four_digits(value: float, expected: float) -> None:
    assert rounded(value) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "goal", "at_least", "met"),
    [
        (1.3, 1.3, False, True),
        (1.31, 1.3, False, False),
        (20_000.0, 20_000.0, True, True),
        (19_999.0, 20_000.0, True, False),
        (None, 1.3, False, None),
        (5.0, None, False, None),
    ],
)
def test_met_is_what_was_measured_against_the_goal(
    value: float | None, goal: float | None, at_least: bool, met: bool | None
) -> None:
    figure = Figure(name="f", what="w", unit="x", value=value, goal=goal, at_least=at_least)
    assert figure.met is met
    assert figure.as_json()["met"] is met


def test_json_says_why_a_figure_is_missing_and_only_then() -> None:
    missing = Figure(name="f", what="w", unit="x", goal=1.1, reason="no client")
    assert missing.as_json()["reason"] == "no client"
    assert missing.as_json()["value"] is None
    assert "reason" not in Figure(name="f", what="w", unit="x", value=1.0).as_json()
