"""Which repository a directory belongs to."""

import os
import time
from collections import OrderedDict

from pointsman.paths.content import read_regular

_MARKS = (".git", ".pointsman")
_MOST_LEVELS = 128
_FRESH = 1.0
"""Seconds for which an answer is used again: agents call many times from one directory."""
_MOST_REMEMBERED = 1024
_remembered: OrderedDict[str, tuple[float, str | None]] = OrderedDict()


def repository_root(directory: str) -> str | None:
    """Return the nearest ancestor that holds ``.git`` or ``.pointsman``, or ``None``."""
    if not directory.startswith("/"):
        return None
    now = time.monotonic()
    known = _remembered.get(directory)
    if known is not None and now - known[0] < _FRESH:
        return known[1]
    root = _search(os.path.normpath(directory))
    _remembered[directory] = (now, root)
    if len(_remembered) > _MOST_REMEMBERED:
        _remembered.popitem(last=False)
    return root


def _search(directory: str) -> str | None:
    for _ in range(_MOST_LEVELS):
        # A file is a mark as well: that is what a linked worktree has for `.git`.
        if any(os.path.lexists(f"{directory}/{mark}") for mark in _MARKS):
            return directory
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above
    return None


def is_worktree_of(directory: str, repository: str) -> bool:
    """Whether ``directory`` is the root of a linked git worktree of ``repository``.

    Both must say so: a file that anybody can write into a directory does not move the root that
    contracts are held to.
    """
    ours = _named_in(f"{directory}/.git", "gitdir:")
    if not ours or os.path.dirname(ours) != f"{os.path.realpath(repository)}/.git/worktrees":
        return False
    return _named_in(f"{ours}/gitdir", "") == os.path.realpath(f"{directory}/.git")


def main_repository(root: str) -> str:
    """Return the repository that a linked git worktree belongs to, or the root itself."""
    # A repository's own store is a directory: to see that takes less than to try to read it.
    if os.path.isdir(f"{root}/.git"):
        return root
    main, found, _ = _named_in(f"{root}/.git", "gitdir:").rpartition("/.git/worktrees/")
    return main if found and is_worktree_of(root, main) else root


def _named_in(file: str, prefix: str) -> str:
    """Return the path that one of git's pointer files holds, or the empty string."""
    try:
        # Whoever may write there may also have put a pipe in its place.
        text = read_regular(file, 4096).decode()
    except (OSError, ValueError):
        return ""
    if not text.startswith(prefix):
        return ""
    named = text.removeprefix(prefix).strip()
    return os.path.realpath(os.path.join(os.path.dirname(file), named)) if named else ""


def anchored_root(project: str, cwd: str) -> str | None:
    """Return the repository that a session is held to.

    That is the project's, wherever the agent has gone since, so that ``cd`` leads out of no
    contract; a linked worktree of it counts as itself.
    """
    here = repository_root(cwd)
    # Begun outside every repository, a session is held to the directory it began in.
    anchor = repository_root(project) or (project if project.startswith("/") else None)
    if anchor is None:
        return here
    if here is not None and here != anchor and is_worktree_of(here, anchor):
        return here
    return anchor
