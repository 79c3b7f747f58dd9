"""A client that was told its directories: the environment leads it nowhere else.

A repository's own settings may set variables for every hook of a session.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pointsman.store.query import Filter, query

from .conftest import SOURCE
from .fake_daemon import FakeDaemon, answer, sends
from .test_conformance import OTHER, Run

PAYLOAD = b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"}}'


@pytest.fixture
def run(client: list[str], tmp_path: Path) -> Run:
    made = Run(client, tmp_path)
    made.client_tail = [str(made.state), str(tmp_path / "config")]
    return made


def misleading(run: Run) -> dict[str, str]:
    """Return variables that lead to a state directory, a program and modules of somebody else."""
    evil = run.folder / "evil"
    (evil / "pointsman").mkdir(parents=True, exist_ok=True)
    marker = f"open({str(run.folder / 'evil-ran')!r}, 'w').close()"
    for name in ("pointsman/__init__.py", "sitecustomize.py"):
        (evil / name).write_text(marker)
    program = evil / "daemon"
    program.write_text(f"#!/bin/sh\ntouch {run.folder / 'evil-ran'}\n")
    program.chmod(0o755)
    return {
        "POINTSMAN_STATE_DIR": str(evil),
        "POINTSMAN_DAEMON": str(program),
        "PYTHONPATH": str(evil),
        "XDG_STATE_HOME": str(evil),
        "XDG_CONFIG_HOME": str(evil),
        "HOME": str(evil),
        "HARMLESS": "kept",
    }


def test_it_asks_the_daemon_that_it_was_told_of(run: Run) -> None:
    with FakeDaemon(run.state, sends(answer(0, b"ours"))):
        done = run(env=misleading(run))
    assert (done.returncode, done.stdout) == (0, b"ours")
    assert not (run.folder / "evil-ran").exists()


def test_what_it_cannot_deliver_waits_where_it_was_told(run: Run) -> None:
    run.state.mkdir(mode=0o700)
    (run.state / "daemon.sock").mkdir()
    assert run(OTHER, env=misleading(run)).returncode == 0
    assert [event for _, event, _ in run.spooled()] == [OTHER]


@pytest.mark.parametrize("tail", [["/a"], ["a", "/b"], ["/a", "/b", "/c"]], ids=" ".join)
def test_anything_else_is_a_mistake_in_the_registration(run: Run, tail: list[str]) -> None:
    run.client_tail = tail
    run.failed(f"it was called with {len(tail) + 2} words", "pointsman init")


def test_the_native_client_starts_its_own_daemon_with_a_clean_environment(
    native_client: Path, tmp_path: Path
) -> None:
    program = tmp_path / "bin/pointsman-hook"
    program.parent.mkdir()
    shutil.copy(native_client, program)
    seen = tmp_path / "environ"
    own = program.with_name("pointsman")
    own.write_text(
        f"#!{sys.executable} -IS\nimport json, os, sys\n"
        f"json.dump(dict(os.environ), open({str(seen)!r}, 'w'))\nsys.exit(9)\n"
    )
    own.chmod(0o755)
    run = Run([str(program)], tmp_path)
    run.client_tail = [str(run.state), str(tmp_path / "config")]
    run.failed("could not be started: exit code 9", "pointsman up", misleading(run))
    environ = json.loads(seen.read_text())
    assert environ["POINTSMAN_STATE_DIR"] == str(run.state)
    assert environ["POINTSMAN_CONFIG_DIR"] == str(tmp_path / "config")
    assert environ["HARMLESS"] == "kept"
    led = [name for name in environ if name.startswith(("LD_", "PYTHON", "XDG_"))]
    assert led == []
    assert "POINTSMAN_DAEMON" not in environ


def test_the_python_client_starts_the_real_daemon(tmp_path: Path) -> None:
    run = Run([sys.executable, "-I", "-S", str(SOURCE / "hook.py")], tmp_path)
    run.client_tail = [str(run.state), str(tmp_path / "config")]
    try:
        done = run(stdin=PAYLOAD, env=misleading(run))
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert [row["tool"] for row in query(run.state / "ledger.db", Filter())] == ["Bash"]
        assert not (tmp_path / "evil-ran").exists()
    finally:
        lock = run.state / "daemon.lock"
        if lock.exists() and lock.read_text():
            os.kill(int(lock.read_text()), signal.SIGTERM)
            subprocess.run(["flock", str(lock), "true"], check=True)
