"""Whether a process belongs to a session that has put questions itself: it answers none."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from pointsman.store.approvals import Approvals

_LOOKED_AT_NS = 7 * 86_400 * 10**9
_MOST_ANCESTORS = 64


def is_inside(store: Approvals, pid: int, session: str = "") -> bool:
    """Whether this process, or one that it descends from, is a host that has asked.

    ``session`` is the session that the process says it runs in, empty where it says nothing.

    Raises:
        ApprovalError: the approvals cannot be read.
    """
    askers = store.askers(time.time_ns() - _LOOKED_AT_NS)
    pids = {host: asked_ns for _, host, asked_ns in askers if host > 1}
    if session and any(asked == session for asked, _, _ in askers):
        return True
    return any(_asked(each, pids.get(each, 0)) for each in ancestors(pid))


def _asked(pid: int, asked_ns: int) -> bool:
    """Whether this process is the one that asked then, and not another with its old number."""
    return asked_ns > 0 and _started_ns(pid) <= asked_ns


def ancestors(pid: int) -> Iterator[int]:
    """Yield a process and what it descends from, at most 64 of them."""
    for _ in range(_MOST_ANCESTORS):
        if pid <= 1:
            return
        yield pid
        fields = _stat(pid)
        pid = int(fields[1]) if len(fields) > 1 else 0


def _started_ns(pid: int) -> int:
    fields = _stat(pid)
    if len(fields) < 20:
        return time.time_ns()
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time_ns() - int((time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot) * 1e9)


def _stat(pid: int) -> list[str]:
    """Return what the kernel says of a process, behind its name, which may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
