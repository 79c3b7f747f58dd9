"""A real daemon in a state directory of the test's, real clients, and the ledger to look into."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pointsman.model.places import Places
from pointsman.serve import state_dir
from pointsman.store import query

COMMAND = Path(sysconfig.get_path("scripts"), "pointsman")
SOURCE = Path(__file__).parents[2] / "src/pointsman/client/hook.py"
TWIN = [sys.executable, "-I", "-S", str(SOURCE)]
GUARD, OTHER = "PreToolUse", "PostToolUse"
HARMLESS, FORBIDDEN = "ls", "rm -rf /"
GENEROUS = 60.0


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition, with a generous limit."""
    deadline = time.monotonic() + GENEROUS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"it never came true: {what}")
        time.sleep(0.01)


def payload(call: str, command: str = HARMLESS, event: str = GUARD, **more: object) -> bytes:
    """Return what the host would send for a shell command."""
    value = {
        "hook_event_name": event,
        "session_id": "live",
        "cwd": "/",
        "tool_name": "Bash",
        "tool_input": {"command": command},
        "tool_use_id": call,
        **more,
    }
    return json.dumps(value).encode()


class Live:
    """Starts clients on a state directory; the first one starts the daemon."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.places = Places(state=self.state, config=folder / "config" / "pointsman")
        self.client = TWIN
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "POINTSMAN_STATE_DIR": str(self.state),
            "POINTSMAN_DAEMON": str(COMMAND),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }

    def send(
        self, data: bytes, event: str = GUARD, *, host: str = "claude-code", **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Deliver one event as the host would."""
        env: Mapping[str, str] = {**self.env, **more.pop("env", {})}
        words = [*self.client, host, event]
        return subprocess.run(
            words, input=data, capture_output=True, env=env, timeout=120, check=False, **more
        )

    def call(self, call: str, command: str = HARMLESS) -> subprocess.CompletedProcess[bytes]:
        """Deliver one shell command at a guard event."""
        return self.send(payload(call, command))

    def command(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of ours."""
        return subprocess.run(
            [COMMAND, *words], capture_output=True, text=True, env=self.env, check=False,
            timeout=120, cwd=self.folder, **more,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """Return the status as a script would read it."""
        done = self.command("status", "--json")
        assert done.returncode == 0, done.stderr
        value: dict[str, Any] = json.loads(done.stdout)
        return value

    def rows(self, path: Path | None = None) -> list[dict[str, Any]]:
        """Return every row of the ledger."""
        return list(query.query(path or self.places.ledger, query.Filter()))

    def last(self) -> dict[str, Any]:
        """Return the newest row that a client delivered."""
        return [row for row in self.rows() if row["transport"] != "derived"][-1]

    def calls(self) -> list[str | None]:
        """Return the calls on record, in order, without what was derived from them."""
        derived = {"PreEdit", "WatchFinding"}
        return [row["tool_use_id"] for row in self.rows() if row["event"] not in derived]

    def notes(self) -> list[str]:
        """Return the kinds of what the daemon said of itself."""
        return [note["kind"] for note in query.notes(self.places.ledger)]

    def pid(self) -> int:
        """Return the process that holds the lock."""
        found = state_dir.holder(self.places)
        assert found is not None
        return found

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the daemon, if one runs, and wait until it is gone."""
        if self.state.is_dir() and state_dir.locked(self.places):
            pid = self.pid()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, number)
            until(lambda: not alive(pid), f"process {pid} is gone")


def started_in(state: Path) -> list[int]:
    """Return the processes that stand in a state directory: only ours and our clients' do."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and str((entry / "cwd").readlink()).startswith(str(state)):
                found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the second: it ended between open and read
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


@contextlib.contextmanager
def live(folder: Path) -> Iterator[Live]:
    """Give a state directory, and leave no daemon behind.

    Not even one that is still starting up: it would find the lock free when the first has ended.
    """
    rig = Live(folder)
    try:
        yield rig
    finally:
        rig.kill()
        while late := started_in(rig.state):
            for pid in late:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
