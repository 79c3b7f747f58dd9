"""Calls that no hook answers for are found while the session goes on, and all others are not."""

import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pointsman.agents.all_agents import AGENTS
from pointsman.case import HOOK, Case, Delivery, record_of
from pointsman.meter import absence
from pointsman.meter.absence import Absence
from pointsman.model.alert import Finding, Severity
from pointsman.model.answer import Answer
from pointsman.model.decision import NO_OPINION
from pointsman.store.ledger import Ledger

SECOND = 10**9
START = 1_790_000_000 * SECOND
CANCELLED = {
    "type": "hook_cancelled", "hookEvent": "PreToolUse", "timedOut": True, "durationMs": 1000,
    "command": "/v/pointsman-hook claude-code PreToolUse",
}  # fmt: skip


class World:
    """A host's directory, a record, and the time; hooks are asked where the test says so."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, START
        self.config = folder / ".claude"
        self.project = folder / "shop"
        (self.project / ".git").mkdir(parents=True)
        self.ledger = Ledger.open(folder / "ledger.db")
        self.found: list[Finding] = []
        self.notes: list[tuple[str, str]] = []
        self.off: set[str | None] = set()
        self.absence = self.begin()

    def begin(self) -> Absence:
        """Return the one of a daemon that has just been started."""
        return Absence(
            self.folder / "ledger.db", self.folder, self.config,
            lambda repository: repository not in self.off, self.found.append,
            lambda kind, text: self.notes.append((kind, text)), clock=lambda: self.now,
        )  # fmt: skip

    def file(self, session: str, agent: str = "", *, flat: bool = False) -> Path:
        base = self.config / "projects/-shop"
        if not agent:
            return base / f"{session}.jsonl"
        return (base if flat else base / session / "subagents") / f"agent-{agent}.jsonl"

    def asked(self, call: str, session: str = "one", kind: str = "PreToolUse") -> None:
        """Put on record that a hook was asked about a call."""
        self.now += SECOND
        native = {
            "hook_event_name": kind, "session_id": session, "cwd": str(self.project),
            "tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": call,
        }  # fmt: skip
        data = json.dumps(native).encode()
        event = AGENTS["claude-code"].read(data, kind, "/", self.now)
        object.__setattr__(event.identity, "repository", str(self.project))
        sent = Delivery(host="claude-code", event=kind, payload=data, transport=HOOK)
        case = Case(sent, 0, event)
        self.ledger.append([record_of(case, NO_OPINION, (), Answer(0), 0)])

    def ran(
        self, call: str, session: str = "one", agent: str = "", *,
        result: str = "x", hooks: Sequence[dict[str, Any]] = (), flat: bool = False,
    ) -> None:  # fmt: skip
        """Let the host write that a call has run."""
        self.now += SECOND
        when = datetime.fromtimestamp(self.now / SECOND, UTC).isoformat()
        common = {"sessionId": session, "timestamp": when, "cwd": str(self.project)}
        common |= {"agentId": agent} if agent else {}
        use = {"type": "tool_use", "id": call, "name": "Bash", "input": {"command": f"do {call}"}}
        end = {"type": "tool_result", "tool_use_id": call, "content": result}
        natives: list[dict[str, Any]] = [{"type": "assistant", "message": {"content": [use]}}]
        natives += [{"type": "attachment", "attachment": {"toolUseID": call, **one}}
                    for one in hooks]  # fmt: skip
        natives += [{"type": "user", "message": {"content": [end]}}]
        path = self.file(session, agent, flat=flat)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as out:
            out.writelines(json.dumps(native | common) + "\n" for native in natives)

    def guarded(self, *calls: str, **more: Any) -> None:
        for call in calls:
            self.asked(call, more.get("session", "one"))
            self.ran(call, **more)

    def look(self) -> list[tuple[str, int | float | str]]:
        """Look twice, with time for what is late in between; return cause and count of news."""
        before = len(self.found)
        for _ in range(2):
            self.absence._round = 0.0
            asyncio.run(self.absence.look())
            self.now += 10 * SECOND
        return [(one.key, one.figures["count"]) for one in self.found[before:]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.ledger.close()
    assert world.notes == []


def test_a_guarded_session_gives_none(world: World) -> None:
    world.guarded("t1", "t2")
    assert world.look() == []
    world.guarded("t3")
    world.ran("t4", result="<tool_use_error>No such tool")
    assert world.look() == []


def test_hooks_that_are_gone_are_found_before_the_session_ends(world: World) -> None:
    world.guarded("t1")
    assert world.look() == []
    world.ran("t2")
    world.ran("t3")
    assert world.look() == [("settings gone", 2)]
    (found,) = world.found
    assert (found.detector, found.severity, found.session) == (
        "unguarded",
        Severity.CRITICAL,
        "one",
    )
    assert (found.host, found.repository) == ("claude-code", str(world.project))
    assert found.summary == (
        "2 calls ran that no hook answers for, the last Bash do t3 (t3); likely cause: settings "
        "gone; next step: pointsman coverage --session one"
    )
    assert world.look() == []
    world.ran("t4")
    assert world.look() == [("settings gone", 3)]


def test_a_record_that_comes_a_moment_late_is_no_finding(world: World) -> None:
    world.guarded("t1")
    world.ran("t2")
    asyncio.run(world.absence.look())
    world.asked("t2")
    assert world.look() == []


def test_a_hook_that_the_host_gave_up_is_named(world: World) -> None:
    world.guarded("t1")
    world.asked("t2")
    world.ran("t2", hooks=[CANCELLED])
    assert world.look() == [("hook cancelled", 1)]
    assert "hook cancelled: timed out after 1000 ms" in world.found[0].summary


@pytest.mark.parametrize("flat", [False, True])
def test_a_subagent_without_hooks(world: World, *, flat: bool) -> None:
    world.guarded("t1")
    world.ran("s1", agent="a1", flat=flat)
    world.guarded("t2")
    assert world.look() == [("subagent", 1)]
    assert world.found[0].agent_id == "a1"
    world.asked("s2")
    world.ran("s2", agent="a2", flat=flat)
    assert world.look() == []


def test_a_session_in_which_no_hook_ever_ran(world: World) -> None:
    world.guarded("t1", session="before")
    world.ran("t2", session="bare")
    assert world.look() == [("no hook ran in this session", 1)]


def test_where_nobody_asked_for_guards_nothing_is_missed(world: World) -> None:
    world.ran("t2", session="bare")
    assert world.look() == []
    settings = world.project / ".claude/settings.json"
    settings.parent.mkdir()
    words = ["claude-code", "PreToolUse"]
    hook = {"type": "command", "command": "/v/pointsman-hook", "args": words, "timeout": 30,
            "onFailure": "block"}  # fmt: skip
    settings.write_text(json.dumps({"hooks": {"PreToolUse": [{"matcher": "", "hooks": [hook]}]}}))
    world.now += 120 * SECOND
    world.ran("t3", session="bare")
    assert world.look() == [("no hook ran in this session", 1)]


def test_a_fork_copies_its_parent_s_calls_and_none_of_them_is_missed(world: World) -> None:
    world.guarded("t1", "t2")
    text = world.file("one").read_text()
    world.file("two").write_text(text.replace('"sessionId": "one"', '"sessionId": "two"'))
    world.guarded("t3", session="two")
    assert world.look() == []
    world.file("three").write_text(text.replace('"sessionId": "one"', '"sessionId": "three"'))
    assert world.look() == []


def test_what_an_earlier_daemon_has_not_seen_is_seen_by_the_next(world: World) -> None:
    world.guarded("t1")
    assert world.look() == []
    world.now += 1000 * SECOND
    world.ran("t2")
    world.now += 20_000 * SECOND
    world.absence = world.begin()
    assert world.look() == [("settings gone", 1)]
    world.ran("t3")
    assert world.look() == [("settings gone", 2)]


def test_what_was_before_the_last_daemon_is_no_news(world: World) -> None:
    world.ran("t0")
    world.now += 1000 * SECOND
    world.guarded("t1")
    world.absence = world.begin()
    assert world.look() == []


def test_a_torn_line_waits_and_a_file_that_was_cut_is_read_anew(world: World) -> None:
    world.guarded("t1")
    path = world.file("one")
    whole = path.read_bytes()
    world.ran("t2")
    torn = path.read_bytes()
    path.write_bytes(torn[:-20])
    assert world.look() == []
    path.write_bytes(torn)
    assert world.look() == [("settings gone", 1)]
    path.write_bytes(whole)
    assert world.look() == []
    world.ran("t3")
    assert world.look() == [("settings gone", 2)]


def test_of_a_long_file_the_end_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absence, "_MOST_BYTES", 4000)
    world.guarded("t1")
    path = world.file("one")
    with path.open("a") as out:
        out.writelines(json.dumps({"type": "user", "text": "x" * 100}) + "\n" for _ in range(100))
    world.guarded("t2")
    world.ran("t3")
    assert world.look() == [("settings gone", 1)]


def test_one_that_is_switched_off_and_a_repository_that_is(world: World) -> None:
    world.off = {str(world.project)}
    world.guarded("t1")
    world.ran("t2")
    assert world.look() == []


def test_files_that_are_gone_or_no_transcripts_cost_nothing(world: World) -> None:
    world.guarded("t1")
    (world.file("one").parent / "bad.jsonl").write_bytes(b"\xff\x00{[\n" * 10)
    (world.file("one").parent / "away.jsonl").symlink_to("/nowhere/at-all.jsonl")
    assert world.look() == []
    shutil.rmtree(world.config)
    assert world.look() == []


def test_a_record_that_cannot_be_read_is_noted_once(world: World) -> None:
    world.guarded("t1")
    broken = world.folder / "broken.db"
    broken.write_bytes(b"no database" * 1000)
    world.absence.ledger = broken
    for _ in range(3):
        asyncio.run(world.absence.look())
    assert [kind for kind, _ in world.notes] == ["coverage not read"]
    world.notes.clear()
