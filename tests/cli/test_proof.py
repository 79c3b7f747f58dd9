import json
import os
import subprocess
from pathlib import Path

from cli.conftest import Ended, Machine
from proof.world import World, finding


def put_back(machine: Machine) -> World:
    world = World(machine.base / "w")
    world.state = machine.state
    world.proof = world.prover()
    report = world.run("echo evil > tests/t.py; chmod 755 tests/t.py; ln -sfn x docs/link.md")
    assert finding(report, "tests/t.py").kept
    return world


def test_what_was_put_back_is_listed_shown_and_given_back(machine: Machine) -> None:
    world = put_back(machine)
    (row,) = json.loads(machine.run("proof", "status", "--json").out)
    assert (row["agent"], row["files"], row["root"]) == ("builder", 2, str(world.root))
    assert row["id"] in machine.run("proof", "status").out
    shown = machine.run("proof", "show", row["id"]).out
    assert "tests/t.py (file)" in shown
    assert "echo evil > tests/t.py" in shown
    given = machine.run("proof", "restore-aside", row["id"], "tests/t.py")
    assert given.out == "tests/t.py\n"
    assert (world.root / "tests/t.py").read_text() == "evil\n"
    assert os.access(world.root / "tests/t.py", os.X_OK)
    assert (world.root / "docs/link.md").readlink() == Path("guide.md")
    assert json.loads(machine.run("proof", "restore-aside", row["id"][:3], "--json").out) == [
        "docs/link.md", "tests/t.py",
    ]  # fmt: skip
    assert (world.root / "docs/link.md").readlink() == Path("x")


def hook(machine: Machine, event: str, **payload: object) -> Ended:
    who = {"agent_id": "b1", "agent_type": "builder"}
    given = {**machine.shell(""), **who, **payload, "hook_event_name": event}
    return machine.process("hook", "claude-code", event, stdin=json.dumps(given).encode())


def test_a_call_through_the_daemon(machine: Machine) -> None:
    machine.contract("builder", "src/**")
    machine.write("src/a.py", "a")
    test = machine.write("tests/t.py", "assert 1\n")
    mine = machine.write("docs/mine.md", "mine\n")
    # What a script does that was there before is not said beforehand.
    machine.write("src/x.sh", "printf evil > tests/t.py\n")
    command = "sh src/x.sh"
    tool = {"tool_name": "Bash", "tool_input": {"command": command}}
    assert hook(machine, "PreToolUse", **tool).code == 0
    subprocess.run(["bash", "-c", command], cwd=machine.repository, check=True)
    ended = hook(machine, "PostToolUse", **tool, tool_response={}, duration_ms=9)
    assert (ended.code, test.read_text()) == (2, "assert 1\n")
    assert "tests/t.py (modified)" in ended.err
    # Between two calls a person works, and an agent without a contract.
    mine.write_text("mine, more\n")
    reading = {"tool_name": "Read", "tool_input": {"file_path": "src/a.py"}}
    assert hook(machine, "PreToolUse", **reading).code == 0
    assert hook(machine, "PreToolUse", **tool, agent_type=None, agent_id=None).code == 0
    (machine.repository / "docs/new.md").write_text("by the main agent")
    ended = hook(machine, "PostToolUse", **tool, agent_type=None, agent_id=None)
    assert ended.code == 0
    assert hook(machine, "SubagentStop").code == 0
    assert mine.read_text() == "mine, more\n"
    assert (machine.repository / "docs/new.md").exists()
    (row,) = machine.run("ledger", "query", "--rule", "proof.outside-contract", "--json").rows()
    assert row["agent_type"] == "builder"
    (said,) = machine.run("ledger", "query", "--event", "ErrorEscalation", "--json").rows()
    assert "tests/t.py" in said["reason"]
    (kept,) = json.loads(machine.run("proof", "status", "--json").out)
    assert kept["files"] == 1


def test_what_there_is_not(machine: Machine) -> None:
    assert machine.run("proof", "status").out == "nothing has been put back\n"
    ended = machine.run("proof", "show", "nothing")
    assert (ended.code, "'nothing' names no call" in ended.err) == (1, True)
    put_back(machine)
    ended = machine.run("proof", "restore-aside", "s-", "docs/other.md")
    assert (ended.code, "no version of 'docs/other.md' is kept" in ended.err) == (1, True)
