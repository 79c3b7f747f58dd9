import os
import time
from pathlib import Path

import pytest

from pointsman.agents.claude_version import Client, ask_version, installed
from pointsman.model.errors import HostError


def program(path: Path, body: str = "echo '2.1.330 (Claude Code)'") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_says_its_version(tmp_path: Path) -> None:
    claude = program(tmp_path / "claude")
    assert ask_version(claude, {}) == Client(claude, (2, 1, 330))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("echo hello", "says b'hello"),
        ("exit 1", "says b''"),
        ("echo 1.2", "says b'1.2"),
        ("exec /no/such/program", "says b''"),
    ],
)
def test_says_something_else(tmp_path: Path, body: str, problem: str) -> None:
    client = ask_version(program(tmp_path / "claude", body), {"PATH": "/usr/bin:/bin"})
    assert client.version is None
    assert problem in client.problem


def test_cannot_be_started(tmp_path: Path) -> None:
    claude = tmp_path / "claude"
    claude.write_bytes(b"\x7fnothing")
    claude.chmod(0o755)
    assert "cannot be started" in ask_version(claude, {}).problem


def test_a_client_that_hangs_is_ended_with_everything_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    body = f"sleep 600 & echo $! $$ > {pids}.part; mv {pids}.part {pids}; wait"
    claude = program(tmp_path / "claude", body)
    client = ask_version(claude, {"PATH": "/usr/bin:/bin"}, within=4.0)
    assert client.version is None
    assert "more than 4 seconds" in client.problem
    for pid in pids.read_text().split():
        ends(int(pid))


def ends(pid: int) -> None:
    """Wait until a killed process is gone; the kernel takes its time on a busy machine."""
    deadline = time.monotonic() + 30
    while runs(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_the_one_on_the_path_comes_first_and_none_twice(tmp_path: Path) -> None:
    first = program(tmp_path / "bin/claude")
    (tmp_path / "again").mkdir()
    (tmp_path / "again/claude").symlink_to(first)
    (tmp_path / "empty/claude").mkdir(parents=True)
    home = tmp_path / "home"
    local = program(home / ".local/bin/claude", "echo 2.1.200")
    nvm = program(home / ".nvm/versions/node/v22/bin/claude", "echo 2.0.1")
    npm = program(tmp_path / "npm/bin/claude", "echo 2.1.0")
    elsewhere = program(tmp_path / "opt/claude", "echo 1.0.0")
    directories = [str(tmp_path / name) for name in ("empty", "bin", "again")]
    path = os.pathsep.join(["", "relative", *directories])
    environ = {"PATH": path, "NPM_CONFIG_PREFIX": str(tmp_path / "npm")}
    assert installed(environ, home, elsewhere=[str(elsewhere)]) == (
        Client(first, (2, 1, 330)),
        Client(npm, (2, 1, 0)),
        Client(local, (2, 1, 200)),
        Client(nvm, (2, 0, 1)),
        Client(elsewhere, (1, 0, 0)),
    )


def test_none_is_an_error_with_its_fix(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="not installed here") as caught:
        installed({"PATH": str(tmp_path)}, tmp_path, elsewhere=())
    assert "npm install" in caught.value.fix
