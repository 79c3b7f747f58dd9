"""Hooks that fail or need all their time are found, by how often they do."""

import pytest

from pointsman.model.alert import Severity
from pointsman.model.events import PostToolUse
from pointsman.model.hook import Outcome, Role

from .run import Session, run


@pytest.mark.parametrize("outcome", [Outcome.CRASHED, Outcome.TIMED_OUT, Outcome.DEGRADED])
def test_three_failures_among_twenty_runs(outcome: Outcome) -> None:
    session = Session("hook-failures")
    broke = Outcome.CRASHED if outcome is Outcome.DEGRADED else None
    for number in range(20):
        bad = number % 4 == 0
        given = run("mine", outcome, role=Role.OBSERVER, broke=broke) if bad else run("mine")
        session.event(PostToolUse, runs=[given])
    assert session.found[0].key == "mine"
    assert session.found[0].severity is Severity.WARNING
    assert session.found[0].figures["count"] == 3


def test_of_a_guard_they_are_critical() -> None:
    session = Session("hook-failures")
    for _ in range(3):
        session.event(PostToolUse, runs=[run("mine", Outcome.CRASHED, reason="ValueError")])
    assert session.severities() == [Severity.CRITICAL]
    assert "ValueError" in session.found[0].summary


def test_few_failures_and_skipped_runs_are_not_found() -> None:
    session = Session("hook-failures")
    for number in range(200):
        outcome = Outcome.CRASHED if number % 15 == 0 else Outcome.DECIDED
        session.event(PostToolUse, runs=[run("a", outcome), run("b", Outcome.SKIPPED)])
    assert session.found == []


def test_a_hook_that_needs_nearly_all_its_time() -> None:
    session = Session("hook-budget")
    for number in range(16):
        slow = 900_000_000 if number % 4 == 0 else 10_000_000
        session.event(PostToolUse, runs=[run("slow", duration_ns=slow), run("quick")])
    assert session.found_keys() == ["slow"]
    assert "took 0.90 s of the 1 s it has" in session.found[0].summary
