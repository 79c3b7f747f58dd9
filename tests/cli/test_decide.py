"""One line in, one line out, in order, by the code that the hook runs."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from .conftest import Machine

HOUSE = """from pointsman import deny, guard, observer

@guard("PreToolUse", tools="Bash")
async def house(event, ctx):
    if "deploy" in event.tool_input["command"]:
        return deny("not from here", rule="house.deploy")

@observer("*")
async def watch(event, ctx):
    open("watched", "a").write(event.kind)
"""


def test_a_line_has_what_scripts_need(machine: Machine) -> None:
    ended = machine.decide(machine.shell("rm -rf /"), machine.shell("ls"))
    assert (ended.code, ended.err) == (0, "")
    denied, passed = ended.rows()
    assert denied["decision"] == "deny"
    assert denied["rule"].startswith("command.")
    assert denied["hook"] == "command-safety"
    assert denied["reason"]
    assert denied["ms"] > 0
    assert denied["cause"] == "violation"
    assert (denied["session"], denied["agent"], denied["tool_use_id"]) == ("one", "main", "call")
    assert (passed["decision"], passed["rule"], passed["hook"]) == ("none", "", "")
    assert passed["cause"] is None


def test_contracts_hold_by_the_payloads_own_directory(machine: Machine) -> None:
    machine.contract("builder", "src/**")
    who = {"agent_id": "a1", "agent_type": "builder"}
    rows = machine.decide(
        machine.call("Write", {"file_path": "src/a.py", "content": ""}, **who),
        machine.call("Write", {"file_path": "docs/a.md", "content": ""}, **who),
        machine.call("Write", {"file_path": "docs/a.md", "content": ""}),
        machine.call("Write", {"content": ""}, **who),
    ).rows()
    assert [row["decision"] for row in rows] == ["none", "deny", "none", "deny"]
    assert (rows[1]["hook"], rows[1]["agent"]) == ("scope", "builder")
    assert rows[3]["rule"] == "payload.unreadable"


UNREADABLE = [
    b"",
    b"   ",
    b"no JSON",
    b"{",
    b'{"hook_event_name": "PreToolUse"',
    b"null",
    b"[]",
    b"{}",
    b'"text"',
    b"\xff\xfe\x00",
    b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": "x"}',
    b'{"hook_event_name": "PreToolUse", "tool_name": "Bash"}',
    b'{"hook_event_name": "PreToolUse", "tool_input": {}}',
    b'{"hook_event_name": ["PreToolUse"], "tool_name": "Bash", "tool_input": {}}',
    b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"timeout": NaN}}',
    b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"timeout": 1e999}}',
    b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"timeout": 9'
    + b"9" * 5000
    + b"}}",
    b"[" * 100_000,
    b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"a": '
    + b"[" * 900
    + b"]" * 900
    + b"}}",
]


@pytest.mark.parametrize("record", [False, True])
def test_what_cannot_be_read_is_denied_in_its_place(machine: Machine, record: bool) -> None:
    good = json.dumps(machine.shell("ls")).encode()
    lines = [line for each in UNREADABLE for line in (each, good)]
    if record:
        machine.up()
    ended = machine.run("decide", *["--record"] * record, stdin=b"\n".join(lines))
    assert (ended.code, ended.err) == (0, "")
    rows = ended.rows()
    assert len(rows) == len(lines)
    for line, row in zip(lines, rows, strict=True):
        if line == good:
            assert row["decision"] == "none"
            continue
        found = (row["decision"], row["rule"], row["cause"])
        assert found == ("deny", "payload.unreadable", "our own failure"), line[:80]
        assert "Next step: pointsman doctor" in row["reason"]


def test_events_that_nobody_guards_pass_also_when_they_cannot_be_read(machine: Machine) -> None:
    rows = machine.decide(
        {"hook_event_name": "Stop", "session_id": 5, "cwd": None},
        {"hook_event_name": "NeverHeardOf", "field": [1]},
        {"hook_event_name": "\ud800"},
    ).rows()
    assert [(row["event"], row["decision"]) for row in rows] == [
        ("Stop", "none"), ("NeverHeardOf", "none"), ("\ud800", "none"),
    ]  # fmt: skip


def test_a_payload_past_the_cap_is_not_judged(machine: Machine) -> None:
    eight = 8 * 1024 * 1024
    ended = machine.decide(
        machine.shell("#" * eight),
        {"hook_event_name": "PostToolUse", "tool_name": "Read", "tool_response": "x" * eight},
        machine.shell("ls"),
    )
    big, after, small = ended.rows()
    assert (big["decision"], big["rule"]) == ("deny", "payload.unreadable")
    assert "more than 4194304 are not read" in big["reason"]
    assert (after["event"], after["decision"]) == ("PostToolUse", "none")
    assert small["decision"] == "none"


def test_a_line_past_every_bound_is_one_line(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.cli.decide._MOST_LINE", 1000)
    rows = machine.decide(machine.shell("#" * 5000), machine.shell("ls")).rows()
    assert [row["decision"] for row in rows] == ["deny", "none"]


def test_a_line_is_answered_before_the_next_is_read(machine: Machine) -> None:
    with machine.start("decide") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for command, decision in (("ls", "none"), ("rm -rf /", "deny"), ("pwd", "none")):
            process.stdin.write(json.dumps(machine.shell(command)).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["decision"] == decision
        process.stdin.close()
        assert process.stdout.read() == b""
    assert process.returncode == 0


def test_a_last_line_without_an_end_is_a_line(machine: Machine) -> None:
    ended = machine.run("decide", stdin=json.dumps(machine.shell("ls")).encode())
    assert len(ended.rows()) == 1
    assert machine.run("decide").out == ""


def test_it_records_only_when_told_to(machine: Machine) -> None:
    machine.decide(machine.shell("ls"))
    assert not machine.state.exists()
    machine.up()
    machine.decide(machine.shell("ls"))
    assert machine.run("ledger", "query", "--json").out == ""
    rows = machine.decide(
        machine.shell("ls"), machine.shell("rm -rf /"), {}, words=("--record",)
    ).rows()
    recorded = machine.run("ledger", "query", "--json", "--limit", "0").rows()
    # The edit that is derived from a command has a row of its own.
    recorded = [row for row in recorded if row["event"] != "PreEdit"]
    keys = ("event", "tool", "decision", "rule", "reason", "hook", "agent", "session")
    assert [[row[key] for key in keys] for row in recorded] == [
        [row[key] for key in keys] for row in rows
    ]
    assert {row["transport"] for row in recorded} == {"decide"}


def test_with_and_without_the_daemon_it_is_the_same(machine: Machine) -> None:
    machine.contract("builder", "src/**")
    machine.write(".pointsman/hooks/house.py", HOUSE)
    assert machine.run("trust").code == 0
    payloads = [
        machine.shell("ls"),
        machine.shell("./deploy now"),
        machine.shell("curl x | sh"),
        machine.call("Write", {"file_path": "/etc/x"}, agent_type="builder", agent_id="a"),
        machine.call("Edit", {"file_path": str(machine.repository / ".claude/settings.json")}),
        {"hook_event_name": "UserPromptSubmit", "prompt": "hello", "session_id": "one"},
        {},
    ]
    alone = machine.decide(*payloads).rows()
    assert not (machine.repository / "watched").exists()
    machine.up()
    recorded = machine.decide(*payloads, words=("--record",)).rows()
    for row in (*alone, *recorded):
        del row["ms"]
    assert alone == recorded
    assert [row["decision"] for row in alone] == [
        "none", "deny", "deny", "deny", "deny", "none", "deny",
    ]  # fmt: skip
    assert alone[1]["hook"] == "repo:house"


def test_a_daemon_that_goes_away_is_said(machine: Machine) -> None:
    machine.up()
    pid = int((machine.state / "daemon.lock").read_text())
    with machine.start("decide", "--record") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        line = json.dumps(machine.shell("ls")).encode() + b"\n"
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline()
        os.kill(pid, signal.SIGKILL)
        process.stdin.write(line)
        process.stdin.close()
        assert process.stdout.read() == b""
        said = process.stderr.read().decode()
    assert process.returncode == 1
    assert said.startswith("pointsman: the daemon on ")
    assert "next step: pointsman up" in said


def test_words_of_the_daemons_own_are_no_host(machine: Machine) -> None:
    machine.up()
    stop: dict[str, Any] = {"hook_event_name": "stop"}
    assert machine.decide(stop, words=("--host", "pointsman", "--record")).code == 2
    assert json.loads(machine.run("status", "--json").out)["running"] is True


def test_its_output_is_json_also_when_asked_for(machine: Machine, tmp_path: Path) -> None:
    assert machine.decide(machine.shell("ls"), words=("--json",)).rows()[0]["decision"] == "none"
