"""Which task waits for which, in constant memory."""

from typing import Any

import pytest

from pointsman.engine import tasks
from pointsman.engine.tasks import Tasks
from pointsman.model.event import Identity
from pointsman.model.events import PostToolUse, PreToolUse, SessionEnd
from pointsman.model.team import new_waits


def update(session: str = "s", **given: Any) -> PostToolUse:
    who = Identity(host="h", session=session)
    return PostToolUse(identity=who, tool_name="TaskUpdate", tool_input=given)


def test_only_what_was_done_counts() -> None:
    known = Tasks()
    given: dict[str, Any] = {"taskId": "2", "addBlockedBy": ["1"]}
    known.note(PreToolUse(identity=Identity(host="h", session="s"), tool_name="TaskUpdate",
                          tool_input=given))  # fmt: skip
    assert known.waits_for("s", "2") == ()
    known.note(update(**given))
    assert known.waits_for("s", "2") == ("1",)
    assert known.waits_for("other", "2") == ()
    assert known.round_of("s", [("1", "2")]) == ["1", "2", "1"]
    known.note(SessionEnd(identity=Identity(host="h", session="s")))
    assert known.waits_for("s", "2") == ()


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_MOST_SESSIONS", 2)
    monkeypatch.setattr(tasks, "_MOST_TASKS", 3)
    monkeypatch.setattr(tasks, "_MOST_BLOCKERS", 2)
    known = Tasks()
    for number in range(5):
        known.note(update(taskId=f"t{number}", addBlockedBy=["a", "b", "c"]))
    assert known.waits_for("s", "t0") == ()
    assert known.waits_for("s", "t4") == ("a", "b")
    for number in range(2):
        known.note(update(f"s{number}", taskId="x", addBlockedBy=["y"]))
    assert known.waits_for("s", "t4") == ()
    assert len(new_waits({"taskId": "x", "addBlockedBy": ["y"] * 10_000})) <= 128
