"""What a walk has seen of the disk, and whether it is still so.

A contract is walked for every command that is held to it. What it amounts to hangs on which names
stand in which directories, and on nothing else of them: while those stand as they stood, so does
what was worked out.
"""

import os
import stat
import time
from itertools import islice

_SETTLED_NS = 50_000_000
"""Age from which a directory's times tell of any change: clocks of file systems tick coarsely."""
Stamp = tuple[int, int, int, int] | None
"""What changes of a directory as soon as a name in it does; ``None`` where there is none."""


class Seen:
    """Looks at names and directories, and remembers how it found them.

    ``most`` is how many entries of directories are looked at.
    """

    def __init__(self, most: int) -> None:
        self.entries = 0
        self._most = most
        self._began_ns = time.time_ns()
        self._kinds: dict[str, str] = {}
        self._listed: dict[str, Stamp] = {}

    def kind(self, path: str) -> str:
        """Return ``link``, ``directory``, ``file`` (whatever else there is), or nothing."""
        found = self._kinds[path] = _kind(path)
        return found

    def listed(self, path: str) -> list[tuple[str, str]]:
        """Return the names in a directory with their kinds, in order; none where it has none."""
        # From before: what changes meanwhile shows the next time.
        self._listed[path] = stamp_of(path)
        try:
            with os.scandir(path) as entries:
                left = max(0, self._most - self.entries)
                found = [(entry.name, _entry_kind(entry)) for entry in islice(entries, left)]
        except OSError:
            return []
        self.entries += len(found)
        return sorted(found)

    @property
    def is_settled(self) -> bool:
        """Whether a further change of any of it is sure to show.

        A directory that has just changed may change again within the same tick of the clock.
        """
        return all(is_settled(each, self._began_ns) for each in self._listed.values())

    def holds(self) -> bool:
        """Whether everything still is as it was seen."""
        return all(_kind(path) == kind for path, kind in self._kinds.items()) and all(
            stamp_of(path) == stamp for path, stamp in self._listed.items()
        )


def stamp_of(path: str) -> Stamp:
    """Return the stamp of a directory."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    # The change time is the kernel's: nobody puts it back, as one can with that of the content.
    return (found.st_dev, found.st_ino, found.st_ctime_ns, found.st_mtime_ns)


def is_settled(stamp: Stamp, now_ns: int) -> bool:
    """Whether a directory changed so long ago that a further change changes its stamp."""
    # abs: a time far in the future (a clock set back) must not end all remembering.
    return stamp is None or abs(now_ns - stamp[2]) > _SETTLED_NS


def _kind(path: str) -> str:
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        return ""
    if stat.S_ISLNK(mode):
        return "link"
    return "directory" if stat.S_ISDIR(mode) else "file"


def _entry_kind(entry: "os.DirEntry[str]") -> str:
    if entry.is_symlink():
        return "link"
    return "directory" if entry.is_dir(follow_symlinks=False) else "file"
