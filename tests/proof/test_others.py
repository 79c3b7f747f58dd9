"""Signs of another hand, from processes that really run and from a made-up /proc."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.model.proof import Call
from pointsman.proof.changes import Change
from pointsman.proof.others import Others, left_running
from pointsman.proof.tree import FILE, Entry, Stamp

_HOLD = "import sys,time; f = open(sys.argv[1]); print(1, flush=True); time.sleep(60)"
_WATCH = """
import ctypes, sys, time
libc = ctypes.CDLL(None)
libc.inotify_add_watch(libc.inotify_init(), sys.argv[1].encode(), 2)
print(1, flush=True); time.sleep(60)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = Path(os.path.realpath(tmp_path)) / "r"
    made.mkdir()
    (made / "t.py").write_text("x")
    return made


class Running:
    """A process that is ended with the test."""

    def __init__(self, code: str, path: Path, **environment: str) -> None:
        clean = {name: value for name, value in os.environ.items() if "CLAUDE" not in name}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE,
            env={**clean, **environment}, cwd="/",
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"1\n"

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def running() -> Iterator[list[Running]]:
    made: list[Running] = []
    yield made
    for each in made:
        each.end()


def change(path: str = "t.py", owner: int | None = None) -> Change:
    mine = os.geteuid() if owner is None else owner
    after = Entry(FILE, 0o644, "x", Stamp(1, 1, 1, 1, 1), mine, True)
    return Change(path, None, after)


def call(began_ns: int, ended_ns: int) -> Call:
    return Call(root="/r", session="s", agent="a", id="c", began_ns=began_ns, ended_ns=ended_ns)


def later() -> Call:
    """Return a call that begins now: the processes of the test were there before."""
    time.sleep(1.1)  # What /proc says of a start is exact to a second at worst.
    now = time.time_ns()
    return call(began_ns=now, ended_ns=now)


def sign(root: Path, of: Change | None = None, during: Call | None = None) -> str:
    return Others(str(root), [during or later()]).sign(of or change())


def test_nobody(root: Path) -> None:
    assert sign(root) == ""


def test_a_process_that_has_the_file_open(root: Path, running: list[Running]) -> None:
    running.append(Running(_HOLD, root / "t.py"))
    assert "has it open" in sign(root)
    assert sign(root, change("other.py")) == ""


def test_an_agents_own_process_and_one_that_began_with_the_call_do_not_count(
    root: Path, running: list[Running]
) -> None:
    running.append(Running(_HOLD, root / "t.py", CLAUDECODE="1"))
    assert sign(root) == ""
    began = time.time_ns() - 2_000_000_000
    running.append(Running(_HOLD, root / "t.py"))
    assert sign(root, during=call(began_ns=began, ended_ns=began + 60_000_000_000)) == ""


def test_an_editor_that_watches_the_directory(root: Path, running: list[Running]) -> None:
    running.append(Running(_WATCH, root))
    assert "has this directory open" in sign(root)


def test_the_host_above_an_agent_may_watch_it(root: Path, running: list[Running]) -> None:
    # The host watches the project, and starts what bears its mark.
    host = _WATCH.replace(
        "print(1",
        "import subprocess, os\n"
        "c = subprocess.Popen(['sleep', '60'], env={**os.environ, 'CLAUDECODE': '1'})\n"
        "import atexit, signal; signal.signal(15, lambda *_: (c.kill(), c.wait(), sys.exit()))\n"
        "print(1",
    )
    made = Running(host, root)
    try:
        assert sign(root) == ""
    finally:
        made.process.terminate()
        made.process.communicate()


def test_swap_and_lock_files_of_a_living_editor(root: Path, running: list[Running]) -> None:
    running.append(Running(_HOLD, Path("/dev/null")))
    pid = running[0].process.pid
    (root / ".t.py.swp").write_bytes(b"b0VIM 9.1\0".ljust(24, b"\0") + pid.to_bytes(4, "little"))
    assert f"process {pid}" in sign(root)
    (root / ".t.py.swp").write_bytes(b"b0VIM 9.1\0".ljust(24, b"\0") + b"\xff\xff\xff\x7f")
    assert sign(root) == ""
    (root / ".#t.py").symlink_to(f"me@host.{pid}:17")
    assert f"process {pid}" in sign(root)


def test_a_file_of_another_user(root: Path) -> None:
    assert sign(root, change(owner=4242)) == "it belongs to user 4242"


def made_up(proc: Path, pid: int, parent: int, environment: bytes) -> None:
    (proc / str(pid)).mkdir(parents=True)
    (proc / f"{pid}/environ").write_bytes(environment)
    (proc / f"{pid}/stat").write_text(f"{pid} (a) b) S {parent} " + "0 " * 40)


def test_what_a_session_has_left_running(tmp_path: Path) -> None:
    made_up(tmp_path, 1, 0, b"")
    made_up(tmp_path, 10, 5, b"A=1\0CLAUDE_CODE_SESSION_ID=one\0")
    made_up(tmp_path, 11, 1, b"CLAUDE_CODE_SESSION_ID=two\0")
    assert left_running("two", str(tmp_path))
    assert not left_running("one", str(tmp_path))
    assert not left_running("tw", str(tmp_path))
