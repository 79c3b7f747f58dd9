"""The words that have bubblewrap build a view of the file system in which a contract holds.

Everything is there and read-only. `pointsman-exec --join` has bubblewrap build that view, enters
it, makes in it what the contract allows writable, and becomes the command itself: no process
stays between host and command, and a bind costs microseconds (bubblewrap 0.8 reads the whole
mount table for each of its own: 2,000 take eleven seconds, measured).
"""

import os
import re
import stat
import time
from collections.abc import Iterator
from functools import lru_cache

from pointsman.model.confinement import Confinement, Prefix, Seam
from pointsman.sandbox.order import in_order
from pointsman.sandbox.seen import Stamp, is_settled, stamp_of

_DEVICES = (
    "console", "fd", "full", "fuse", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
    "stdout", "tty", "urandom", "zero",
)  # fmt: skip
"""What is usable of /dev where bubblewrap stays and the user could write to a disk."""
_DANGEROUS = re.compile(
    r"(mem|kmem|port|sg\d+|nvme\d+|uinput|hidraw\d+|loop-control|kmsg"
    r"|btrfs-control|raw\d*|mtd\d+.*|vhost-.*)$"
)
"""Character devices that write disks, memory or another's terminal, by their name in /dev."""
_KERNEL = ("acpi", "bus", "fs", "irq", "scsi", "sys", "sysrq-trigger")
"""What root sets in /proc without any capability; core_pattern alone names a program to run."""
_MOST_STAYING = 100
"""Binds that bubblewrap makes by itself, where it cannot be joined: they take 40 ms."""


def prefix(confinement: Confinement, seam: Seam) -> Prefix:
    """Return the prefix for bubblewrap."""
    view = (seam.program, *_user(seam), *_view(confinement, seam))
    network = () if confinement.network else ("--unshare-net",)
    if not seam.stays:
        rules = tuple(_rules(confinement, seam.disks))
        words = (*seam.client, "--join", *rules, "--", *view, *network, "--")
        return Prefix(mechanism="bubblewrap", words=words, limits=confinement.limits)
    binds, limits = _binds(confinement)
    # Root in a user namespace could undo every mount in it; --join drops its powers itself.
    words = (*view, *binds, *network, "--cap-drop", "ALL", "--")
    note = "a process of bubblewrap stays above the command: a signal to it alone is not passed on"
    return Prefix(mechanism="bubblewrap", words=words, limits=(*confinement.limits, *limits, note))


def _user(seam: Seam) -> tuple[str, ...]:
    # Root without a user namespace keeps its capabilities in bubblewrap; --join takes them away.
    return ("--unshare-user",) if seam.new_user else ()


def _disks() -> tuple[str, ...]:
    """Return the devices that lead past every mount."""
    stamp = stamp_of("/dev")
    # A device that comes or goes changes the directory: otherwise they are those of before.
    return _disks_at(stamp) if is_settled(stamp, time.time_ns()) else _disks_at.__wrapped__(stamp)


@lru_cache(maxsize=1)
def _disks_at(_stamp: Stamp) -> tuple[str, ...]:
    with os.scandir("/dev") as entries:
        return tuple(sorted(entry.path for entry in entries if _is_disk(entry)))


def _is_disk(entry: "os.DirEntry[str]") -> bool:
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except OSError:
        return False  # It was unplugged meanwhile.
    return stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and _DANGEROUS.match(entry.name) is not None)


def _view(confinement: Confinement, seam: Seam) -> Iterator[str]:
    # Over the root itself nothing can be put later.
    yield from ("--bind" if "/" in confinement.writable else "--ro-bind", "/", "/")
    if seam.disks and seam.stays:
        for name in _DEVICES:
            if os.path.exists(f"/dev/{name}") and not os.path.islink(f"/dev/{name}"):
                yield from ("--dev-bind", f"/dev/{name}", f"/dev/{name}")
    else:
        yield from ("--dev-bind", "/dev", "/dev")
    yield from ("--bind", "/proc", "/proc")
    if os.geteuid() == 0 and seam.stays:
        for name in _KERNEL:
            yield from ("--ro-bind-try", f"/proc/{name}", f"/proc/{name}")


def _rules(confinement: Confinement, disks: bool) -> Iterator[str]:
    if disks:
        # A device can be opened all the same; what root must not do is replace one.
        yield "-/dev"
        yield from (f"~{path}" for path in _disks())
    if os.geteuid() == 0:
        # Not by bubblewrap, which takes a tenth of a millisecond for each.
        yield from (f"-/proc/{name}" for name in _KERNEL if os.path.exists(f"/proc/{name}"))
    for path, writable in in_order(confinement):
        if path == "/":
            continue
        yield ("+" if writable else "-") + path
    for path in confinement.hidden:
        yield "!" + path


def _binds(confinement: Confinement) -> tuple[tuple[str, ...], tuple[str, ...]]:
    words: list[str] = []
    limits: tuple[str, ...] = ()
    entries = [each for each in in_order(confinement) if each[0] != "/"]
    if len(entries) > _MOST_STAYING:
        # Closed: what is too much to protect is not made writable in the first place.
        entries = [each for each in entries if not _below_root(each[0], confinement)]
        limits = (f"more than {_MOST_STAYING} paths: nothing in the repository may be written",)
    for path, writable in entries:
        words += ["--bind" if writable else "--ro-bind", path, path]
    for path in confinement.hidden:
        words += ["--ro-bind", "/dev/null", path]
    return tuple(words), limits


def _below_root(path: str, confinement: Confinement) -> bool:
    return path.startswith(confinement.root + "/")
