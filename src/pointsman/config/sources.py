"""Which files a hook is made of, and the hash of each."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.model.policy import DeclaredHook
from pointsman.paths.content import digest

UNSURE = "!"
"""What the hash of a file begins with that cannot be hashed: such a one is never trusted."""

MOST_FILES = 1000
_SETTLED_NS = 1_000_000_000
"""Age from which a stamp stands for the content: clocks of file systems tick coarsely."""
_SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/nix/")
_Stamp = tuple[int, int, int, int]


@dataclass(slots=True)
class Sources:
    """Hashes files, again only where they have changed."""

    _known: dict[str, tuple[_Stamp, str]] = field(default_factory=dict)

    def of_folder(self, folder: Path) -> dict[str, str]:
        """Return the hash of every file of a hooks folder, by its path."""
        return {str(path): self.hash(str(path)) for path in files_of(folder)}

    def of_command(self, hook: DeclaredHook) -> dict[str, str]:
        """Return the hash of every file that a command names, but for the system's own."""
        return {name: self.hash(name) for name in named_files(hook)}

    def hash(self, name: str) -> str:
        """Return the hash of a file, or something that begins with ``UNSURE``."""
        try:
            # Before the file is read: what changes meanwhile shows the next time.
            found = os.stat(name)  # noqa: PTH116 - for every hook file on every reload
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns)
            known = self._known.get(name)
            if known is not None and known[0] == stamp:
                return known[1]
            value = digest(name)
        except OSError as error:
            return f"{UNSURE}{error.strerror}"
        if time.time_ns() - found.st_ctime_ns > _SETTLED_NS:
            self._known[name] = (stamp, value)
        return value


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of a hooks folder, at the most ``MOST_FILES``; caches are no part of it."""
    count = 0
    # Links to folders are not followed: they would bring in what nobody has looked at.
    for parent, folders, names in os.walk(folder):
        # Byte code changes by itself, and no hook is run from it.
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                return
            yield Path(parent, name)


def named_files(hook: DeclaredHook) -> list[str]:
    """Return the files that a command's words name: scripts may change, the system's do not."""
    paths = [os.path.normpath(Path(hook.base, word)) for word in hook.command]
    # A repository may itself lie below /opt: what is in it is never the system's.
    here = f"{os.path.normpath(hook.base)}/"
    return sorted(
        {
            path
            for path in paths
            if (path.startswith(here) or not path.startswith(_SYSTEM)) and Path(path).is_file()
        }
    )


def python_sources(sources: dict[str, str]) -> dict[str, str]:
    """Return those that can be imported."""
    return {name: value for name, value in sources.items() if name.endswith(".py")}
