"""Budgets end in time, and before everybody who waits for them."""

import pytest

from pointsman.model.budget import (
    CLIENT_DEADLINE,
    CLIENT_GUARD_DEADLINE,
    DEFAULT_BUDGETS,
    HOST_TIMEOUT,
    LONGEST,
    OTHER_EVENTS,
    Budget,
)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_runs_down_and_never_below_nothing() -> None:
    clock = Clock()
    budget = Budget.of(2.0, clock)
    assert (budget.total, budget.remaining(), budget.exhausted) == (2.0, 2.0, False)
    clock.now += 1.5
    assert budget.remaining() == pytest.approx(0.5)
    clock.now += 0.5
    assert budget.exhausted
    clock.now += 60
    assert budget.remaining() == 0.0


def test_a_clock_that_goes_back_gives_no_more_than_the_deadline_says() -> None:
    clock = Clock()
    budget = Budget.of(1.0, clock)
    clock.now -= 5
    assert budget.deadline == 101.0
    assert not budget.exhausted


def test_the_defaults_are_those_of_the_field() -> None:
    assert DEFAULT_BUDGETS == {
        "SessionStart": 5.0, "PreEdit": 15.0, "PreToolUse": 10.0, "PostToolUse": 5.0,
    }  # fmt: skip


def test_deadlines_nest() -> None:
    assert max([*DEFAULT_BUDGETS.values(), OTHER_EVENTS]) <= LONGEST
    assert LONGEST < CLIENT_DEADLINE < CLIENT_GUARD_DEADLINE < HOST_TIMEOUT
