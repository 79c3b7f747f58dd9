"""Which files of a tree are looked at: what git does not ignore, or what is no one's build."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pointsman.code.languages import MOST_BYTES, language_of
from pointsman.code.resolve import is_setting

MOST_FILES = 50_000
"""Files of one tree that are looked at; what comes after them in the order of names is not."""
_GIT_SECONDS = 30.0
_SKIPPED = frozenset({
    "node_modules", ".git", ".hg", ".venv", "venv", "__pycache__", "dist", "build", "out",
    "target", ".tox", ".mypy_cache", ".next", "vendor", "site-packages",
})  # fmt: skip
_MOST_DEPTH = 40
# Settings of the repository must not make git run anything.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


class Stamp(NamedTuple):
    """By what a file is taken for unchanged without reading it."""

    size: int
    mtime_ns: int
    ctime_ns: int


def listed(root: str) -> dict[str, Stamp]:
    """Return the files of a tree that are in one of our languages, or settings, by path."""
    paths = _of_git(root)
    wanted = _walked(root, "", _MOST_DEPTH) if paths is None else paths
    out: dict[str, Stamp] = {}
    for path in wanted:
        if not is_wanted(path):
            continue
        stamp = stamp_of(root, path)
        if stamp is not None:
            out[path] = stamp
        if len(out) == MOST_FILES:
            break
    return out


def is_wanted(path: str) -> bool:
    """Whether a file is in one of our languages, or settings that say where modules lie."""
    return bool(language_of(path)) or is_setting(path)


def stamp_of(root: str, path: str) -> Stamp | None:
    """Return the stamp of a regular file that is not too large; of anything else ``None``."""
    try:
        found = os.stat(f"{root}/{path}", follow_symlinks=False)  # noqa: PTH116 - for each file
    except OSError:
        return None
    regular = found.st_mode & 0o170000 == 0o100000
    if not regular or found.st_size > MOST_BYTES:
        return None
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _of_git(root: str) -> Iterable[str] | None:
    """Return what git tracks, and what is new and not ignored; ``None`` where there is no git."""
    if not os.path.lexists(f"{root}/.git"):
        return None
    command = [*_GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            command, cwd=root, env=environ, capture_output=True, timeout=_GIT_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    if done.returncode != 0:
        return None
    found = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    # A name that is no text could not be kept as one.
    return sorted({path for path in found if path and path.isprintable()})


def _walked(root: str, directory: str, left: int) -> Iterator[str]:
    try:
        with os.scandir(f"{root}/{directory}" if directory else root) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        path = f"{directory}/{entry.name}" if directory else entry.name
        if entry.is_dir(follow_symlinks=False):
            if left and entry.name not in _SKIPPED:
                yield from _walked(root, path, left - 1)
        elif entry.name.isprintable():
            yield path
