"""Signs that somebody else than an agent is at work in a repository, from ``/proc``.

Asked only where the analysis does not say which files a command writes and no sandbox held it:
then a change in its time may be a person's. What an agent could fake easily does not count: a
process that bears the mark of an agent's session, or that began while the call ran.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pointsman.model.proof import Call
from pointsman.proof.changes import Change

_MOST_PROCESSES = 8192
_MOST_FILES = 4096
_MARKS = (b"CLAUDECODE=", b"CLAUDE_CODE_SESSION_ID=")
"""What a host puts into the environment of everything it starts."""
_IDLE_NS = 10_000_000_000
"""A terminal's time of last input is kept to about eight seconds (Linux, tty_io.c)."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One process. ``terminal`` is the number of its terminal, 0 where it has none."""

    pid: int
    parent: int
    name: str
    cwd: str
    terminal: int
    started_ns: int


class Others:
    """What other processes do in one repository; read once, when it is first asked."""

    def __init__(self, root: str, calls: Sequence[Call], proc: str = "/proc") -> None:
        self._root = root
        self._proc = proc
        self._since = min((call.ran_ns or call.began_ns for call in calls), default=0)
        self._until = max((call.ended_ns for call in calls), default=0) or time.time_ns()
        self._open: dict[str, Process] = {}
        self._present = ""
        self._read = False

    def sign(self, change: Change) -> str:
        """Return what speaks for another hand at this change, or the empty string."""
        after = change.after
        if after is not None and after.owner not in {os.geteuid(), 0} and (
            change.before is None or change.before.owner != after.owner
        ):  # fmt: skip
            return f"it belongs to user {after.owner}"
        if not self._read:
            self._look()
        path = f"{self._root}/{change.path}"
        holder = self._open.get(path) or self._swapped(path)
        if holder is not None:
            return f"process {holder.pid} ({holder.name}) has it open"
        return self._present

    def _look(self) -> None:
        self._read = True
        found = {each.pid: each for each in _processes(self._proc)}
        ours = _agents(found, self._proc)
        terminals = {found[pid].terminal for pid in ours if pid in found}
        for each in found.values():
            began = self._since <= each.started_ns <= self._until
            # What began while the call ran may be the call's own, with its mark taken off.
            if each.pid in ours or each.pid == os.getpid() or (self._since and began):
                continue
            self._files_of(each)
            if (
                _is_in(each.cwd, self._root)
                and each.terminal
                and each.terminal not in terminals
                and self._in_use(each)
            ):
                self._present = f"somebody uses the terminal of process {each.pid} ({each.name})"

    def _files_of(self, each: Process) -> None:
        for target in _targets(f"{self._proc}/{each.pid}/fd"):
            if target.startswith(f"{self._root}/"):
                self._open[target] = each
            if target == "anon_inode:inotify" and not self._present and self._watched(each):
                self._present = f"process {each.pid} ({each.name}) has this directory open"

    def _watched(self, each: Process) -> bool:
        """Whether a process is told of what changes in the root: editors with a file tree are."""
        try:
            at = os.stat(self._root)  # noqa: PTH116 - paths are strings here
        except OSError:
            return False
        wanted = f"ino:{at.st_ino:x} "
        base = f"{self._proc}/{each.pid}/fdinfo"
        return any(wanted in _text(f"{base}/{name}", 65536) for name in _names(base))

    def _in_use(self, each: Process) -> bool:
        with contextlib.suppress(OSError):
            used = os.stat(f"/dev/pts/{_minor(each.terminal)}").st_atime_ns  # noqa: PTH116
            return used >= self._since - _IDLE_NS
        return False

    def _swapped(self, path: str) -> Process | None:
        """Return the editor that says beside a file that it has it open (vim, Emacs)."""
        folder, _, name = path.rpartition("/")
        # A call could write such a file itself; a process that was there before it, it cannot.
        for pid in (_vim(f"{folder}/.{name}.swp"), _emacs(f"{folder}/.#{name}")):
            if pid:
                found = _process(self._proc, pid, _boot_ns(self._proc))
                if found is not None and not (self._since <= found.started_ns <= self._until):
                    return found
        return None


def left_running(session: str, proc: str = "/proc") -> bool:
    """Whether something runs that a call of this session has left behind: it has no parent."""
    mark = b"CLAUDE_CODE_SESSION_ID=" + session.encode("utf-8", "replace") + b"\0"
    for pid in _pids(proc):
        fields = _stat(proc, pid)
        # Whoever's parent has ended is init's: nothing waits for its end any more.
        if fields and fields[1] == "1" and _environment(proc, pid, mark):
            return True
    return False


def born_of(pid: int, proc: str = "/proc") -> int:
    """Return when a process began, in ticks since the machine did; 0 where it is gone."""
    fields = _stat(proc, pid)
    # One that has ended and whose parent has not asked yet is gone as well.
    return int(fields[19]) if fields and fields[0] not in {"Z", "X"} else 0


def _agents(found: Mapping[int, Process], proc: str) -> set[int]:
    """Return what agents have started, and the hosts above it with whoever started those."""
    out: set[int] = set()
    for pid in found:
        if _environment(proc, pid, *_MARKS):
            # A person's terminal is above the host; it is no sign of another hand.
            above = pid
            while above in found and above not in out:
                out.add(above)
                above = found[above].parent
    return out


def _processes(proc: str) -> Iterator[Process]:
    boot = _boot_ns(proc)
    for pid in _pids(proc):
        found = _process(proc, pid, boot)
        if found is not None:
            yield found


def _process(proc: str, pid: int, boot: int) -> Process | None:
    fields = _stat(proc, pid)
    if not fields:
        return None
    cwd = _link(f"{proc}/{pid}/cwd")
    name = _text(f"{proc}/{pid}/comm", 64).strip()
    started = boot + int(fields[19]) * (1_000_000_000 // _TICKS)
    return Process(pid, int(fields[1]), name, cwd, int(fields[4]), started)


def _stat(proc: str, pid: int) -> list[str]:
    """Return the fields of ``stat`` from the state on (proc(5) counts it as the third)."""
    fields = _text(f"{proc}/{pid}/stat", 4096).rpartition(")")[2].split()
    return fields if len(fields) > 20 else []


def _boot_ns(proc: str) -> int:
    for line in _text(f"{proc}/stat", 1024 * 1024).splitlines():
        if line.startswith("btime "):
            return int(line.split()[1]) * 1_000_000_000
    return 0


def _pids(proc: str) -> list[int]:
    return [int(name) for name in _names(proc) if name.isdecimal()][:_MOST_PROCESSES]


def _environment(proc: str, pid: int, *marks: bytes) -> bool:
    try:
        with open(f"{proc}/{pid}/environ", "rb") as file:  # noqa: PTH123 - of many processes
            data = b"\0" + file.read(1024 * 1024)
    except OSError:
        return False
    return any(b"\0" + mark in data for mark in marks)


def _targets(folder: str) -> Iterator[str]:
    for name in _names(folder)[:_MOST_FILES]:
        yield _link(f"{folder}/{name}")


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - as a text, of many processes
    except OSError:
        return ""


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return []


def _text(file: str, most: int) -> str:
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - of many processes
            return opened.read(most).decode("utf-8", "replace")
    except OSError:
        return ""


def _minor(device: int) -> int:
    # The kernel splits a device number so (new_encode_dev): the minor's low byte comes last.
    return (device & 0xFF) | ((device >> 12) & 0xFFF00)


def _is_in(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _vim(file: str) -> int:
    """Return the pid in a swap file: four bytes at offset 24, the lowest first (memline.c)."""
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - beside any changed file
            head = opened.read(28)
    except OSError:
        return 0
    return int.from_bytes(head[24:28], "little") if head.startswith(b"b0") else 0


def _emacs(file: str) -> int:
    """Return the pid in a lock: a link to ``user@host.pid:boot``."""
    pid = _link(file).rpartition(".")[2].partition(":")[0]
    return int(pid) if pid.isdecimal() else 0


Witness = Callable[[str, Sequence[Call]], Callable[[Change], str]]
"""From a repository and the calls in question to what looks for signs of another hand."""


def witness(root: str, calls: Sequence[Call]) -> Callable[[Change], str]:
    """Return what looks for signs of another hand on this machine."""
    return Others(root, calls).sign
