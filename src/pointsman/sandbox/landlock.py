"""The words that have `pointsman-exec` put Landlock over itself and become the command.

Landlock (Linux 5.13) allows rights below a directory and cannot take one back below it. So what
is protected below a writable directory is either reached around, by naming the entries beside it
one by one, or, where new names must be made in that directory, left open and said so.
"""

import os
from collections.abc import Iterator

from pointsman.model.confinement import Confinement, Prefix, Seam
from pointsman.sandbox.order import within

_MOST_ENTRIES = 4096
"""Entries of one directory that are named one by one."""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
            "/dev/ptmx", "/dev/pts", "/dev/shm", "/dev/fuse")  # fmt: skip

_PROC = () if os.geteuid() == 0 else ("/proc",)
"""Root sets there, without any capability, what program the kernel starts (core_pattern)."""


def prefix(confinement: Confinement, seam: Seam) -> Prefix:
    """Return the prefix for Landlock."""
    limits = list(confinement.limits)
    allowed: list[str] = []
    for path in confinement.writable:
        below = [each for each in confinement.protected if within(each, path) and each != path]
        # What lies outside the repository, and the repository in a wider writable directory.
        # A store of git needs new names, wherever it is (a linked worktree's is elsewhere).
        outside = () if ".git" in path.split("/") else below
        around = [each for each in outside if not each.startswith(confinement.root + "/")]
        if path in confinement.protected or _is_held(path, confinement):
            continue
        if around:
            allowed += _beside(path, around)
            limits.append(f"nothing new can be made in {path}: Landlock cannot except {around[0]}")
        elif below:
            more = f" and {len(below) - 1} more" if len(below) > 1 else ""
            limits.append(f"Landlock cannot keep {below[0]}{more} below the writable {path}")
            allowed.append(path)
        else:
            allowed.append(path)
    if confinement.hidden:
        limits.append(f"Landlock cannot hide sockets: {', '.join(confinement.hidden[:5])}")
    limits.append("Landlock has no right for modes, owners and times of files")
    words = [*seam.client, "--landlock"]
    if not confinement.network:
        words.append("no-network")
        limits.append("Landlock closes TCP alone")
    rules = ("+" + each for each in dict.fromkeys((*_DEVICES, *_PROC, *allowed)))
    return Prefix(mechanism="landlock", words=(*words, *rules, "--"), limits=tuple(limits))


def _is_held(path: str, confinement: Confinement) -> bool:
    """Whether a deeper protected entry decides over a writable path."""
    above = [each for each in confinement.protected if within(path, each)]
    wider = [each for each in confinement.writable if within(path, each)]
    return bool(above) and max(map(len, above)) > max(map(len, wider))


def _beside(path: str, kept: list[str]) -> Iterator[str]:
    """Yield what lies in a directory beside the ways to what is kept."""
    try:
        with os.scandir(path) as entries:
            names = [entry.path for _, entry in zip(range(_MOST_ENTRIES), entries, strict=False)]
    except OSError:
        return
    for each in sorted(names):
        through = [one for one in kept if within(one, each)]
        if not through:
            if not os.path.islink(each):
                yield each
        elif each not in through:
            yield from _beside(each, through)
