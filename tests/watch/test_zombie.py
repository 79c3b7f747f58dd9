"""Who goes on after the end, and who was never seen to end."""

from pointsman.model.alert import Severity
from pointsman.model.events import (
    PostToolUse,
    SessionEnd,
    SessionStart,
    Stop,
    SubagentStart,
    SubagentStop,
)

from .run import Session


def test_whoever_goes_on_after_the_end_of_the_session() -> None:
    session = Session("zombie")
    session.event(SubagentStart, "worker")
    session.event(SessionEnd)
    session.event(PostToolUse, "worker")
    assert session.found == [], "a late event passes"
    session.wait(1)
    session.bash("ls", agent="worker")
    (found,) = session.found
    assert found.severity is Severity.CRITICAL
    assert "agent 'worker' goes on 62 s after its session has ended" in found.summary


def test_a_session_that_is_resumed_is_alive() -> None:
    session = Session("zombie")
    session.event(SessionEnd)
    session.wait(60)
    session.event(SessionStart, source="resume")
    session.bash("ls")
    assert session.found == []


def test_whoever_was_never_seen_to_end() -> None:
    session = Session("zombie")
    session.event(SubagentStart, "worker")
    session.event(SubagentStart, "done")
    session.event(SubagentStop, "done")
    session.event(Stop)
    assert session.wait(29) == []
    (found,) = session.wait(2)
    assert found.key == "no end worker-id"
    assert "silent for 31 minutes" in found.summary
    assert session.wait(100) == [], "once"


def test_a_starter_s_end_leaves_its_own_behind() -> None:
    session = Session("zombie")
    session.event(SubagentStart, "lead")
    session.event(SubagentStart, "worker", parent="lead-id")
    session.event(SubagentStop, "lead")
    assert [each.key for each in session.wait(31)] == ["no end worker-id"]


def test_while_somebody_waits_for_it_or_knows_of_it_it_is_none() -> None:
    session = Session("zombie")
    session.event(SubagentStart, "worker")
    assert session.wait(500) == [], "its starter has not come to an end"
    session.event(Stop, native={"background_tasks": [{"id": "worker-id"}]})
    assert session.wait(500) == [], "the host knows that it runs"
    session.event(SessionEnd)
    assert session.wait(500) == [], "it has ended with its host"
