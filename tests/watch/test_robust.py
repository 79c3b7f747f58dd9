"""Median, MAD and the modified z-score, against worked examples."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.watch.robust import centre, log, median, modified_z

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1)


def test_worked_examples() -> None:
    values = [1.0, 2.0, 4.0, 8.0, 100.0]
    assert median(values) == 4.0
    assert median([1.0, 3.0]) == 2.0
    assert centre(values, 0.1) == (4.0, 3.0)
    assert modified_z(100.0, values, 0.1) == pytest.approx(0.6745 * 96 / 3)
    assert centre([5.0] * 9, 0.25) == (5.0, 0.25)
    assert log(math.e) == pytest.approx(1.0)
    assert log(0) < -13


@given(NUMBERS, st.floats(-1e6, 1e6))
def test_half_lies_on_each_side(values: list[float], value: float) -> None:
    middle = median(values)
    assert sum(each <= middle for each in values) * 2 >= len(values)
    assert sum(each >= middle for each in values) * 2 >= len(values)
    assert (modified_z(value, values, 0.1) > 0) == (value > middle)
