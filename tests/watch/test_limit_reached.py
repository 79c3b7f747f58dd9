"""What the guard of limits says is found."""

import pytest

from pointsman.model.alert import Severity
from pointsman.model.decision import Decision, ask, deny, inject
from pointsman.model.events import PreToolUse
from pointsman.model.hook import Outcome

from .run import Session, run


@pytest.mark.parametrize(
    ("decision", "severity"),
    [
        (deny("over", rule="limit.day-usd"), Severity.CRITICAL),
        (ask("over", rule="limit.day-usd"), Severity.WARNING),
        (inject("over", rule="limit.day-usd"), Severity.WARNING),
    ],
)
def test_a_limit_that_is_reached(decision: Decision, severity: Severity) -> None:
    session = Session("limit-reached")
    session.event(PreToolUse, runs=[run("limits", Outcome.DECIDED, decision=decision)])
    (found,) = session.found
    assert (found.key, found.severity, found.summary) == ("limit.day-usd", severity, "over")


def test_what_other_guards_say_is_not() -> None:
    session = Session("limit-reached")
    other = run("scope", Outcome.DECIDED, decision=deny("no", rule="scope.outside"))
    session.event(PreToolUse, runs=[other, run("limits")])
    assert session.found == []
