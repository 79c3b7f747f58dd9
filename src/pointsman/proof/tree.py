"""A snapshot of a repository's tree: content and mode of every file, whatever git thinks of it.

No index but our own is asked, so that nothing hides from it: not ``update-index
--assume-unchanged``, not an ignored directory, not a commit. A file is read again only when its
stamp has changed. The stamp holds the time of the last change of the inode (ctime), which no
program can set: ``touch -d`` moves the other one.
"""

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_FILES = 500_000
"""Files and directories of a tree that is proven; past that it could not be verified."""
MOST_HASHED = 256 * 1024 * 1024
"""Bytes of a file that is read; a larger one has changed when its stamp has."""
_WHOLE = 8 * 1024 * 1024
"""Bytes up to which a file is read in one piece and handed on to be kept."""
_RACY_NS = 50_000_000
"""The kernel stamps by a clock that ticks every 1 to 10 ms: what was changed this shortly before
it was read may be changed again under the same stamp (git's "racily clean")."""
_COARSE_NS = 2_000_000_000
"""The same where a file system keeps whole seconds, or every other one."""
_IN_GIT = frozenset({"commondir", "config", "config.worktree", "hooks", "info", "modules"})
"""What is covered of git's own store: what runs code or hides files. The rest is for commits."""

FILE, LINK, DIRECTORY, OTHER = "file", "link", "directory", "other"
UNREAD = "unread"
"""The content of a file that could not be read."""


class Stamp(NamedTuple):
    """By what a file is taken for unchanged without reading it. Times in nanoseconds."""

    mtime: int
    ctime: int
    ino: int
    dev: int
    size: int


class Entry(NamedTuple):
    """One path: ``content`` is a file's hash, a link's target or the type of a special file.

    ``clean`` says that a change after this reading would have changed the stamp.
    """

    kind: str
    mode: int
    content: str
    stamp: Stamp
    owner: int
    clean: bool

    @property
    def state(self) -> tuple[str, int, str]:
        """What a change is a change of."""
        return (self.kind, self.mode, self.content)


@dataclass(slots=True)
class Snapshot:
    """What a tree held. ``blind`` are directories that could not be looked into."""

    entries: dict[str, Entry] = field(default_factory=dict)
    blind: dict[str, str] = field(default_factory=dict)
    taken_ns: int = 0
    problem: str = ""
    read: int = 0


Keep = Callable[[str, str, bytes], None]
"""Is handed path, hash and bytes of each file that was read in one piece."""


class Stopped(Exception):
    """The walk was told to end."""


def scan(
    root: str,
    known: Mapping[str, Entry],
    keep: Keep | None = None,
    *,
    skip: frozenset[str] = frozenset(),
    stopped: Callable[[], bool] = lambda: False,
) -> Snapshot:
    """Return what the tree at ``root`` holds; ``known`` is what need not be read again.

    Symbolic links are not followed, nested repositories and other file systems are part of it,
    ``skip`` are absolute paths that are not. Never raises ``OSError``: what could not be read
    stands in ``blind`` and ``problem``.

    Raises:
        Stopped: ``stopped`` said so.
    """
    walk = _Walk(root, known, keep, skip)
    try:
        walk.begin()
        while walk.todo:
            if stopped():
                raise Stopped
            walk.directory(*walk.todo.pop())
            if len(walk.found.entries) > MOST_FILES:
                walk.found.problem = f"{root} holds more than {MOST_FILES} files"
                break
    except OSError as error:
        walk.found.problem = f"{root} cannot be read: {error.strerror}"
    return walk.found


_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_REGULAR = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TYPES = {
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}


class _Walk:
    def __init__(
        self, root: str, known: Mapping[str, Entry], keep: Keep | None, skip: frozenset[str]
    ) -> None:
        self.root = root
        self.known = known
        self.keep = keep
        self.skip = skip
        self.todo: list[tuple[str, tuple[int, int]]] = []
        self.found = Snapshot(taken_ns=time.time_ns())

    def begin(self) -> None:
        at = os.stat(self.root)  # noqa: PTH116 - paths are strings here, for speed
        self.todo.append(("", (at.st_dev, at.st_ino)))

    def directory(self, relative: str, identity: tuple[int, int]) -> None:
        """Take in one directory, if it is still the one that was seen in its parent."""
        try:
            descriptor = os.open(f"{self.root}/{relative}", _DIRECTORY)
        except OSError as error:
            self._unseen(relative, error)
            return
        try:
            at = os.fstat(descriptor)
            if (at.st_dev, at.st_ino) != identity:
                self.found.blind[relative] = "it was replaced while it was read"
                return
            with os.scandir(descriptor) as entries:
                self._all(relative, entries, descriptor)
        except OSError as error:
            self._unseen(relative, error)
        finally:
            os.close(descriptor)

    def _unseen(self, relative: str, error: OSError) -> None:
        # Gone meanwhile: the next reading tells.
        if error.errno != errno.ENOENT:
            self.found.blind[relative] = error.strerror or "it cannot be read"

    def _all(self, relative: str, entries: "Iterator[os.DirEntry[str]]", descriptor: int) -> None:
        """Take in what a directory lists; most of it is as it was, and that is the quick way."""
        prefix = f"{relative}/" if relative else ""
        in_git = relative.startswith(".git")
        known, found = self.known.get, self.found.entries
        for each in entries:
            path = prefix + each.name
            if (in_git and _is_gits_own(relative, each)) or self._is_skipped(path):
                continue
            try:
                at = each.stat(follow_symlinks=False)
                old = known(path)
                # A directory's stamp moves on with what lies in it; the rest of it is the state.
                if old is not None and old.clean and old.stamp == _stamp(at):
                    found[path] = old
                else:
                    found[path] = self.entry(path, each.name, at, descriptor)
            except FileNotFoundError:
                continue
            except OSError as error:
                self.found.blind[path] = error.strerror or "it cannot be read"
                continue
            if stat.S_ISDIR(at.st_mode):
                self.todo.append((path, (at.st_dev, at.st_ino)))

    def _is_skipped(self, path: str) -> bool:
        return bool(self.skip) and f"{self.root}/{path}" in self.skip

    def entry(self, path: str, name: str, at: os.stat_result, descriptor: int) -> Entry:
        """Return what stands there now, read anew."""
        stamp = _stamp(at)
        mode = stat.S_IMODE(at.st_mode)
        kind = stat.S_IFMT(at.st_mode)
        if kind == stat.S_IFDIR:
            # Its size and times say what lies in it, which has entries of its own.
            return Entry(DIRECTORY, mode, "", stamp, at.st_uid, True)
        if kind == stat.S_IFLNK:
            target = os.readlink(name, dir_fd=descriptor)
            return Entry(LINK, 0o777, target, stamp, at.st_uid, self._clean(at))
        if kind != stat.S_IFREG:
            return Entry(OTHER, mode, _TYPES.get(kind, "special"), stamp, at.st_uid, True)
        return self._file(path, name, at, descriptor)

    def _file(self, path: str, name: str, seen: os.stat_result, descriptor: int) -> Entry:
        self.found.read += 1
        mode = stat.S_IMODE(seen.st_mode)
        try:
            file = os.open(name, _REGULAR, dir_fd=descriptor)
        except PermissionError:
            return Entry(FILE, mode, UNREAD, _stamp(seen), seen.st_uid, True)
        try:
            # Of the file that is read, which may be another than the one that was listed.
            at = os.fstat(file)
            content = self._content(path, file, at)
        finally:
            os.close(file)
        return Entry(
            FILE, stat.S_IMODE(at.st_mode), content, _stamp(at), at.st_uid, self._clean(at)
        )

    def _content(self, path: str, file: int, at: os.stat_result) -> str:
        if at.st_size > MOST_HASHED:
            return f"stamp {at.st_mtime_ns} {at.st_ctime_ns} {at.st_ino} {at.st_size}"
        if at.st_size > _WHOLE:
            return _digest_of(file)
        # One byte more, to see that it has not grown meanwhile.
        data = os.read(file, at.st_size + 1)
        while len(data) < at.st_size and (more := os.read(file, at.st_size + 1 - len(data))):
            data += more
        digest = hashlib.sha256(data).hexdigest()
        if self.keep is not None:
            self.keep(path, digest, data)
        return digest

    def _clean(self, at: os.stat_result) -> bool:
        coarse = at.st_ctime_ns % 1_000_000_000 == 0
        return at.st_ctime_ns < self.found.taken_ns - (_COARSE_NS if coarse else _RACY_NS)


def _stamp(at: os.stat_result) -> Stamp:
    return Stamp(at.st_mtime_ns, at.st_ctime_ns, at.st_ino, at.st_dev, at.st_size)


def _digest_of(file: int) -> str:
    digest = hashlib.sha256()
    left = MOST_HASHED + 1
    while left > 0 and (data := os.read(file, min(left, 1024 * 1024))):
        digest.update(data)
        left -= len(data)
    return digest.hexdigest()


def _is_gits_own(parent: str, each: "os.DirEntry[str]") -> bool:
    """Whether it is a part of the repository's store that commits change and that runs nothing.

    The stores of repositories inside of this one are files like others.
    """
    if not parent.startswith(".git"):
        return False
    top, *below = parent.split("/")
    if top != ".git":
        return False
    if not below:
        return each.name not in _IN_GIT
    if below[0] != "modules" or any(part in _IN_GIT for part in below[1:]):
        return False
    # A submodule's store is laid out alike; its name may be several directories deep.
    if each.is_dir(follow_symlinks=False):
        return each.name in _STORE
    return each.name not in _IN_GIT


_STORE = frozenset({"objects", "refs", "logs", "lfs", "worktrees"})
