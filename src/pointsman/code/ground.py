"""The files of a tree as resolvers ask for them: on the disk, or in a list of what there is."""

import json
import os
import re
from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Protocol

from pointsman.paths.content import read_regular

_MOST_CONFIG = 256 * 1024
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')
_INDEX_NAMES = frozenset({"index", "__init__", "mod", "lib", "main"})


class Files(Protocol):
    """The files that there are."""

    def is_file(self, path: str, /) -> bool:
        """Whether there is such a file."""

    def is_directory(self, path: str, /) -> bool:
        """Whether there is a file in such a directory; the empty path is the root."""


class Listed:
    """Files by their names in a list."""

    def __init__(self, paths: Collection[str]) -> None:
        self._paths = paths

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""
        return path in self._paths

    def is_directory(self, path: str) -> bool:
        """Whether there is a file in such a directory; the empty path is the root."""
        return path in self._directories

    @cached_property
    def _directories(self) -> frozenset[str]:
        return _above(self._paths)


class Ground:
    """A tree of files; every path is relative to its root, with ``/`` and no ``..``.

    With ``files`` what is not among them does not exist; without, the disk is asked. ``settings``
    are the files on which it hangs where modules lie, wherever they are.
    """

    def __init__(self, root: str, files: Files | None = None, settings: Iterable[str] = ()) -> None:
        self.root = root
        self.files = files
        self.settings = tuple(sorted(settings))
        self.asked: set[str] = set()
        """Stems (``stem_of_path``) of what was asked for: others of these change no answer."""
        self._read: dict[str, Any] = {}

    def is_file(self, path: str) -> bool:
        """Whether there is such a file in the tree."""
        self.asked.add(stem_of_path(path))
        return self.lies(path)

    def lies(self, path: str) -> bool:
        """Whether there is such a file in the tree, without a note that it was asked."""
        if self.files is not None:
            return self.files.is_file(path)
        return not path.startswith("..") and os.path.isfile(f"{self.root}/{path}")  # noqa: PTH113

    def is_directory(self, path: str) -> bool:
        """Whether there is such a directory in the tree; the empty path is the root."""
        self.asked.add(path.rpartition("/")[2])
        if self.files is not None:
            return self.files.is_directory(path)
        return not path.startswith("..") and os.path.isdir(f"{self.root}/{path}")  # noqa: PTH112

    def text(self, path: str) -> str:
        """Return the text of a settings file, or the empty string; it need not be listed."""
        if not inside(path):
            return ""
        try:
            return read_regular(f"{self.root}/{path}", _MOST_CONFIG).decode("utf-8-sig")
        except (OSError, ValueError):
            return ""

    def json(self, path: str) -> dict[str, Any]:
        """Return a JSON object, comments and trailing commas allowed; of anything else ``{}``."""
        if path not in self._read:
            self._read[path] = loose_json(self.text(path))
        value: dict[str, Any] = self._read[path]
        return value

    def nearest(self, path: str, *names: str) -> str:
        """Return the first of these files in the directory of ``path`` or above it, or ``""``."""
        for above in PurePosixPath(path).parents:
            for name in names:
                found = str(above / name)
                if self._is_there(found):
                    return found
        return ""

    def _is_there(self, path: str) -> bool:
        return os.path.isfile(f"{self.root}/{path}")  # noqa: PTH113 - once for every directory


def _above(paths: Collection[str]) -> frozenset[str]:
    found = {""}
    for path in paths:
        above = path.rpartition("/")[0]
        while above not in found:
            found.add(above)
            above = above.rpartition("/")[0]
    return frozenset(found)


def loose_json(text: str) -> dict[str, Any]:
    """Return what a JSON file with comments and trailing commas says, if that is an object."""
    bare = _COMMENT.sub(lambda match: match[1] or " ", text)
    try:
        value = json.loads(_TRAILING.sub(lambda match: match[1] or "", bare))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def joined(directory: str, path: str) -> str:
    """Return a path against a directory, both relative to the root; it may begin with ``..``."""
    whole = os.path.normpath(f"{directory}/{path}" if directory else path)
    return "" if whole == "." else whole.lstrip("/")


def inside(path: str) -> bool:
    """Whether a path leads nowhere outside the root."""
    return path != ".." and not path.startswith(("../", "/"))


def stem_of_path(path: str) -> str:
    """Return the part of a file's path by which imports may mean it."""
    above, _, last = path.rpartition("/")
    name = last.partition(".")[0]
    if name in _INDEX_NAMES or path.endswith(".go"):
        return above.rpartition("/")[2]
    return name


def parent(path: str) -> str:
    """Return the directory of a path, the root as the empty string."""
    return path.rpartition("/")[0]
