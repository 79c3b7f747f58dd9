"""The command that asks which calls ran unguarded; the transcript is written here."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.model.telemetry import HostCall, Received
from pointsman.store.host_telemetry import HostTelemetry
from pointsman.store.query import parse_time

from .conftest import Machine


def transcript(machine: Machine, *calls: str, session: str = "one", name: str = "one") -> Path:
    """Write a transcript of Claude Code in which these calls ran."""
    file = machine.base / f"home/.claude/projects/-p/{name}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out:
        for number, call in enumerate(calls):
            common = {
                "sessionId": session,
                "timestamp": f"2100-01-01T00:00:{number:02}Z",
                "cwd": "/p",
            }
            use = {"type": "tool_use", "id": call, "name": "Bash", "input": {"command": "ls"}}
            end = {"type": "tool_result", "tool_use_id": call, "content": "x"}
            for kind, block in (("assistant", use), ("user", end)):
                out.write(
                    json.dumps({"type": kind, "message": {"content": [block]}, **common}) + "\n"
                )
    return file


@pytest.fixture
def half(machine: Machine) -> Machine:
    """Two of three calls are on record."""
    machine.up()
    for call in ("t1", "t2"):
        hook = machine.start("hook", "claude-code", "PreToolUse")
        hook.communicate(json.dumps(machine.shell("ls", tool_use_id=call)).encode())
        assert hook.returncode == 0
    transcript(machine, "t1", "t2", "t3")
    return machine


def as_json(machine: Machine, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(machine.run("coverage", "--json", *words).out)
    return found


def test_exactly_the_calls_without_a_record(half: Machine) -> None:
    found = as_json(half)
    assert (found["ran"], found["guarded"], found["coverage"]) == (3, 2, 0.666667)
    (row,) = found["unguarded"]
    assert (row["tool_use_id"], row["cause"], row["second_gate"]) == ("t3", "settings gone", False)
    text = half.run("coverage").out
    assert text.startswith("66.7% covered: of 3 calls that ran, a hook record answers for 2")
    assert "Bash ls: settings gone" in text


def test_check_is_for_scripts(half: Machine) -> None:
    assert half.run("coverage").code == 0
    assert half.run("coverage", "--check").code == 1
    assert half.run("coverage", "--check", "--session", "another").code == 0


def test_a_fork_repeats_no_call(half: Machine) -> None:
    transcript(half, "t1", "t2", name="again")
    assert as_json(half)["ran"] == 3


def test_a_fork_under_a_session_of_its_own_neither(half: Machine) -> None:
    transcript(half, "t1", "t2", session="fork", name="fork")
    found = as_json(half)
    assert (found["ran"], found["guarded"]) == (3, 2)
    assert [row["tool_use_id"] for row in found["unguarded"]] == ["t3"]


def test_one_file(half: Machine) -> None:
    file = transcript(half, "t9", session="two", name="two")
    found = as_json(half, "--transcript", str(file))
    assert [row["tool_use_id"] for row in found["unguarded"]] == ["t9"]
    assert found["sessions"] == 1


def test_without_a_ledger_nothing_was_guarded(machine: Machine) -> None:
    transcript(machine, "t1")
    assert [row["cause"] for row in as_json(machine)["unguarded"]] == [
        "no hook ran in this session"
    ]


def test_nothing_to_read(machine: Machine) -> None:
    ended = machine.run("coverage", "--check")
    assert (ended.code, ended.out.splitlines()) == (
        0, ["No tool call has run in 0 transcripts. Next step: look further, --since 30d"],
    )  # fmt: skip


def test_the_hosts_telemetry_is_a_third_source(half: Machine) -> None:
    store = HostTelemetry.open(half.state / "telemetry.db")
    at = parse_time("2100-01-01T00:00:00", 0)
    calls = tuple(
        HostCall(session="one", id=name, at_ns=at, tool="Bash", ended=name != "refused")
        for name in ("t1", "t3", "t4", "refused")
    )
    counts = {"one": {"hooks_cancelled": 2, "guards_cancelled": 1, "tool_results": 3}}
    store.add(Received(at_ns=at, counts=counts, calls=calls))
    store.close()
    found = as_json(half)
    assert found["sources"] == ["ledger", "transcript", "telemetry"]
    # A call that no transcript tells of has run all the same; it never makes one guarded.
    assert [row["tool_use_id"] for row in found["unguarded"]] == ["t4", "t3"]
    (row,) = [each for each in found["by_session"] if each["session"] == "one"]
    assert (row["transcript"], row["telemetry"], row["guards_cancelled"]) == (3, 3, 1)
    assert "counts 2 hooks cancelled, 1 of them before a call" in half.run("coverage").out
    assert as_json(half, "--session", "another")["by_session"] == []


def test_without_it_there_are_two(half: Machine) -> None:
    found = as_json(half)
    assert found["sources"] == ["ledger", "transcript"]
    assert [row["telemetry"] for row in found["by_session"]] == [None]
