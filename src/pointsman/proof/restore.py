"""Puts recorded content, mode, links and deletions back, if the tree is still as it was compared.

First what was created goes, deepest first; then what was there comes back, from the top down; last
the modes of directories, which may forbid writing in them. A file is exchanged for its recorded
version in one step of the kernel, and only then looked at: where it is not what the comparison
saw, somebody else has written it meanwhile, and it is exchanged back.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pointsman.proof.aside import Aside, TooLarge
from pointsman.proof.changes import Change
from pointsman.proof.places import directory, exchange, rename_new, set_mode
from pointsman.proof.tree import DIRECTORY, FILE, LINK, UNREAD, Entry

Recorded = Callable[[str], bytes | None]
"""From a hash to the bytes, or ``None`` where they were not kept."""
_TEMPORARY = ".pointsman-{}.tmp"


class NotRestored(Exception):
    """A change that cannot be undone; the text says why."""


class _Meanwhile(NotRestored):
    def __init__(self) -> None:
        super().__init__("somebody has changed it again since it was compared")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one change: ``problem`` is empty where it was undone."""

    change: Change
    problem: str = ""
    kept: str = ""


def restore(
    root: str, changes: Iterable[Change], recorded: Recorded, aside: Aside
) -> dict[str, Done]:
    """Undo these changes, keeping the present versions in ``aside``; by path."""
    work = _Work(root, recorded, aside)
    ordered = sorted(changes, key=lambda each: each.path)
    for change in reversed(ordered):
        if change.after is not None and _goes_first(change):
            work.attempt(change, work.take_away)
    for change in ordered:
        if change.before is not None and not work.failed(change):
            work.attempt(change, work.bring_back)
    work.set_directory_modes()
    return work.done


def _goes_first(change: Change) -> bool:
    """Whether the present thing has to go before anything is put in its place."""
    before, after = change.before, change.after
    if before is None or after is None:
        return before is None
    return before.kind != after.kind and DIRECTORY in {before.kind, after.kind}


class _Work:
    def __init__(self, root: str, recorded: Recorded, aside: Aside) -> None:
        self.done: dict[str, Done] = {}
        self._root = root
        self._recorded = recorded
        self._aside = aside
        self._modes: list[tuple[str, int]] = []
        self._number = 0

    def failed(self, change: Change) -> bool:
        done = self.done.get(change.path)
        return done is not None and bool(done.problem)

    def attempt(self, change: Change, step: Callable[[Change], str]) -> None:
        """Take one step of one change; whatever goes wrong stands in ``done``."""
        kept = self.done[change.path].kept if change.path in self.done else ""
        try:
            done = Done(change, kept=step(change) or kept)
        except (NotRestored, TooLarge) as error:
            done = Done(change, str(error), kept)
        except OSError as error:
            done = Done(change, f"it cannot be put back: {error.strerror}", kept)
        self.done[change.path] = done

    def take_away(self, change: Change) -> str:
        """Move what stands there aside; return where it is kept."""
        parent, _, name = change.path.rpartition("/")
        with directory(self._root, parent) as at:
            return self._take_away(at, name, change)

    def _take_away(self, at: int, name: str, change: Change) -> str:
        after = _there(change.after)
        if after.kind == DIRECTORY:
            self._same_kind(at, name, after)
            try:
                os.rmdir(name, dir_fd=at)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
                raise NotRestored("there are files in it that may stay") from None
            self._aside.note(change.path, DIRECTORY, after.mode)
            return ""
        temporary = self._temporary()
        os.rename(name, temporary, src_dir_fd=at, dst_dir_fd=at)
        try:
            kept = self._keep(at, temporary, change)
        except BaseException:
            self._aside.drop(change.path)
            rename_new(at, temporary, name)
            raise
        os.unlink(temporary, dir_fd=at)
        return kept

    def bring_back(self, change: Change) -> str:
        """Put what was recorded in its place; return where the present version is kept."""
        before = _there(change.before)
        parent, _, name = change.path.rpartition("/")
        with directory(self._root, parent) as at:
            if change.after is not None and not _goes_first(change):
                return self._replace(at, name, change)
            if before.kind == DIRECTORY:
                os.mkdir(name, 0o700, dir_fd=at)
                self._modes.append((change.path, before.mode))
            else:
                temporary = self._make(at, before)
                self._place(at, temporary, name)
            if change.after is None:
                self._aside.note(change.path, "deleted", 0)
            return ""

    def _place(self, at: int, temporary: str, name: str) -> None:
        try:
            rename_new(at, temporary, name)
        except OSError as error:
            os.unlink(temporary, dir_fd=at)
            if error.errno == errno.EEXIST:
                raise _Meanwhile from None
            raise

    def _replace(self, at: int, name: str, change: Change) -> str:
        before, after = _there(change.before), _there(change.after)
        if before.kind == DIRECTORY:
            self._same_kind(at, name, after)
            self._modes.append((change.path, before.mode))
            return ""
        if before.kind == after.kind and before.content == after.content != UNREAD:
            self._set_mode(at, name, change)
            return ""
        temporary = self._make(at, before)
        try:
            exchange(at, temporary, name)
        except OSError as error:
            os.unlink(temporary, dir_fd=at)
            if error.errno not in {errno.EINVAL, errno.ENOSYS}:
                raise
            return self._replace_in_steps(at, name, change)
        # From here the present version has the temporary name.
        try:
            kept = self._keep(at, temporary, change)
        except BaseException:
            self._aside.drop(change.path)
            exchange(at, temporary, name)
            os.unlink(temporary, dir_fd=at)
            raise
        os.unlink(temporary, dir_fd=at)
        return kept

    def _replace_in_steps(self, at: int, name: str, change: Change) -> str:
        """Do the same where the file system cannot exchange two names."""
        kept = self._take_away(at, name, change)
        self._place(at, self._make(at, _there(change.before)), name)
        return kept

    def _keep(self, at: int, name: str, change: Change) -> str:
        """Keep the present version, if it is the one that the comparison saw."""
        after = _there(change.after)
        found = os.stat(name, dir_fd=at, follow_symlinks=False)
        if (found.st_ino, found.st_mtime_ns) != (after.stamp.ino, after.stamp.mtime):
            raise _Meanwhile
        if stat.S_ISLNK(found.st_mode):
            return self._aside.keep_link(change.path, os.readlink(name, dir_fd=at))
        if not stat.S_ISREG(found.st_mode):
            self._aside.note(change.path, after.content, after.mode)
            return ""
        source = self._opened(at, name, stat.S_IMODE(found.st_mode))
        try:
            kept, digest = self._aside.keep_file(change.path, source, after.mode)
        finally:
            os.close(source)
        if after.content not in {digest, UNREAD} and not after.content.startswith("stamp "):
            raise _Meanwhile
        return kept

    def _opened(self, at: int, name: str, mode: int) -> int:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            return os.open(name, flags, dir_fd=at)
        except PermissionError:
            # Ours by now, under a name that nobody else knows.
            os.chmod(name, mode | 0o400, dir_fd=at)
            return os.open(name, flags, dir_fd=at)

    def _make(self, at: int, before: Entry) -> str:
        """Make the recorded thing under a temporary name; return that."""
        temporary = self._temporary()
        if before.kind == LINK:
            os.symlink(before.content, temporary, dir_fd=at)
            return temporary
        if before.kind != FILE:
            if before.content != "fifo":
                raise NotRestored(f"a {before.content} cannot be made again")
            os.mkfifo(temporary, 0o600, dir_fd=at)
            os.chmod(temporary, before.mode, dir_fd=at)
            return temporary
        data = self._recorded(before.content)
        if data is None:
            raise NotRestored("what it held was not recorded (too large, or no room)")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(temporary, flags, 0o600, dir_fd=at)
        try:
            with os.fdopen(file, "wb") as out:
                out.write(data)
                out.flush()
                os.fchmod(file, before.mode)
                # Its old time as well: otherwise a build would take it for changed.
                os.utime(file, ns=(before.stamp.mtime, before.stamp.mtime))
                os.fsync(file)
        except BaseException:
            os.unlink(temporary, dir_fd=at)
            raise
        return temporary

    def _set_mode(self, at: int, name: str, change: Change) -> None:
        before, after = _there(change.before), _there(change.after)
        # By the file that was compared, not by the name, which may be another file's by now.
        try:
            file = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
        except FileNotFoundError:
            raise _Meanwhile from None
        try:
            found = os.fstat(file)
            if (found.st_ino, stat.S_IMODE(found.st_mode)) != (after.stamp.ino, after.mode):
                raise _Meanwhile
            set_mode(file, before.mode)
        finally:
            os.close(file)
        self._aside.note(change.path, "mode", after.mode)

    def _same_kind(self, at: int, name: str, after: Entry) -> None:
        try:
            found = os.stat(name, dir_fd=at, follow_symlinks=False)
        except FileNotFoundError:
            raise _Meanwhile from None
        if not stat.S_ISDIR(found.st_mode) or found.st_ino != after.stamp.ino:
            raise _Meanwhile

    def set_directory_modes(self) -> None:
        """Give directories their modes, the deepest first."""
        for path, mode in sorted(self._modes, reverse=True):
            with contextlib.suppress(OSError):
                parent, _, name = path.rpartition("/")
                with directory(self._root, parent) as at:
                    inner = os.open(
                        name, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=at
                    )
                    try:
                        set_mode(inner, mode)
                    finally:
                        os.close(inner)

    def _temporary(self) -> str:
        self._number += 1
        return _TEMPORARY.format(f"{os.getpid()}-{os.urandom(6).hex()}-{self._number}")


def _there(entry: Entry | None) -> Entry:
    if entry is None:
        raise NotRestored("there is nothing recorded of it")
    return entry
