"""Which files of a repository have changed on the disk since a server was last told.

An agent changes files behind a server's back, with every edit and every shell command. Servers
leave it to their client to tell them (``workspace/didChangeWatchedFiles``).
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from pointsman.lsp.table import CONFIGURATION, EXTENSIONS
from pointsman.lsp.texts import Stamp, stamp, to_uri
from pointsman.lsp.watches import Watches
from pointsman.model.errors import ServerError

_MOST_FILES = 50_000
_MOST_LEVELS = 40
_AGAIN = 0.5
"""Seconds for which a look is good, where the kernel does not tell of changes."""
_SKIPPED = frozenset((
    ".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".mypy_cache",
    ".ruff_cache", ".pytest_cache", ".tox", ".next", "target", "vendor",
))  # fmt: skip
CREATED, _CHANGED, _DELETED = 1, 2, 3

Seen = Mapping[str, Stamp]
Change = dict[str, Any]


class Changes:
    """Knows what is different in a tree from what a server was last told.

    The kernel says so where it can; else the tree is looked at again.
    """

    def __init__(self, root: str, family: str) -> None:
        self._root = root
        self._family = family
        self._seen: dict[str, Stamp] = {}
        self._looked = 0.0
        self._watches: Watches | None = None
        self.looked = False
        """Whether the first look is done, against which changes are held."""
        self.complete = True
        """Whether all files could be looked at; else there are more than we look at."""

    @property
    def watched(self) -> bool:
        """Whether the kernel tells of changes."""
        return self._watches is not None

    async def look(self) -> list[Change]:
        """Look at the whole tree, and return what has changed, as the protocol says it."""
        self._looked = time.monotonic()
        if not self.looked:
            with contextlib.suppress(ServerError):
                self._watches = Watches()
        seen, self.complete = await asyncio.to_thread(scan, self._root, self._family, self._watch)
        before, self._seen = self._seen, seen
        self.looked = True
        return [_told(path, kind) for path, kind in _differences(before, seen)]

    def heard(self) -> tuple[list[Change], bool]:
        """Return what the kernel has told since the last call, and whether to look at all anew.

        Without its help that is so where the last look is too old.
        """
        if self._watches is None:
            return [], time.monotonic() - self._looked >= _AGAIN
        files, anew = self._watches.changed()
        found = []
        for path in files:
            if _matters(path.rpartition("/")[2], self._family):
                kind = self._note(path)
                found += [_told(path, kind)] if kind else []
        return found, anew

    def unseen(self, path: str, now: Stamp | None) -> bool:
        """Whether a file is not as it was when the server was last told."""
        if now is None or path not in self._seen:
            # Gone, or of a kind or a place that is not looked at.
            return path in self._seen
        return self._seen[path] != now

    def first_file(self) -> str:
        """Return the path of a file of the language, the empty string where there is none."""
        candidates = (path for path in self._seen if _family(path) == self._family)
        # What lies in `src` is rather a part of the program than a setting of a tool.
        return max(candidates, key=lambda path: ("/src/" in path, -len(path)), default="")

    def close(self) -> None:
        """Watch no more."""
        watches, self._watches = self._watches, None
        if watches is not None:
            watches.close()

    def _watch(self, folder: str) -> None:
        """Watch a directory before it is read: what changes in between is told of twice."""
        if self._watches is not None:
            try:
                self._watches.add((folder,))
            except ServerError:
                self.close()

    def _note(self, path: str) -> int:
        """Take note of what has become of a file; return what that is called, 0 for nothing."""
        now, before = stamp(path), self._seen.get(path)
        if now == before:
            return 0
        if now is None:
            del self._seen[path]
            return _DELETED
        self._seen[path] = now
        return CREATED if before is None else _CHANGED


def _told(path: str, kind: int) -> Change:
    return {"uri": to_uri(path), "type": kind}


def _matters(name: str, family: str) -> bool:
    return name in CONFIGURATION or _family(name) == family


def _differences(before: Seen, now: Seen) -> list[tuple[str, int]]:
    gone = [(path, _DELETED) for path in before if path not in now]
    new = [(path, CREATED) for path in now if path not in before]
    other = [(path, _CHANGED) for path in now if before.get(path, now[path]) != now[path]]
    return [*gone, *new, *other]


def scan(
    root: str, family: str, watch: Callable[[str], None] = lambda _folder: None
) -> tuple[dict[str, Stamp], bool]:
    """Return the files of a language below a directory, and whether those are all."""
    seen: dict[str, Stamp] = {}
    folders = [(root, 0)]
    while folders and len(seen) <= _MOST_FILES:
        folder, level = folders.pop()
        watch(folder)
        for entry in _entries(folder):
            if _is_folder(entry):
                if entry.name not in _SKIPPED and level < _MOST_LEVELS:
                    folders.append((entry.path, level + 1))
            elif _matters(entry.name, family) and (found := stamp(entry.path)):
                seen[entry.path] = found
    return seen, len(seen) <= _MOST_FILES


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _entries(folder: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _family(name: str) -> str:
    return EXTENSIONS.get(os.path.splitext(name)[1], ("", ""))[0]
