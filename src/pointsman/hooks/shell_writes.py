"""Which files a shell command would change, as far as that can be said before it runs.

An analysis says more than happens: ``cp a b`` is ``b`` and ``b/a``, for it does not look at the
disk. Here we look, so that a guard judges what would really change.
"""

import glob
import os
import posixpath
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from pointsman.model.event import Event, ToolEvent
from pointsman.paths.canonical import real_path
from pointsman.paths.repository import main_repository
from pointsman.shell.analyse import analyse
from pointsman.shell.effects import UNKNOWN, Effect, Kind

SHELL_TOOLS = ("Bash", "Monitor")
"""The tools of a host whose ``command`` is given to a shell."""
_CHANGES = frozenset({Kind.WRITE, Kind.DELETE, Kind.DELETE_TREE, Kind.MOVE, Kind.CHMOD})
_WHOLE = frozenset({Kind.DELETE_TREE, Kind.MOVE})
"""What happens to a directory happens to everything in it."""
_NO_FILE = re.compile(
    r"/dev/(null|zero|full|tty|ptmx|std(in|out|err)|fd/.*|pts/.*|shm(/.*)?)|/proc/(self|\d+)/fd/.*"
)
"""What a command may write to without a file being changed."""
_TEMPORARY = ("/tmp", "/var/tmp", "/private/tmp", "/private/var/folders")  # noqa: S108 - named only
_WILD = re.compile(r"[*?\[]")
_MOST_MATCHES = 2000


@dataclass(frozen=True, slots=True)
class ShellWrite:
    """One thing that a command would change.

    ``path`` is absolute. Of a path that is not known in full it is the last directory that is
    (``partial``). ``whole`` says that everything in the directory goes with it, ``directory``
    that it is a directory that is made, ``removes`` that the name goes and not what it leads to.
    ``construct`` is the command or redirection that does it.
    """

    path: str
    construct: str
    whole: bool = False
    partial: bool = False
    directory: bool = False
    removes: bool = False


def writes_of(event: Event) -> tuple[ShellWrite, ...]:
    """Return what the shell command of this event would change; of any other event, nothing."""
    command = event.tool_input.get("command") if isinstance(event, ToolEvent) else None
    if not isinstance(command, str) or event.tool not in SHELL_TOOLS:
        return ()
    who = event.identity
    home = os.environ.get("HOME", "/")
    return shell_writes(command, who.cwd or "/", home, who.repository or who.cwd or "/")


def shell_writes(command: str, cwd: str, home: str, root: str) -> tuple[ShellWrite, ...]:
    """Return what this command would change.

    Devices are left out, and temporary files, unless home or the repository at ``root`` lie there.
    """
    # Not cached: what it says depends on what is on the disk.
    analysis = analyse(command, cwd=cwd, home=home)
    effects = [each for each in analysis.effects if each.kind in _CHANGES]
    targets = frozenset((each.construct, each.path) for each in effects)
    holders = frozenset((each.construct, posixpath.dirname(each.path)) for each in effects)
    found = (write for each in effects for write in _writes(each, targets, holders))
    # Of a linked worktree the main one is as much a repository.
    kept = (root, main_repository(root), home)
    return tuple(dict.fromkeys(write for write in found if not _is_passing(write, kept)))


_Named = frozenset[tuple[str, str]]


def _writes(effect: Effect, targets: _Named, holders: _Named) -> Iterator[ShellWrite]:
    construct = effect.construct
    if UNKNOWN in effect.path:
        known = effect.path.partition(UNKNOWN)[0].rpartition("/")[0]
        # Where nothing is known of it, it is for the kernel, and for the proof afterwards.
        if known:
            yield ShellWrite(known, construct, partial=True)
        return
    whole = effect.kind in _WHOLE or construct.endswith(" -R")
    for path in _expanded(effect.path):
        if effect.kind is not Kind.WRITE:
            removes = effect.kind is not Kind.CHMOD
            tree = whole and is_directory(path) and not (removes and _is_link(path))
            yield ShellWrite(path, construct, whole=tree, removes=removes)
        elif construct.split(" ")[0] == "mkdir":
            yield ShellWrite(path, construct, directory=True)
        elif is_directory(path):
            # What is written "to" a directory has a name in it, which the analysis may know.
            if (construct, path) not in holders:
                yield ShellWrite(path, construct, partial=True)
        elif not _is_inside_a_file(effect, targets):
            yield ShellWrite(path, construct)


def _is_inside_a_file(effect: Effect, targets: _Named) -> bool:
    """Whether this is the ``b/a`` of ``cp a b`` where ``b`` is no directory."""
    above = posixpath.dirname(effect.path)
    return (effect.construct, above) in targets and not is_directory(above)


def _expanded(path: str) -> Iterator[str]:
    """Yield what a glob stands for on the disk, and the path itself where that is nothing."""
    matches = list(islice(_matches(path), _MOST_MATCHES)) if _WILD.search(path) else []
    yield from matches or [path]


def _matches(path: str) -> Iterator[str]:
    try:
        yield from glob.iglob(path, recursive=True, include_hidden=True)  # noqa: PTH207 - absolute
    except (OSError, re.error, ValueError, RecursionError):
        return


def is_directory(path: str) -> bool:
    """Whether this is a directory; what cannot be looked up is none."""
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def _is_link(path: str) -> bool:
    try:
        return stat.S_ISLNK(Path(path).lstat().st_mode)
    except (OSError, ValueError):
        return False


def _is_passing(write: ShellWrite, kept: tuple[str, ...]) -> bool:
    if _NO_FILE.fullmatch(write.path):
        return True
    real = real_path(write.path)
    if any(real == base or real.startswith(f"{base}/") for base in kept):
        return False
    if write.partial:
        # What `mktemp` has made, or any name in here; it must lead to nothing that is kept.
        if any(base.startswith(f"{real}/") for base in kept):
            return False
        real += "/"
    return any(real.startswith(f"{base}/") for base in _temporary())


@lru_cache(maxsize=1)
def _temporary() -> tuple[str, ...]:
    given = os.environ.get("TMPDIR", "")
    bases = (*_TEMPORARY, given) if given.startswith("/") else _TEMPORARY
    return tuple(dict.fromkeys(os.path.realpath(base) for base in bases))
