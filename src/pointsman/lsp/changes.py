"""Which files of a repository have changed on the disk since a server was last told.

An agent changes files behind a server's back, with every edit and every shell command. Servers
leave it to their client to tell them (``workspace/didChangeWatchedFiles``).
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Mapping
from typing import Any

from pointsman.lsp.table import CONFIGURATION, EXTENSIONS
from pointsman.lsp.texts import Stamp, to_uri

_MOST_FILES = 50_000
_MOST_LEVELS = 40
_AGAIN = 0.5
"""Seconds for which a look is good."""
_SHORT = 0.02
"""Seconds of a look that is waited for before a question; a longer one goes on beside it."""
_SKIPPED = frozenset((
    ".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".mypy_cache",
    ".ruff_cache", ".pytest_cache", ".tox", ".next", "target", "vendor",
))  # fmt: skip
_CREATED, _CHANGED, _DELETED = 1, 2, 3

Seen = Mapping[str, tuple[int, int]]


class Changes:
    """Looks at a tree, and says what is different from the look before."""

    def __init__(self, root: str, family: str) -> None:
        self._root = root
        self._family = family
        self._seen: Seen = {}
        self._looked = 0.0
        self._took = 0.0
        self.complete = True
        """Whether all files could be looked at; else there are more than we look at."""

    @property
    def due(self) -> bool:
        """Whether the last look is too old to be relied on."""
        return time.monotonic() - self._looked >= _AGAIN

    @property
    def short(self) -> bool:
        """Whether a look is so short that it is worth waiting for."""
        return self._took <= _SHORT

    def unseen(self, path: str, stamp: Stamp | None) -> bool:
        """Whether a file is not as it was at the last look, of which the server has been told."""
        if stamp is None or path not in self._seen:
            # Gone, or of a kind or a place that is not looked at.
            return path in self._seen
        return self._seen[path] != stamp[:2]

    def first_file(self) -> str:
        """Return the path of a file of the language, the empty string where there is none."""
        candidates = (path for path in self._seen if _family(path) == self._family)
        # What lies deepest in `src` is rather a part of the program than a setting of a tool.
        return max(candidates, key=lambda path: ("/src/" in path, -len(path)), default="")

    async def look(self) -> list[dict[str, Any]]:
        """Look, and return what has changed since the look before, as the protocol says it."""
        self._looked = time.monotonic()
        before = self._seen
        self._seen, self.complete = await asyncio.to_thread(scan, self._root, self._family)
        self._took = time.monotonic() - self._looked
        return [
            {"uri": to_uri(path), "type": kind} for path, kind in _differences(before, self._seen)
        ]


def _differences(before: Seen, now: Seen) -> list[tuple[str, int]]:
    found = [(path, _DELETED) for path in before if path not in now]
    for path, stamp in now.items():
        if path not in before:
            found.append((path, _CREATED))
        elif before[path] != stamp:
            found.append((path, _CHANGED))
    return found


def scan(root: str, family: str) -> tuple[Seen, bool]:
    """Return the files of a language below a directory, and whether those are all."""
    seen: dict[str, tuple[int, int]] = {}
    folders = [(root, 0)]
    while folders and len(seen) <= _MOST_FILES:
        folder, level = folders.pop()
        for entry in _entries(folder):
            if _is_folder(entry):
                if entry.name not in _SKIPPED and level < _MOST_LEVELS:
                    folders.append((entry.path, level + 1))
            elif entry.name in CONFIGURATION or _family(entry.name) == family:
                with contextlib.suppress(OSError):
                    found = entry.stat()
                    seen[entry.path] = (found.st_mtime_ns, found.st_size)
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
