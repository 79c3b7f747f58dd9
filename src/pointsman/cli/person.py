"""Who types: a person at a terminal, not an agent that answers its own question.

Self-protection stops an agent's shell command that would do that. This is the second look, at
where the command runs: inside a session that has asked, it is refused.
"""

import getpass
import os
import time
from collections.abc import Iterator
from pathlib import Path

from pointsman.model.errors import ApprovalError
from pointsman.store.approvals import Approvals

_SESSION = "CLAUDE_CODE_SESSION_ID"
_LOOKED_AT_NS = 7 * 86_400 * 10**9
_MOST_ANCESTORS = 64


def answering(store: Approvals) -> str:
    """Return who answers, for the record: the user and the terminal.

    Raises:
        ApprovalError: this runs inside a session that has put questions itself.
    """
    askers = store.askers(time.time_ns() - _LOOKED_AT_NS)
    own = os.environ.get(_SESSION, "")
    pids = {pid: asked_ns for _, pid, asked_ns in askers if pid > 1}
    inside = bool(own) and any(session == own for session, _, _ in askers)
    if inside or any(_asked(pid, pids.get(pid, 0)) for pid in _ancestors()):
        raise ApprovalError(
            "this runs inside an agent's session that has put questions itself; an agent does "
            "not answer them, and a person not from inside of it",
            fix="type it in a terminal of your own",
        )
    return f"{_user()}, {_terminal()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.geteuid()}"


def _terminal() -> str:
    try:
        return os.ttyname(0)
    except OSError:
        return "no terminal"


def _asked(pid: int, asked_ns: int) -> bool:
    """Whether this process is the one that asked then, and not another with its old number."""
    return asked_ns > 0 and _started_ns(pid) <= asked_ns


def _ancestors() -> Iterator[int]:
    pid = os.getppid()
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
