"""Whoever sits at a session hears of an alert, once, and again when it has become worse."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pointsman.alerts.board import Board
from pointsman.hooks import alert_notice
from pointsman.hooks.kit import Kit
from pointsman.model.alert import Severity
from pointsman.model.alerting import Alert, State
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from scene import Scene

ALERT = Alert(
    number=3, state=State.WARNING, severity=Severity.WARNING, detector="repetition", key="k",
    summary="the same Bash call 5 times", session="s",
)  # fmt: skip


def scene(**settings: Any) -> tuple[Scene, Board]:
    board = Board()
    board.show([ALERT])
    kit = Kit(places=Places(Path("/state"), Path("/config")), standing=board)
    policy = Policy(alerts=settings)
    return Scene(alert_notice.hook(policy, kit)), board


def said(scene: Scene, event: str = "UserPromptSubmit", **native: Any) -> str:
    answer = scene.one(event, **{"prompt": "x", **native}).answer
    assert answer.code == 0
    return str(json.loads(answer.stdout or b"{}").get("systemMessage", ""))


def test_once_in_each_session() -> None:
    made, board = scene()
    assert said(made) == (
        "Pointsman alert 3 (warning, repetition, main): the same Bash call 5 times Next step: "
        "pointsman alerts show 3"
    )
    assert said(made) == ""
    assert "in another session" in said(made, session_id="t")
    board.show([replace(ALERT, state=State.CRITICAL)])
    assert "(critical, repetition" in said(made, "Stop")
    assert said(made, "SessionStart") == ""


def test_nobody_hears_of_what_was_taken_up() -> None:
    made, board = scene()
    board.show([replace(ALERT, state=State.ACKNOWLEDGED)])
    assert said(made) == ""


def test_not_in_a_subagent_not_before_a_call_and_not_where_it_is_off() -> None:
    made, _ = scene()
    assert said(made, agent_id="a") == ""
    assert said(made, "PreToolUse", tool_name="Bash", tool_input={}) == ""
    for off in ({"terminal": False}, {"enabled": False}):
        made, _ = scene(**off)
        assert said(made) == ""


def test_no_more_than_five_at_once() -> None:
    made, board = scene()
    board.show([replace(ALERT, number=number, key=str(number)) for number in range(1, 9)])
    lines = said(made).splitlines()
    assert [line.split()[2] for line in lines] == ["4", "5", "6", "7", "8"]
