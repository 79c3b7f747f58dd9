"""A burst of denials is found; our own failures and slow denials are not."""

from pointsman.model.alert import Severity
from pointsman.model.alerting import STOPPED_RULE
from pointsman.model.decision import Decision, ask, deny, failure
from pointsman.model.events import PreToolUse

from .run import Session


def denied(session: Session, decision: Decision, times: int, minutes: float = 0) -> None:
    for _ in range(times):
        session.event(PreToolUse, tool_name="Bash", decision=decision)
        session.wait(minutes)


def test_five_within_a_minute() -> None:
    session = Session("denials")
    denied(session, deny("no", rule="scope.outside"), 10)
    assert session.severities() == [Severity.WARNING, Severity.CRITICAL]
    assert session.found[0].figures == {"count": 5, "rule": "scope.outside"}
    assert len(session.found[0].seqs) == 5


def test_what_is_no_burst_of_denials() -> None:
    session = Session("denials")
    denied(session, deny("no"), 40, minutes=0.5)
    denied(session, failure("crashed", rule="x"), 20)
    denied(session, ask("sure?"), 20)
    denied(session, deny("stopped", rule=STOPPED_RULE), 20)
    denied(session, deny("enough", rule="limit.session-calls"), 20)
    denied(session, deny("no"), 4)
    assert session.found == []
