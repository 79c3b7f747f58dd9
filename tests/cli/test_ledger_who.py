"""Who changed a file: the agent, its task, the prompt, what was said, what became of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.model.event import Identity
from pointsman.model.events import PostToolUse
from pointsman.store.attribution import who
from pointsman.store.ledger import Ledger
from pointsman.store.record import Record
from store.records import run

from .conftest import Machine, machine_in


def say(machine: Machine, name: str, **more: Any) -> dict[str, Any]:
    return {
        "hook_event_name": name,
        "session_id": "one",
        "prompt_id": "p1",
        "cwd": str(machine.repository),
        **more,
    }


def call(machine: Machine, tool: str, number: int, **given: Any) -> dict[str, Any]:
    more = {key: given.pop(key) for key in ("agent_id", "agent_type") if key in given}
    return say(
        machine, "PreToolUse", tool_name=tool, tool_input=given, tool_use_id=f"t{number}", **more
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine_in(tmp_path_factory.mktemp("machine")) as machine:
        builder = {"agent_id": "a1", "agent_type": "builder"}
        path = str(machine.repository / "docs/a.md")
        machine.contract("builder", "docs/**")
        machine.up()
        written = call(machine, "Write", 1, file_path=path, content="x")
        spawn = call(
            machine, "Agent", 2, description="short", prompt="mend docs", subagent_type="builder"
        )
        shell = call(
            machine, "Bash", 3, command="touch docs/b.md; echo x >> docs/a.md",
            description="Add a line", **builder,
        )  # fmt: skip
        machine.decide(
            say(machine, "UserPromptSubmit", prompt="Write the docs"),
            written,
            {**written, "hook_event_name": "PostToolUse", "tool_response": {}},
            spawn,
            say(machine, "SubagentStart", **builder),
            shell,
            {**shell, "hook_event_name": "PostToolUseFailure", "error": "no"},
            call(machine, "Write", 4, file_path=str(machine.repository / "src/c.py"), content="",
                 **builder),
            say(machine, "UserPromptSubmit", prompt="And once more", prompt_id="p2"),
            call(machine, "Read", 5, file_path=path),
            words=("--record",),
        )  # fmt: skip
        yield machine


def told(machine: Machine, file: str) -> list[dict[str, Any]]:
    ended = machine.run("ledger", "who", file, "--json")
    assert ended.code == 0, ended.err
    return ended.rows()


def test_each_change_with_its_agent_and_its_reason(filled: Machine) -> None:
    first, second = told(filled, str(filled.repository / "docs/a.md"))
    assert first["seq"] < second["seq"]
    wanted = {"agent": "main", "tool": "Write", "outcome": "done", "task": "", "session": "one"}
    assert wanted.items() <= first.items()
    assert (first["reason"], first["reason_from"]) == ("Write the docs", "prompt")
    wanted = {
        "agent": "builder", "agent_id": "a1", "parent": "main", "tool": "Bash",
        "outcome": "failed", "task": "mend docs", "prompt": "Write the docs",
        "reason": "Add a line", "reason_from": "call", "prompt_id": "p1", "found_by": "call",
    }  # fmt: skip
    assert wanted.items() <= second.items()


def test_what_was_denied_is_said_to_be(filled: Machine) -> None:
    (row,) = told(filled, str(filled.repository / "src/c.py"))
    assert (row["agent"], row["decision"], row["outcome"]) == ("builder", "deny", "denied")
    assert (row["reason"], row["reason_from"]) == ("mend docs", "task")


def test_a_directory_and_a_glob(filled: Machine) -> None:
    below = [
        row["path"].rpartition("/")[2] for row in told(filled, str(filled.repository / "docs"))
    ]
    assert below == ["a.md", "b.md"]
    assert len(told(filled, "*/b.md")) == 1


def test_for_people(filled: Machine) -> None:
    said = filled.run("ledger", "who", str(filled.repository / "docs/b.md"))
    assert said.code == 0
    assert "builder (a1): Bash failed" in said.out
    assert "why     Add a line" in said.out
    nobody = filled.run("ledger", "who", str(filled.repository / "nothing"))
    assert nobody.code == 0
    assert "no change of" in nobody.out


def test_what_proof_has_found(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    identity = Identity(
        host="claude-code", session="s", agent_id="a", agent_type="builder", tool_use_id="t",
        cwd="/repo", repository="/repo",
    )  # fmt: skip
    event = PostToolUse(identity=identity, received_ns=5, tool_name="Bash", tool_input={})
    lines = ("put back path='src/it\\'s.py' what='changed' why='outside' kept='/k'", "other")
    ledger.append([Record(event=event, runs=(run("proof", lines=lines),))])
    ledger.close()
    (row,) = who(tmp_path / "ledger.db", "/repo/src/it's.py", lambda *_: ())
    assert (row["outcome"], row["found_by"], row["agent"]) == ("put back", "proof", "builder")
    assert list(who(tmp_path / "ledger.db", "/repo/src/other.py", lambda *_: ())) == []
