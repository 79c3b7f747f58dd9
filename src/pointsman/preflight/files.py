"""The files of a project: found once, bounded, and read when somebody asks."""

import os
from pathlib import Path

MOST_FILES = 20_000
MOST_BYTES = 1024 * 1024
_MOST_KEPT = 64
_PASSED_OVER = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".nox",
     ".mypy_cache", ".pytest_cache", ".ruff_cache", ".terraform", ".next", ".nuxt", "dist",
     "build", "target", "vendor", "site-packages", ".serverless", ".aws-sam", ".idea", ".vscode"}
)  # fmt: skip
"""Directories whose content is made or fetched: nobody names a variable there by hand."""


class Tree:
    """The files below one directory. Links are not followed, nor are nested repositories."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.left_out = ""
        """Why not every file is among them, where there are too many."""
        self._kept: dict[str, bytes] = {}
        self._names = tuple(sorted(self._walk()))

    @property
    def names(self) -> tuple[str, ...]:
        """Every file that was found, sorted."""
        return self._names

    def read(self, name: str) -> bytes:
        """Return a file's content; empty where it cannot be read or is too large."""
        if name not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[name] = self._content(self.root / name)
        return self._kept[name]

    def _content(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError:
            return b""
        return b"" if len(data) > MOST_BYTES or b"\0" in data[:4096] else data

    def _walk(self) -> list[str]:
        found: list[str] = []
        for folder, folders, names in os.walk(self.root):
            if folder != str(self.root) and ".git" in (*folders, *names):
                folders.clear()
                continue
            folders[:] = sorted(each for each in folders if _is_own(folder, each))
            base = os.path.relpath(folder, self.root)
            for name in sorted(names):
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink():
                    found.append(name if base == "." else f"{base}/{name}")
            if len(found) > MOST_FILES:
                self.left_out = f"there are more than {MOST_FILES} files; the rest was not read"
                return found[:MOST_FILES]
        return found


def _is_own(folder: str, name: str) -> bool:
    return name not in _PASSED_OVER and not Path(folder, name).is_symlink()
