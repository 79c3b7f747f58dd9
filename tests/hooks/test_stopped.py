"""Whom a person has stopped makes no further call; everybody else goes on."""

import json
from typing import Any

import pytest

from pointsman.alerts.board import Board
from pointsman.hooks import stopped
from pointsman.hooks.kit import Kit
from pointsman.model.alerting import Hold
from pointsman.model.answer import STOP
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from scene import Scene, delivery

WHOLE = Hold(session="s", agent_id=None, by="me, tty1", reason="it loops", ns=1)
ONE = Hold(session="s", agent_id="a", by="me, tty1", reason="", ns=1)


def scene(*holds: Hold) -> tuple[Scene, Board]:
    from pathlib import Path

    board = Board()
    board.hold(holds)
    kit = Kit(places=Places(Path("/state"), Path("/config")), standing=board)
    return Scene(stopped.hook(Policy(), kit)), board


MAIN: dict[str, Any] = {}
SUB: dict[str, Any] = {"agent_id": "a", "agent_type": "worker"}
OTHER: dict[str, Any] = {"agent_id": "b", "agent_type": "worker"}
ROWS = [
    # who is on hold, who acts, at what, the exit code, whether the run ends
    (WHOLE, MAIN, "PreToolUse", STOP, True),
    (WHOLE, MAIN, "PostToolUse", 0, True),
    (WHOLE, MAIN, "PostToolUseFailure", 0, True),
    (WHOLE, MAIN, "UserPromptSubmit", STOP, False),
    (WHOLE, MAIN, "SessionStart", 0, False),
    (WHOLE, MAIN, "Stop", 0, False),
    (WHOLE, SUB, "PreToolUse", STOP, False),
    (WHOLE, SUB, "PostToolUse", 0, False),
    (WHOLE, {"session_id": "t"}, "PreToolUse", 0, False),
    (ONE, SUB, "PreToolUse", STOP, False),
    (ONE, OTHER, "PreToolUse", 0, False),
    (ONE, MAIN, "PreToolUse", 0, False),
    (ONE, MAIN, "UserPromptSubmit", 0, False),
]


@pytest.mark.parametrize(("hold", "who", "event", "code", "ends"), ROWS)
def test_who_is_stopped(hold: Hold, who: dict[str, Any], event: str, code: int, ends: bool) -> None:
    made, _ = scene(hold)
    native = {"tool_name": "Bash", "error": "x", "prompt": "go on", **who}
    answer = made.one(event, **native).answer
    assert answer.code == code
    assert (json.loads(answer.stdout or b"{}").get("continue") is False) is ends


def test_it_takes_hold_at_the_very_next_event_and_ends_with_it() -> None:
    made, board = scene()
    assert made.one().answer.code == 0
    board.hold([WHOLE])
    handled = made.one()
    assert handled.answer.code == STOP
    assert handled.decision.rule == stopped.RULE
    assert "me, tty1 has stopped this session: it loops" in handled.decision.reason
    assert "pointsman alerts resume s" in handled.decision.reason
    board.hold([])
    assert made.one().answer.code == 0


def test_while_nobody_is_on_hold_it_is_not_asked() -> None:
    made, _ = scene()
    made.one()
    assert made.journal.records[-1].runs == ()


def test_where_it_cannot_be_told_who_is_nobody_goes_on() -> None:
    made, board = scene()
    board.unread = "the disk is gone"
    handled = made.one()
    assert handled.answer.code == STOP
    assert handled.decision.cause.value == "our own failure"
    assert "cannot be told: the disk is gone" in handled.decision.reason


def test_every_call_of_a_batch_is_stopped_whatever_others_say() -> None:
    made, _ = scene(ONE)
    handled = made.handle(*[delivery(tool_use_id=f"t{n}", **SUB) for n in range(3)])
    assert {each.decision.rule for each in handled} == {stopped.RULE}
