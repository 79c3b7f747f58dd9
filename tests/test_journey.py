"""Bytes in, a row in the store, bytes out: the real rooms, without a daemon between them."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pointsman.assembly import Setups
from pointsman.case import Delivery, Handled
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.events import HOST_EVENTS
from pointsman.model.places import Places
from pointsman.runtime import Runtime
from pointsman.store import query
from pointsman.store.ledger import Ledger
from pointsman.store.recorder import Recorder

RECORDED = sorted((Path(__file__).parent / "agents/fixtures/claude-code").glob("*.json"))


@dataclass
class Journey:
    """The product on directories of its own."""

    where: Places
    repository: Path
    ledger: Ledger

    def handle(self, *payloads: bytes, event: str = "PreToolUse") -> list[Handled]:
        async def run() -> list[Handled]:
            setups = Setups(PolicyLoader(self.where), self.where)
            runtime = Runtime(setups, Recorder(self.ledger))
            deliveries = [
                Delivery(host="claude-code", event=event, payload=data) for data in payloads
            ]
            done = [await runtime.handle(each) for each in deliveries]
            await runtime.settle()
            await setups.close()
            return done

        return asyncio.run(run())

    def call(self, tool: str, tool_input: dict[str, Any], **more: Any) -> bytes:
        payload = {
            "hook_event_name": "PreToolUse", "session_id": "s", "cwd": str(self.repository),
            "tool_name": tool, "tool_input": tool_input, "tool_use_id": "t", **more,
        }  # fmt: skip
        return json.dumps(payload).encode()

    def rows(self) -> list[dict[str, Any]]:
        return list(query.export(self.where.ledger, query.Filter()))


@pytest.fixture
def journey(tmp_path: Path) -> Iterator[Journey]:
    where = Places(tmp_path / "state", tmp_path / "config")
    where.state.mkdir()
    (tmp_path / "repo/.git").mkdir(parents=True)
    ledger = Ledger.open(where.ledger)
    yield Journey(where, tmp_path / "repo", ledger)
    ledger.close()


def contract(journey: Journey) -> None:
    file = journey.repository / ".claude/agents/builder.md"
    file.parent.mkdir(parents=True)
    file.write_text(
        '---\nname: builder\ndescription: d\noutputs:\n  allowed_modifications: ["src/**"]\n---\n'
    )


def test_a_denied_edit(journey: Journey) -> None:
    contract(journey)
    who = {"agent_id": "a1", "agent_type": "builder", "prompt_id": "p"}
    data = journey.call("Write", {"file_path": "docs/x.md", "content": "x"}, **who)
    (handled,) = journey.handle(data)
    assert handled.answer.code == 2
    assert b"agent 'builder' may not modify" in handled.answer.stderr
    call, edit = journey.rows()
    assert call["payload"] == data.decode()
    assert call["stderr"].encode() == handled.answer.stderr
    assert json.loads(call["stdout"])["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert (call["event"], edit["event"]) == ("PreToolUse", "PreEdit")
    assert edit["derived_from"] == call["seq"]
    assert edit["path"] == str(journey.repository / "docs/x.md")
    for row in (call, edit):
        assert (row["decision"], row["rule"], row["hook"]) == ("deny", "scope.outside", "scope")
        assert (row["agent"], row["agent_id"], row["session"]) == ("builder", "a1", "s")
        assert (row["prompt_id"], row["tool_use_id"]) == ("p", "t")
        assert row["repository"] == row["cwd"] == str(journey.repository)
        assert row["exit_code"] in {0, 2}
    assert {run["hook"] for run in edit["hook_runs"]} >= {"scope"}
    for run in (*call["hook_runs"], *edit["hook_runs"]):
        assert run["role"] == "guard"
        assert run["outcome"] in {"decided", "no opinion"}
        assert run["budget_ms"] in {10_000, 15_000}


def test_a_call_that_passes(journey: Journey) -> None:
    (handled,) = journey.handle(journey.call("Bash", {"command": "ls"}))
    assert (handled.answer.code, handled.answer.stdout, handled.answer.stderr) == (0, b"", b"")
    (row,) = journey.rows()
    assert (row["decision"], row["cause"], row["rule"]) == ("none", None, "")
    assert row["hook_runs"]


def test_what_cannot_be_read(journey: Journey) -> None:
    (handled,) = journey.handle(b"\xff{")
    assert handled.answer.code == 2
    (row,) = journey.rows()
    assert (row["rule"], row["cause"]) == ("payload.unreadable", "our own failure")
    assert row["payload"] == "base64:/3s="
    assert row["problems"]["problems"]


def test_lone_surrogates_and_nuls_are_put_on_record(journey: Journey) -> None:
    data = journey.call("Bash", {"command": "echo \ud800\0"}, session_id="s\udfff\0")
    (handled,) = journey.handle(data)
    (row,) = journey.rows()
    assert row["payload"] == data.decode()
    assert row["session"].startswith("s\\udfff")
    assert row["exit_code"] == handled.answer.code


def test_context_of_a_hook_reaches_the_model(journey: Journey) -> None:
    hooks = journey.where.config / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "house.py").write_text(
        "from pointsman import enricher, inject\n\n@enricher('PreToolUse', tools='Bash')\n"
        "async def tells(event, ctx):\n    ctx.log('looked', tool=event.tool_name)\n"
        "    return inject('the tests are slow')\n"
    )
    (handled,) = journey.handle(journey.call("Bash", {"command": "make"}))
    output = json.loads(handled.answer.stdout)["hookSpecificOutput"]
    assert output == {"hookEventName": "PreToolUse", "additionalContext": "the tests are slow"}
    (row,) = journey.rows()
    assert row["context"] == "the tests are slow"
    (run,) = [each for each in row["hook_runs"] if each["hook"] == "tells"]
    assert run["lines"] == ["looked tool='Bash'"]


@pytest.mark.parametrize("name", HOST_EVENTS)
def test_every_recorded_payload_makes_the_whole_journey(journey: Journey, name: str) -> None:
    payloads = [file.read_bytes() for file in RECORDED if _event(file) == name]
    assert payloads
    done = journey.handle(*payloads, event=name)
    rows = [row for row in journey.rows() if row["transport"] == "hook"]
    rows = [row for row in rows if row["derived_from"] is None]
    assert [row["payload"].encode() for row in rows] == payloads
    for handled, row in zip(done, rows, strict=True):
        assert row["event"] == name
        assert row["decision"] in {"none", "deny", "ask"}
        assert row["exit_code"] == handled.answer.code
        assert row["problems"] is None or row["problems"]["problems"] == []


def _event(file: Path) -> str:
    return str(json.loads(file.read_bytes())["hook_event_name"])
