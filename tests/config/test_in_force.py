"""What the running daemon does, says in `status` and puts on record when settings change."""

import json
import os
import sqlite3
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .repository import GUARD, Machine

COMMAND = Path(sysconfig.get_path("scripts"), "pointsman")


@dataclass(frozen=True)
class Running:
    """A machine with a daemon on it."""

    machine: Machine

    def command(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run(
            [COMMAND, *words], input=stdin, capture_output=True, text=True, cwd=self.machine.root,
            env=os.environ, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.command("status", "--json"))
        return status

    def decide(self, command: str = "ls", tool: str = "Bash") -> dict[str, Any]:
        payload = {
            "hook_event_name": "PreToolUse", "session_id": "s", "cwd": str(self.machine.root),
            "tool_name": tool, "tool_input": {"command": command}, "tool_use_id": "t",
        }  # fmt: skip
        row: dict[str, Any] = json.loads(
            self.command("decide", "--record", stdin=json.dumps(payload))
        )
        return row

    def notes(self, kind: str) -> list[str]:
        """Wait until the daemon has put a note of this kind on record."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with sqlite3.connect(self.machine.places.ledger) as ledger:
                rows = ledger.execute("select text from notes where kind = ?", (kind,)).fetchall()
            if rows:
                return [text for (text,) in rows]
            time.sleep(0.05)
        raise AssertionError(f"no note of kind {kind}")


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    machine = Machine(tmp_path)
    (machine.root / ".git").mkdir(parents=True)
    monkeypatch.setenv("POINTSMAN_STATE_DIR", str(machine.places.state))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "pointsman").symlink_to(machine.places.config)
    machine.places.config.mkdir()
    running = Running(machine)
    running.command("up")
    yield running
    running.command("down")


def test_a_broken_edit_while_running(running: Running) -> None:
    machine = running.machine
    machine.settings('[guards.command-safety.rules]\ngit-rewrite = "deny"\n')
    assert running.decide("git commit --amend -m x")["decision"] == "deny"
    machine.settings('[guards.command-safety.rules]\ngit-rewrite = "denied"\nx = 1\n')
    assert running.decide("git commit --amend -m x")["decision"] == "deny"
    errors = running.status()["config_errors"]
    assert [(each["line"], each["key"], each["value"]) for each in errors] == [
        (2, "guards.command-safety.rules.git-rewrite", "'denied'"),
        (3, "guards.command-safety.rules.x", "1"),
    ]
    assert all(each["file"] and each["message"] and each["fix"] for each in errors)
    assert "the last good settings stay in force" in running.command("status")
    (note,) = running.notes("config broken")
    assert "the last good one stays in force" in note
    running.command("up", "--restart")
    assert running.decide("git commit --amend -m x")["decision"] == "deny"
    machine.settings("")
    assert running.decide("git commit --amend -m x")["decision"] == "ask"
    assert running.status()["config_errors"] == []


def test_the_life_of_a_guard_of_a_repository(running: Running) -> None:
    machine = running.machine
    path = machine.hook()
    assert running.decide()["decision"] == "none"
    (hook,) = running.status()["hooks"]
    assert (hook["name"], hook["role"]) == ("repo:check", "guard")
    assert "pointsman trust" in hook["skipped"]
    assert "skipped" in running.command("status")

    running.command("trust")
    row = running.decide()
    assert (row["decision"], row["hook"], row["reason"]) == ("deny", "repo:check", "no")

    path.write_text(GUARD.replace('deny("no")', "None"))
    row = running.decide()
    assert (row["decision"], row["rule"]) == ("deny", "guard.tampered")
    assert row["cause"] == "our own failure"
    assert ".pointsman/hooks/check.py" in row["reason"]
    assert "pointsman trust" in row["reason"]
    assert any(hook["skipped"] for hook in running.status()["hooks"])

    running.command("trust")
    assert running.decide()["decision"] == "none"
    rows = [json.loads(line) for line in running.command("ledger", "query", "--json").splitlines()]
    assert [row["decision"] for row in rows][-4:] == ["none", "deny", "deny", "none"]


def test_a_script_that_is_edited_after_trust(running: Running) -> None:
    machine = running.machine
    script = machine.file("check.sh", "echo no >&2; exit 2")
    machine.settings(
        '[[hooks]]\nname = "house"\nrole = "guard"\nevents = ["PreToolUse"]\n'
        'command = ["sh", "check.sh"]\n'
    )
    running.command("trust")
    assert running.decide()["reason"] == "no"
    script.write_text("touch ran; exit 0")
    assert running.decide()["rule"] == "guard.tampered"
    assert not (machine.root / "ran").exists()


def test_a_contract_that_would_crash_a_parser(running: Running) -> None:
    pid = running.status()["pid"]
    running.machine.file(".claude/agents/x.md", "---\na: " + "[" * 100_000 + "\n---\n")
    assert running.decide()["decision"] == "none"
    assert running.status()["pid"] == pid
    assert "nested more than" in running.status()["config_errors"][0]["message"]
