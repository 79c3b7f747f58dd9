"""Equal values have equal numbers, others have not, and what passes is left out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.watch.fingerprint import fingerprint, outcome, steady

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "1", "None"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


def told(value: Any) -> str:
    """Return a text that is the same for equal JSON values alone."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{told(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(told, value)) + "]"
    return f"{type(value).__name__}={value!r}"


@given(JSON, JSON)
def test_two_values_have_one_number_where_they_are_equal(one: Any, other: Any) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (told(one) == told(other))
    assert fingerprint(one) != 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("3 passed in 0.12s", "3 passed in 4.50s", True),
        ("at 2026-01-02 03:04:05.678", "at 2026-11-12T13:14:15", True),
        ("object at 0x7f00aa", "object at 0x55bb", True),
        ("3 passed", "4 passed", False),
        ({"stdout": "a", "durationMs": 5}, {"stdout": "a", "durationMs": 7}, True),
        ({"stdout": "took 5 ms"}, {"stdout": "took 7 ms"}, True),
        ({"stdout": "a"}, {"stdout": "b"}, False),
        ([{"type": "text", "text": "a"}], [{"type": "text", "text": "b"}], False),
    ],
)
def test_outcomes_are_compared_without_times(one: Any, other: Any, same: bool) -> None:
    assert (outcome(one) == outcome(other)) == same


def test_what_is_very_large_or_very_deep_costs_no_more() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    assert fingerprint(deep)
    assert fingerprint(list(range(10**6)))
    assert len(steady("x" * 10**6)) < 40_000
    assert steady("a" * 10**5) != steady("a" * (10**5 + 1))
