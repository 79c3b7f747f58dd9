"""The daemon, started, shown and stopped by hand."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from pointsman import __version__

from .conftest import Machine


def status(machine: Machine) -> dict[str, object]:
    ended = machine.run("status", "--json")
    assert ended.code == 0, ended.err
    row: dict[str, object] = json.loads(ended.out)
    return row


def gone(pid: int) -> bool:
    """Wait until a process has ended: the lock is free a moment before."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_its_life(machine: Machine) -> None:
    before = status(machine)
    assert (before["running"], before["pid"]) == (False, None)
    first = machine.process("up", "--json")
    assert first.code == 0
    pid = json.loads(first.out)["pid"]
    assert f"The daemon runs: process {pid}, socket " in machine.run("up").out
    now = status(machine)
    assert now["running"] is True
    assert now["pid"] == pid
    assert now["version"] == __version__
    assert now["socket"] == str(machine.state / "daemon.sock")
    assert now["config_errors"] == []
    again = json.loads(machine.process("up", "--restart", "--json").out)["pid"]
    assert again != pid
    assert gone(pid)
    assert json.loads(machine.run("down", "--json").out) == {"stopped": True}
    assert gone(again)
    assert machine.run("down").out == "No daemon runs.\n"
    assert json.loads(machine.run("down", "--json").out) == {"stopped": False}
    assert "not running" in machine.run("status").out


def test_one_that_was_killed_leaves_nothing_in_the_way(machine: Machine) -> None:
    machine.up()
    pid = int((machine.state / "daemon.lock").read_text())
    os.kill(pid, signal.SIGKILL)
    ended = machine.process("up", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["pid"] != pid


def test_one_in_this_terminal(machine: Machine) -> None:
    with machine.start("up", "--foreground") as process:
        while not status(machine)["running"]:
            assert process.poll() is None
        assert status(machine)["pid"] == process.pid
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_a_state_directory_that_cannot_be_had(machine: Machine) -> None:
    machine.state.parent.joinpath("file").write_text("")
    machine.more["POINTSMAN_STATE_DIR"] = str(machine.base / "file/state")
    ended = machine.process("up")
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert "next step: " in ended.err


def test_settings_that_do_not_check_out_are_all_shown(machine: Machine) -> None:
    machine.write(
        ".pointsman/config.toml", '[budgets]\nPreEdit = 99\nnope = 1\n[guards]\nx = "y"\n'
    )
    for running in (False, True):
        if running:
            machine.up()
        row = json.loads(machine.run("status", "--json").out)
        errors = row["config_errors"]
        assert len(errors) >= 3
        for error in errors:
            assert set(error) == {"file", "line", "key", "value", "message", "fix"}
            assert error["file"] == str(machine.repository / ".pointsman/config.toml")
        assert [error["line"] for error in errors][:2] == [2, 3]
        text = machine.run("status").out
        assert f"config.toml:2: budgets.PreEdit = 99: {errors[0]['message']}" in text
        assert "the last good settings stay in force" in text


def test_hooks_and_their_trust_are_shown(machine: Machine) -> None:
    machine.write(
        ".pointsman/hooks/house.py",
        "from pointsman import guard\n\n@guard('Stop')\nasync def house(event, ctx):\n    ...\n",
    )
    assert "hook       repo:house (guard): skipped, " in machine.run("status").out
    machine.run("trust")
    assert "hook       repo:house (guard)\n" in machine.run("status").out + "\n"


def test_one_that_hangs_is_ended_by_force(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.up()
    pid = int((machine.state / "daemon.lock").read_text())
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr("pointsman.serve.control._MOST_WAIT", 0.2)
    monkeypatch.setattr("pointsman.cli.down._WITHIN", 0.2)
    shown = machine.run("status")
    assert shown.code == 1
    assert "does not answer" in shown.err
    assert "next step: pointsman up --restart" in shown.err
    refused = machine.run("down")
    assert refused.code == 1
    monkeypatch.setattr("pointsman.cli.down._WITHIN", 15)
    assert machine.run("down", "--force").out == "The daemon is stopped.\n"
    assert gone(pid)
