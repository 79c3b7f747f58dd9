"""Silence in the middle of work is found; waiting for a person is not."""

import pytest

from pointsman.model.decision import ask, deny
from pointsman.model.event import Event
from pointsman.model.events import (
    Notification,
    PermissionRequest,
    PostToolBatch,
    PreToolUse,
    SessionEnd,
    SessionStart,
    Stop,
    StopFailure,
    SubagentStop,
    UserPromptSubmit,
)

from .run import Session


def test_an_agent_of_which_nothing_is_heard() -> None:
    session = Session("stalled")
    session.event(UserPromptSubmit, prompt="go")
    session.bash("ls", agent="worker")
    assert session.wait(14) == []
    found = session.wait(2)
    assert {(each.agent_type, each.key) for each in found} == {
        (None, "silent"),
        ("worker", "silent"),
    }
    session.bash("ls", agent="worker")
    assert session.wait(1) == []


def test_what_was_left_behind_comes_up_once_and_a_refused_prompt_not_at_all() -> None:
    session = Session("stalled")
    session.event(UserPromptSubmit)
    for _ in range(9):
        session.wait(100)
    assert len(session.found) == 1
    session.bash("ls")
    session.wait(100)
    assert len(session.found) == 2, "heard of again, and silent again"
    refused = Session("stalled")
    refused.event(UserPromptSubmit, decision=deny("the limit is reached"))
    assert refused.wait(100) == []


def test_a_call_without_an_end() -> None:
    session = Session("stalled")
    session.event(PreToolUse, tool_name="Bash", tool_input={"command": "sleep 99999"})
    assert session.wait(59) == []
    (found,) = session.wait(2)
    assert found.key == "call"
    assert "Bash call has been running for 61 minutes" in found.summary
    session.event(PostToolBatch)
    assert session.wait(1) == []


def test_whoever_waits_for_an_agent_is_not_stalled_and_that_agent_may_be() -> None:
    session = Session("stalled")
    session.event(PreToolUse, tool_name="Agent")
    session.event(PreToolUse, tool_name="Bash")
    session.bash("ls", agent="worker")
    assert [each.agent_type for each in session.wait(10_000)] == ["worker"]


@pytest.mark.parametrize("kind", [Stop, StopFailure, SessionEnd, SessionStart])
def test_whoever_has_come_to_an_end_is_silent(kind: type[Event]) -> None:
    session = Session("stalled")
    session.event(UserPromptSubmit)
    session.event(kind)
    assert session.wait(10_000) == []


def test_a_subagent_that_has_ended_is_silent() -> None:
    session = Session("stalled")
    session.bash("ls", agent="worker")
    session.event(SubagentStop, "worker")
    assert session.wait(10_000) == []


def test_whoever_waits_for_a_person_is_not_stalled() -> None:
    for kind in (PermissionRequest, Notification):
        session = Session("stalled")
        session.event(PreToolUse, tool_name="Bash")
        session.event(kind)
        assert session.wait(10_000) == []
    session = Session("stalled")
    session.event(PreToolUse, tool_name="Bash", decision=ask("sure?"))
    assert session.wait(10_000) == []
