"""Find and end the processes that a session left behind, by a mark in their environment.

The coding agent starts its tools in sessions of their own, so ending one process group is not
enough. Whatever descends from a session inherits ``MARK``; a process that was given an empty
environment is not found.
"""

import os
import signal
import time
from pathlib import Path

MARK = "POINTSMAN_RIG_SESSION"
_POLL_S = 0.01


def marked(prefix: str) -> list[int]:
    """Return the ids of the living processes whose mark begins so, lowest first."""
    own = os.getpid()
    pids = sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if pid != own and _carries(pid, prefix)]


def end_marked(prefix: str) -> None:
    """Kill every process whose mark begins so, those they start meanwhile too."""
    while pids := marked(prefix):
        for pid in pids:
            _kill(pid, prefix)
        time.sleep(_POLL_S)


def _carries(pid: int, prefix: str) -> bool:
    """Tell whether a process is marked; one that has ended has no environment left."""
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    needle = f"{MARK}={prefix}".encode()
    return any(entry.startswith(needle) for entry in environ.split(b"\0"))


def _kill(pid: int, prefix: str) -> None:
    """Kill through a handle: the id may have gone to another process since it was listed."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if _carries(pid, prefix):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
