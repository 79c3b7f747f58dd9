"""What of an event counts."""

from typing import Any

import pytest

from pointsman.engine.deeds import deed_of, task_update
from pointsman.model.event import Event, Identity
from pointsman.model.events import (
    PostToolUse,
    PreToolUse,
    SessionStart,
    Stop,
    SubagentStop,
    TaskCompleted,
    UserPromptSubmit,
)

WHO = Identity(host="h", session="s", prompt_id="p", tool_use_id="t", repository="/r")
TASK = {"taskId": "1", "status": "in_progress"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (PreToolUse(identity=WHO, tool_name="Bash"), {"is_call": True}),
        (PreToolUse(identity=WHO, tool_name="TaskUpdate", tool_input=TASK), {"is_call": True}),
        (PostToolUse(identity=WHO, tool_name="TaskUpdate", tool_input=TASK),
         {"task": ("1", "in_progress")}),
        (TaskCompleted(identity=WHO, task_id="1"), {"task": ("1", "completed")}),
        (Stop(identity=WHO), {"rests": True}),
        (Stop(identity=WHO, native={"background_tasks": [1]}), {}),
        (SubagentStop(identity=WHO), {"rests": True}),
        (SessionStart(identity=WHO), {"opens": True}),
        (UserPromptSubmit(identity=WHO), {"opens": True}),
        (UserPromptSubmit(identity=Identity(host="h", agent_id="a")), {}),
    ],
)  # fmt: skip
def test_what_an_event_says(event: Event, expected: dict[str, Any]) -> None:
    deed = deed_of(event)
    plain = {"is_call": False, "task": ("", ""), "rests": False, "opens": False}
    assert {key: getattr(deed, key) for key in plain} == {**plain, **expected}
    assert deed.session == event.identity.session


@pytest.mark.parametrize("given", [{}, {"taskId": 1, "status": "x"}, {"taskId": "1"}])
def test_an_update_that_says_no_state_is_none(given: dict[str, Any]) -> None:
    assert task_update(given) == ("", "")
