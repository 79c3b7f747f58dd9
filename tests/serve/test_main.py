"""Becoming the daemon: one process, its log, its exit code, its watchdog."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pointsman.model.errors import TransportError
from pointsman.model.places import Places
from pointsman.serve import main, state_dir

from .live import COMMAND, Live, until


def test_it_serves_until_it_is_told_to_stop(rig: Live) -> None:
    child = subprocess.Popen([COMMAND, "daemon"], env=rig.env, stderr=subprocess.PIPE, cwd="/")
    until(rig.places.socket.exists, "it listens")
    assert rig.status()["pid"] == child.pid == rig.pid()
    assert Path(f"/proc/{child.pid}/cwd").resolve() == rig.state.resolve()
    child.send_signal(signal.SIGTERM)
    assert child.communicate(timeout=60)[1] == b""
    assert child.returncode == 0
    assert not rig.places.socket.exists()
    assert not state_dir.locked(rig.places)
    assert rig.notes() == ["daemon started", "daemon stopped"]
    log = rig.places.log.read_text()
    assert f" {child.pid} INFO pointsman.daemon daemon started: version " in log
    for path in rig.state.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_where_one_answers_it_ends_at_once(tmp_path: Path) -> None:
    places = Places(state=tmp_path / "s", config=tmp_path)
    state_dir.prepare(places)
    lock = state_dir.take_lock(places)
    assert lock is not None
    listener = state_dir.listen(places)
    assert main.serve(places) == 0
    listener.socket.close()
    os.close(lock)


def test_a_directory_that_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("")
    with pytest.raises(TransportError, match="the state directory"):
        main.serve(Places(state=tmp_path / "s", config=tmp_path))


STANDS_STILL = """
    import threading, time, types
    from pointsman.serve.main import _watch
    _watch(types.SimpleNamespace(heartbeat=time.monotonic() - 1000.0), stalled=0.05)
"""


def test_a_loop_that_stands_still_ends_the_process_with_its_stack() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STANDS_STILL)],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 70
    assert b"in _watch" in done.stderr
