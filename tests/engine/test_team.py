"""Who runs and who has ended, in constant memory."""

from typing import Any

import pytest

from pointsman.engine import team
from pointsman.engine.team import Memory
from pointsman.model.decision import NO_OPINION, deny
from pointsman.model.event import Event, Identity
from pointsman.model.events import PreEdit, PreToolUse, SubagentStart, SubagentStop

NO = deny("no")


def who(agent: str = "", key: str = "", session: str = "s", call: str = "t") -> Identity:
    return Identity(
        host="h", session=session, agent_type=agent or None, agent_id=key or None, tool_use_id=call
    )


def call(agent: str, key: str = "t") -> PreToolUse:
    return PreToolUse(
        identity=who(call=key), tool_name="Agent", tool_input={"subagent_type": agent}
    )


def note(memory: Memory, event: Event, edit: PreEdit | None = None, decision: Any = None) -> None:
    memory.note(event, edit, decision or NO_OPINION, ())


def names(memory: Memory, session: str = "s") -> list[tuple[str, str]]:
    return [(each.agent, each.key) for each in memory.running(session)]


def test_from_the_call_to_the_end() -> None:
    memory = Memory()
    memory.begin(call("a"), "a", isolated=True)
    note(memory, call("a"))
    assert names(memory) == [("a", "t")]
    note(memory, SubagentStart(identity=who("a", "a-1"), received_ns=7))
    assert names(memory) == [("a", "a-1")]
    assert memory.running("s")[0].isolated
    assert memory.began(SubagentStop(identity=who("a", "a-1"))) == 7
    assert memory.ended("s", "a") is None
    note(memory, SubagentStop(identity=who("a", "a-1")))
    assert names(memory) == []
    assert memory.ended("s", "a") == ""
    assert memory.ended("other", "a") is None


def test_one_that_is_sent_back_still_runs() -> None:
    memory = Memory()
    end = SubagentStop(identity=who("a", "a-1"))
    assert [memory.sent_back(end), memory.sent_back(end)] == [1, 2]
    note(memory, end, decision=NO)
    assert names(memory) == [("a", "a-1")]
    assert memory.ended("s", "a") is None


def test_an_edit_that_was_stopped_was_none() -> None:
    memory = Memory()
    event = PreToolUse(identity=who("a", "a-1"), tool_name="Write")
    for path, decision in (("/x", None), ("/y", NO)):
        note(memory, event, PreEdit(identity=event.identity, files=(path,)), decision)
    assert memory.edited(event) == ("/x",)
    assert memory.edited(PreToolUse(identity=who())) == ()


def test_the_main_thread_is_no_member() -> None:
    memory = Memory()
    note(memory, PreToolUse(identity=who(), tool_name="Write"))
    assert names(memory) == []


@pytest.mark.parametrize(
    ("message", "ended"),
    [
        ("Done.", ""),
        ('{"status": "complete", "summary": "x"}', ""),
        ('{"status": "failed", "summary": "x", "error": "e"}', "it says of itself: failed e"),
        ("x\n```json\n{\"status\": \"blocked\", \"blockedBy\": \"b\"}\n```\n",
         "it says of itself: blocked b"),
        ('["status", "failed"]', ""),
        ('{"status": ["failed"]}', ""),
        ("{" * 100_000, ""),
    ],
)  # fmt: skip
def test_how_it_says_it_ended(message: str, ended: str) -> None:
    memory = Memory()
    note(memory, SubagentStop(identity=who("a", "a-1"), last_assistant_message=message))
    assert memory.ended("s", "a") == ended


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "_MOST_SESSIONS", 3)
    monkeypatch.setattr(team, "_MOST_FILES", 5)
    memory = Memory()
    for number in range(3000):
        memory.begin(call("a", f"t{number}"), "a", isolated=False)
        note(memory, SubagentStart(identity=who(f"b{number}", f"b-{number}")))
        note(memory, SubagentStop(identity=who(f"c{number}", f"c-{number}")))
    assert len(memory.running("s")) <= 2048
    assert memory.ended("s", "c0") is None
    assert memory.ended("s", "c2999") == ""
    for number in range(4):
        note(memory, SubagentStart(identity=who("a", "a-1", session=f"s{number}")))
    assert names(memory, "s0") == []
    event = PreToolUse(identity=who("a", "a-1", session="s3"), tool_name="Write")
    for number in range(9):
        edit = PreEdit(identity=event.identity, files=(f"/{number}",))
        note(memory, event, edit)
    assert len(memory.edited(event)) == 5


def test_what_is_not_remembered_is_looked_up() -> None:
    asked: list[tuple[str, str]] = []

    def past(session: str, agent: str) -> str | None:
        asked.append((session, agent))
        return {"a": "", "b": "it failed"}.get(agent)

    memory = Memory(past)
    assert [memory.ended("s", agent) for agent in "abc"] == ["", "it failed", None]
    note(memory, SubagentStop(identity=who("b", "b-1")))
    assert memory.ended("s", "b") == ""
    assert asked == [("s", "a"), ("s", "b"), ("s", "c")]
