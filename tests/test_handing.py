"""From a record to a brief: which session one that follows on ``/clear`` is given."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.agents.claude_code import read
from pointsman.agents.claude_words import last_words
from pointsman.handing import Handing
from pointsman.model.decision import NO_OPINION
from pointsman.model.handoff import AfterClear
from pointsman.model.watching import ContextLimits
from pointsman.store.ledger import Ledger
from pointsman.store.record import Record

LIMITS = ContextLimits(200_000, 75, 80)
SECOND = 10**9


class World:
    def __init__(self, base: Path) -> None:
        self.path = base / "ledger.db"
        self.ledger = Ledger.open(self.path)
        self.now = 10**18
        self.handing = Handing(self.path, clock=lambda: self.now, sleep=lambda _seconds: None)

    def happen(self, event: str, session: str = "old", **native: Any) -> Any:
        payload = {"hook_event_name": event, "session_id": session, "cwd": "/r", **native}
        data = json.dumps(payload).encode()
        made = read(data, event, "/r", self.now)
        self.ledger.append([Record(event=made, decision=NO_OPINION, payload=data)])
        self.now += SECOND
        return made

    def clear(self, session: str = "old", **native: Any) -> None:
        self.happen("SessionEnd", session, reason="clear", **native)

    def after(self, session: str = "new", mode: AfterClear = AfterClear.ALWAYS) -> str:
        event = self.happen("SessionStart", session, source="clear")
        return self.handing.after_clear(event, mode, 200_000, 80)


@pytest.fixture
def world(tmp_path: Path) -> Any:
    made = World(tmp_path)
    yield made
    made.ledger.close()


def test_the_session_that_was_cleared_hands_over(world: World) -> None:
    world.happen("UserPromptSubmit", prompt="Build the shop")
    world.happen("Stop", last_assistant_message="The cart works. Next: refunds.")
    world.clear()
    text = world.after()
    assert text.startswith("Hand-off from session old")
    assert "Goal:\n- Build the shop" in text
    assert "Next step:\n- Next: refunds." in text
    assert world.after("newer") == ""


@pytest.mark.parametrize(
    "native",
    [{"reason": "other"}, {"reason": "clear", "cwd": "/elsewhere"}],
)
def test_no_other_session_does(world: World, native: dict[str, Any]) -> None:
    world.happen("UserPromptSubmit", prompt="Build the shop")
    world.happen("SessionEnd", **native)
    assert world.after() == ""


def test_an_old_end_is_none(world: World) -> None:
    world.happen("UserPromptSubmit", prompt="Build the shop")
    world.clear()
    world.now += 200 * SECOND
    assert world.after() == ""


def test_of_two_that_were_cleared_at_once_none_is_taken_and_both_are_named(world: World) -> None:
    for name in ("one", "two"):
        world.happen("UserPromptSubmit", name, prompt=f"goal of {name}")
        world.clear(name)
    text = world.after()
    assert "two, one" in text
    assert "goal of" not in text
    world.now += 10 * SECOND
    world.happen("UserPromptSubmit", "three", prompt="goal of three")
    world.clear("three")
    assert "goal of three" in world.after("next")


def test_a_session_in_which_nothing_was_asked_hands_nothing_over(world: World) -> None:
    world.happen("SessionStart", source="startup")
    world.clear()
    assert world.after() == ""


def test_when_it_speaks_is_a_setting(world: World) -> None:
    world.happen("UserPromptSubmit", prompt="Build the shop")
    world.clear()
    assert world.after(mode=AfterClear.NEVER) == ""
    assert world.after(mode=AfterClear.PAST) == ""


def test_what_is_not_on_record(world: World, tmp_path: Path) -> None:
    assert world.handing.brief("nobody", LIMITS) is None
    event = world.happen("SessionStart", "new", source="clear")
    gone = Handing(tmp_path / "gone.db", sleep=lambda _seconds: None)
    assert gone.after_clear(event, AfterClear.ALWAYS, 200_000, 80) == ""


def said(text: str, **more: Any) -> str:
    content = [{"type": "thinking", "thinking": "x"}, {"type": "text", "text": text}]
    return json.dumps({"type": "assistant", "message": {"content": content}, **more})


def test_words_that_have_no_stop_come_from_the_transcript(world: World, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = [said("first"), said("I am at the refunds."), said("sub", isSidechain=True), "{torn"]
    path.write_text("\n".join(lines))
    world.happen("UserPromptSubmit", prompt="Build", transcript_path=str(path))
    found = world.handing.brief("old", LIMITS)
    assert found is not None
    assert found.last_words == ("I am at the refunds.",)


def test_a_transcript_is_read_from_its_end_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(f"{said('early')}\n" + "x" * 600_000 + f"\n{said('late')}\n")
    assert last_words(str(path)) == "late"
    (tmp_path / "t.txt").write_text(said("no transcript"))
    for name in (str(tmp_path / "t.txt"), "relative.jsonl", "/gone.jsonl", "", "/a\0.jsonl"):
        assert last_words(name) == ""
