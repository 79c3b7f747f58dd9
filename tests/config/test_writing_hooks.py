"""The examples of docs/writing-hooks.md and docs/contracts.md, copied and pasted, work."""

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pointsman.assembly import Setups
from pointsman.case import Delivery, Handled
from pointsman.config.contracts import load_contracts
from pointsman.config.settings import parse_settings
from pointsman.model.canonical import decision_from_json, event_to_json
from pointsman.model.decision import Action, Decision
from pointsman.model.errors import HookError
from pointsman.model.event import Identity
from pointsman.model.events import PreToolUse
from pointsman.model.hook import HookRun
from pointsman.runtime import Runtime
from pointsman.store.record import Record
from pointsman.workers.executable import read_answer
from pointsman.workers.process import Finished

from .repository import Machine

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"# (\S+/\S+\.\w+)\n")


def blocks(page: str) -> list[tuple[str, str]]:
    return _BLOCK.findall((DOCS / page).read_text())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A repository with every example in its place."""
    machine = Machine(tmp_path)
    machine.root.mkdir()
    subprocess.run(["git", "init", "-q", machine.root], check=True)
    for _, text in blocks("writing-hooks.md"):
        named = _NAMED.match(text)
        if named:
            machine.file(named[1], text)
    return machine


def ask(machine: Machine, tool: str, **tool_input: str) -> Handled:
    payload = {
        "hook_event_name": "PreToolUse",
        "session_id": "s",
        "cwd": str(machine.root),
        "tool_name": tool,
        "tool_input": tool_input,
        "tool_use_id": "t",
    }
    setups = Setups(machine.loader(), machine.places)
    delivery = Delivery(
        host="claude-code", event="PreToolUse", payload=json.dumps(payload).encode()
    )

    async def run() -> Handled:
        runtime = Runtime(setups, None)
        handled = await runtime.handle(delivery)
        await runtime.settle()
        await setups.close()
        return handled

    return asyncio.run(run())


def test_all_of_them_are_found_and_sound(machine: Machine) -> None:
    machine.trust()
    policy = machine.policy()
    assert policy.problems == ()
    assert {(hook.name, hook.role.value) for hook in policy.hooks} == {
        ("repo:no_deploys", "guard"),
        ("repo:conventions", "enricher"),
        ("repo:notify", "observer"),
        ("repo:protect-branch", "guard"),
        ("repo:no-env-files", "guard"),
    }
    assert not any(hook.skip or hook.broken for hook in policy.hooks)


def test_untrusted_they_are_skipped_on_record(machine: Machine) -> None:
    handled = ask(machine, "Bash", command="./deploy.sh now")
    assert handled.decision.action is None
    skipped = {run.hook: run.reason for run in handled.runs if run.hook.startswith("repo:")}
    assert set(skipped) == {"repo:no_deploys", "repo:protect-branch"}
    assert all("pointsman trust" in reason for reason in skipped.values())


@pytest.mark.parametrize(
    ("command", "rule"),
    [("./deploy.sh now", "house.deploy"), ("git push origin main", "house.branch")],
)
def test_the_guards_deny(machine: Machine, command: str, rule: str) -> None:
    machine.trust()
    decision = ask(machine, "Bash", command=command).decision
    assert (decision.action, decision.rule) == (Action.DENY, rule)


def test_the_guards_have_no_opinion_on_the_rest(machine: Machine) -> None:
    machine.trust()
    handled = ask(machine, "Bash", command="git push origin topic")
    assert handled.decision.action is None
    assert "skipped" not in {run.outcome.value for run in handled.runs}


def test_the_guard_on_edits_and_the_enricher(machine: Machine) -> None:
    machine.file("CONVENTIONS.md", "four spaces")
    machine.trust()
    denied = ask(machine, "Write", file_path=str(machine.root / ".env"), content="").decision
    assert denied.action is Action.DENY
    assert "environment files" in denied.reason
    sound = ask(machine, "Write", file_path=str(machine.root / "a.py"), content="").decision
    assert (sound.action, sound.context) == (None, "four spaces")


def test_the_observer_sees_an_escalation(machine: Machine) -> None:
    machine.trust()
    payload = {
        "hook_event_name": "PostToolUseFailure", "session_id": "s", "cwd": str(machine.root),
        "tool_name": "Bash", "tool_input": {}, "error": "exit 1",
    }  # fmt: skip
    setups = Setups(machine.loader(), machine.places)
    delivery = Delivery(
        host="claude-code", event="PostToolUseFailure", payload=json.dumps(payload).encode()
    )
    records: list[Record] = []

    class Recorded:
        async def record(self, record: Record) -> int:
            records.append(record)
            return len(records)

        def record_runs(self, seq: int, first: int, runs: list[HookRun]) -> None:
            pytest.fail("nothing observes the failure itself")

    async def run() -> None:
        runtime = Runtime(setups, Recorded())  # type: ignore[arg-type]
        await runtime.handle(delivery)
        await runtime.settle()
        await setups.close()

    asyncio.run(run())
    assert (machine.root / "escalations.txt").read_text() == "tool failed: Bash failed: exit 1\n"
    lines = [line for record in records for run in record.runs for line in run.lines]
    assert lines == ["escalated trigger='tool failed' count=1"]


def test_a_hook_has_at_most_ten_lines() -> None:
    python = [text for kind, text in blocks("writing-hooks.md") if kind == "python"]
    hooks = [text for text in python if re.search(r"^@\w+\(", text, re.MULTILINE)]
    assert len(hooks) == 3
    for text in hooks:
        assert len([line for line in text.splitlines()[1:] if line.strip()]) <= 10


def _json_blocks() -> list[dict[str, Any]]:
    return [json.loads(text) for kind, text in blocks("writing-hooks.md") if kind == "json"]


def test_the_event_has_the_shape_that_is_shown() -> None:
    shown = next(value for value in _json_blocks() if "event" in value)
    event = PreToolUse(identity=Identity(host="claude-code"))
    assert list(shown) == list(event_to_json(event))


def test_the_answers_that_are_shown_are_answers() -> None:
    answers = [value for value in _json_blocks() if "event" not in value]
    assert [value.get("decision") for value in answers] == ["deny", "ask", "modify", None]
    for value in answers:
        assert isinstance(decision_from_json(value), Decision)


@pytest.mark.parametrize("text", [b"", b"null", b"{}"])
def test_no_opinion_is_what_the_table_says(text: bytes) -> None:
    assert read_answer(Finished(0, text, b"")) is None
    with pytest.raises(HookError):
        read_answer(Finished(1, text, b""))


def test_the_contracts_that_are_shown_are_read(tmp_path: Path) -> None:
    suffix = {"markdown": "md", "json": "json", "yaml": "yaml"}
    for number, (kind, text) in enumerate(blocks("contracts.md")):
        path = tmp_path / ".pointsman/contracts" / f"{number}.{suffix[kind]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = load_contracts(tmp_path)
    assert found.problems == []
    named = {"builder", "db-build-agent", "api-builder", "tested-builder"}
    assert set(found.by_agent) == named
    one, two = found.by_agent["builder"]
    assert (one.allowed, one.forbidden) == (two.allowed, two.forbidden)


def test_the_roles_that_are_shown_check_out() -> None:
    shown = [text for kind, text in blocks("agents.md") if kind == "toml"]
    assert len(shown) == 2
    for text in shown:
        assert parse_settings("config.toml", text.encode()).problems == ()


def test_the_settings_that_are_shown_check_out() -> None:
    shown = [text for kind, text in blocks("writing-hooks.md") if kind == "toml"]
    assert len(shown) == 1
    assert parse_settings("config.toml", shown[0].encode()).problems == ()
