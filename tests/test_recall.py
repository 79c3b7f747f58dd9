"""A new daemon's detectors know what those of the last one did."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pointsman.agents.all_agents import AGENTS
from pointsman.case import Case, Delivery, record_of
from pointsman.cost.posting import post
from pointsman.engine.spent import Spending
from pointsman.model.alert import Finding, Gone
from pointsman.model.answer import Answer
from pointsman.model.decision import NO_OPINION, Decision, deny
from pointsman.model.event import Event
from pointsman.model.events import SessionStart
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.model.policy import Policy
from pointsman.model.usage import Cost, Usage
from pointsman.oversight import Oversight
from pointsman.recall import recall, recalled
from pointsman.secrets.redact import Redactor
from pointsman.store import usage_rows
from pointsman.store.ledger import Ledger

SECOND = 10**9
START = 1_790_000_000 * SECOND
LIST: dict[str, Any] = {"tool_name": "Bash", "tool_input": {"command": "ls"}}


class Life:
    """A ledger, and daemons' detectors that come and go above it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        self.ledger = Ledger.open(self.path)
        self.now = START
        self.settings: dict[str, Any] = {}
        self.found: list[Finding] = []
        self.over: list[Gone] = []
        self.notes: list[tuple[str, str]] = []
        self.daemon = self.begin()

    def begin(self) -> Oversight:
        def policy(_repository: str | None) -> Policy:
            return Policy(watch=self.settings)

        secrets = Redactor.of(Path("/state"))
        made = Oversight(Spending(), secrets, policy, watched=True, clock=lambda: self.now)
        made.on_finding, made.on_gone = self.found.append, self.over.append
        made.report = self.note
        return made

    def note(self, kind: str, text: str) -> None:
        self.notes.append((kind, text))

    def restart(self) -> None:
        """End the daemon, and begin the next, which has not looked back yet."""
        self.began = self.now
        self.daemon = self.begin()

    def look_back(self) -> None:
        asyncio.run(recall(self.daemon, self.path, self.began + 1, self.note))

    def event(
        self, kind: str = "PreToolUse", *, decision: Decision = NO_OPINION,
        runs: tuple[HookRun, ...] = (), **native: Any,
    ) -> Event:  # fmt: skip
        self.now += SECOND
        data = json.dumps({"hook_event_name": kind, "session_id": "s", "cwd": "/p", **native})
        event = AGENTS["claude-code"].read(data.encode(), kind, "/", self.now)
        event = replace(event, identity=replace(event.identity, repository="/p"))
        case = Case(Delivery(host="claude-code", event=kind, payload=data.encode()), 0, event)
        record = record_of(case, decision, runs, Answer(0), 0)
        (seq,) = self.ledger.append([record])
        handled = Done(event, decision, runs)
        self.daemon.after(Policy(watch=self.settings), handled, seq, real=True)
        return event

    def usage(self, message: str, **tokens: Any) -> None:
        self.now += SECOND
        usage = Usage(host="claude-code", session="s", message_id=message, model="m",
                      at_ns=self.now, repository="/p", **tokens)  # fmt: skip
        cost = Cost(usd=0.01, prices="1")
        with self.ledger.writing() as connection:
            usage_rows.write(connection, post(None, usage, lambda _usage: cost), self.now)
        self.daemon.usage(usage, cost)

    def names(self) -> list[str]:
        return [one.detector for one in self.found]


class Done:
    """What became of an event."""

    def __init__(self, event: Event, decision: Decision, runs: tuple[HookRun, ...]) -> None:
        self.event, self.decision, self.runs = event, decision, runs


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    life = Life(tmp_path)
    yield life
    life.ledger.close()
    assert life.notes == []


def test_counts_go_on_over_a_restart(life: Life) -> None:
    for _ in range(4):
        life.event(**LIST)
    life.restart()
    life.look_back()
    life.event(**LIST)
    assert life.names() == ["repetition"]


def test_what_has_come_before_it_has_looked_back_counts_too(life: Life) -> None:
    for _ in range(3):
        life.event(**LIST)
    life.restart()
    life.event(**LIST)
    life.event(**LIST)
    assert life.found == []
    life.look_back()
    assert life.names() == ["repetition"]
    assert [each.detector for each in life.daemon.tick(life.now)] == ["repetition"]


def test_without_looking_back_it_would_begin_anew(life: Life) -> None:
    for _ in range(4):
        life.event(**LIST)
    life.restart()
    life.event(**LIST)
    assert life.found == []


def test_what_was_found_before_is_no_news_and_is_over_when_it_is(life: Life) -> None:
    for number in range(3):
        life.event("PostToolUseFailure", tool_name="mcp__a__x", tool_input={"n": number},
                   error="Not connected")  # fmt: skip
    assert life.names() == ["mcp-down"]
    life.restart()
    life.look_back()
    life.event("PostToolUseFailure", tool_name="mcp__a__x", tool_input={}, error="Not connected")
    assert life.names() == ["mcp-down"]
    life.event("PostToolUse", tool_name="mcp__a__x", tool_input={}, tool_response="fine")
    life.daemon.tick(life.now + 60 * SECOND)
    assert [each.key for each in life.over] == ["a"]


def test_decisions_and_runs_of_hooks_are_known(life: Life) -> None:
    slow = HookRun(
        hook="mine", role=Role.OBSERVER, kind="PreToolUse", started_ns=0, duration_ns=1,
        outcome=Outcome.CRASHED, budget=1.0, reason="boom",
    )  # fmt: skip
    for number in range(4):
        command: dict[str, Any] = {"tool_name": "Bash", "tool_input": {"command": f"x {number}"}}
        runs = (slow,) if number > 1 else ()
        life.event(decision=deny("no", rule="scope"), runs=runs, **command)
    life.restart()
    life.look_back()
    life.event(decision=deny("no", rule="scope"), runs=(slow,), **LIST)
    assert life.names() == ["denials", "hook-failures"]


def test_what_messages_have_used_is_known(life: Life) -> None:
    for number in range(12):
        life.usage(f"m{number}", output_tokens=1000)
        life.now += 60 * SECOND
    life.event(**LIST)
    life.restart()
    life.look_back()
    life.usage("wild", output_tokens=500_000)
    assert "burn-rate" in life.names()


def test_settings_hold_for_what_is_taken_over(life: Life) -> None:
    life.event("UserPromptSubmit", prompt="on")
    life.settings = {"enabled": False}
    life.restart()
    life.look_back()
    assert life.daemon.tick(life.now + 3600 * SECOND) == []
    life.settings = {"stalled": {"silent": 20}}
    life.restart()
    life.look_back()
    assert life.daemon.tick(life.now + 18 * 60 * SECOND) == []
    assert [each.detector for each in life.daemon.tick(life.now + 21 * 60 * SECOND)] == ["stalled"]


def test_sessions_of_long_ago_and_what_came_after_the_start_are_left_out(life: Life) -> None:
    life.event(**LIST)
    assert recalled(life.path, life.now)._sessions == {}
    assert list(recalled(life.path, life.now + 1)._sessions) == ["s"]
    assert recalled(life.path, life.now + 2 * 3600 * SECOND)._sessions == {}


def test_nothing_is_there_or_nothing_can_be_read(life: Life, tmp_path: Path) -> None:
    assert recalled(tmp_path / "none.db", START)._sessions == {}
    life.event("SessionStart", source="startup")
    for payload in (b"", b"[", b"\xff"):
        case = Case(Delivery(host="claude-code", event="Stop", payload=payload), 0,
                    replace(SessionStart(identity=life.event(**LIST).identity),
                            received_ns=life.now))  # fmt: skip
        life.ledger.append([record_of(case, NO_OPINION, (), Answer(0), 0)])
    assert list(recalled(life.path, life.now + 1)._sessions) == ["s"]
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 1000)
    asyncio.run(recall(life.daemon, broken, START, life.note))
    assert [kind for kind, _ in life.notes] == ["watch failed"]
    life.notes.clear()
