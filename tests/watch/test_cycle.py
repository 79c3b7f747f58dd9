"""Rounds of one to four calls are found; what only looks like one is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.alert import Severity

from .run import Session


@pytest.mark.parametrize("period", [1, 2, 3, 4])
def test_each_period_is_found_as_what_it_is(period: int) -> None:
    session = Session("cycle")
    for _ in range(12):
        for step in range(period):
            session.bash(f"step {step}", "same")
    assert set(session.found_keys()) == {f"period {period}"}
    assert session.severities() == [Severity.WARNING, Severity.CRITICAL]
    first = session.found[0].figures
    assert int(first["rounds"]) >= 3
    assert int(first["calls"]) >= 6


def test_edits_that_undo_one_another_are_a_round() -> None:
    session = Session("cycle")
    for _ in range(3):
        session.write("/repo/a", "one")
        session.write("/repo/a", "two")
    assert session.found_keys() == ["period 2"]


def test_five_different_calls_in_turn_are_no_short_period() -> None:
    session = Session("cycle")
    for number in range(40):
        session.bash(f"step {number % 5}")
    assert session.found == []


def test_a_new_result_breaks_the_round() -> None:
    session = Session("cycle")
    for number in range(20):
        session.bash("sleep 30")
        session.bash("gh run view", f"{number} of 20 are done")
    assert session.found == []


def test_edit_and_test_are_no_round_while_the_edits_differ() -> None:
    session = Session("cycle")
    for number in range(20):
        session.write("/repo/a", f"{number}")
        session.bash("pytest", "1 failed")
    assert session.found == []


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 4))
def test_it_finds_rounds_after_anything(before: list[int], period: int) -> None:
    session = Session("cycle")
    for number in before:
        session.bash(f"other {number}")
    session.found.clear()
    for _ in range(12):
        for step in range(period):
            session.bash(f"step {step}", "same")
    assert f"period {period}" in session.found_keys()
