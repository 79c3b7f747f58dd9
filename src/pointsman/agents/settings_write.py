"""A settings file is replaced in one step, with a backup and a note of what was done.

The note (``installs.json`` in the state directory) says what the file was before us and after
us, so that ``uninstall`` can tell an untouched file, which gets its old bytes back, from one
that somebody has edited since.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pointsman.model.errors import HostError
from pointsman.model.places import Places

BACKUP = ".pointsman-backup"
"""What is appended to the name of a settings file for its backup."""


MOST_BYTES = 4 * 1024 * 1024
"""Bytes of a settings file; of a larger one no more than one byte beyond that is read."""


@dataclass(frozen=True, slots=True)
class Note:
    """What was done to one file: SHA-256 of its bytes before and after, as hexadecimal digits.

    ``created`` says that there was no file before the first time, ``seam`` that what was put in
    stands before every shell command as well.
    """

    before: str
    after: str
    created: bool = False
    seam: bool = False


def digest(data: bytes) -> str:
    """Return the SHA-256 as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def target_of(file: Path) -> Path:
    """Return the file that is really written: a symbolic link stays one."""
    return Path(os.path.realpath(file))


def backup_of(file: Path) -> Path:
    """Return where the backup of a settings file lies."""
    target = target_of(file)
    return target.with_name(target.name + BACKUP)


def read(file: Path) -> bytes | None:
    """Return the bytes of a file, ``None`` where there is none.

    Raises:
        HostError: it cannot be read, or is no regular file.
    """
    look = f"ls -ld {file.parent} {file}"
    try:
        # Before it is opened: a pipe in its place would block the open.
        if not stat.S_ISREG(file.stat().st_mode):
            raise HostError(f"{file} is not a regular file", fix=look)
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"{file} cannot be read: {error.strerror}", fix=look) from error


def replace(
    file: Path,
    seen: bytes | None,
    data: bytes,
    before_rename: Callable[[], None] = lambda: None,
) -> None:
    """Put ``data`` in the place of ``seen``, all of it or nothing of it.

    Mode and owner stay, and a symbolic link: its target is replaced. ``before_rename`` is called
    when the new bytes are on the disk.

    Raises:
        HostError: the file is no longer what was seen, or cannot be written.
    """
    target = target_of(file)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _beside(target) as (descriptor, temporary):
            _write_all(descriptor, data, like=target)
            before_rename()
            # As late as can be: the rename would take away an edit made since we read.
            _insist_unchanged(target, seen)
            temporary.rename(target)
        # The rename is a change of the directory, which is synced on its own.
        _sync_directory(target.parent)
    except OSError as error:
        raise _not_written(file, error) from error


def keep_backup(file: Path, data: bytes) -> None:
    """Write the backup of a settings file, with that file's mode and owner.

    Whatever lies in its place is replaced and not followed: the directory is a repository's.

    Raises:
        HostError: it cannot be written.
    """
    target, backup = target_of(file), backup_of(file)
    try:
        with _beside(backup) as (descriptor, temporary):
            _write_all(descriptor, data, like=target)
            temporary.rename(backup)
    except OSError as error:
        raise _not_written(backup, error) from error


def remove(file: Path, seen: bytes) -> None:
    """Delete a file that is still what was seen.

    Raises:
        HostError: it is another one by now, or cannot be deleted.
    """
    target = target_of(file)
    try:
        _insist_unchanged(target, seen)
        target.unlink()
        _sync_directory(target.parent)
    except OSError as error:
        raise _not_written(file, error) from error


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[tuple[int, Path]]:
    """Open a new file in the same directory; it is deleted unless it was renamed."""
    # In the same directory, as a rename cannot cross file systems.
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        yield descriptor, Path(name)
    finally:
        os.close(descriptor)
        Path(name).unlink(missing_ok=True)


def _write_all(descriptor: int, data: bytes, like: Path) -> None:
    """Write everything to the disk, with the mode and owner of ``like``."""
    rest = memoryview(data)
    while rest:
        # The kernel may take less than it was given.
        rest = rest[os.write(descriptor, rest) :]
    # Before the rename, so that the file never has another mode under its own name.
    _keep_owner_and_mode(like, descriptor)
    os.fsync(descriptor)


def _keep_owner_and_mode(target: Path, descriptor: int) -> None:
    try:
        old = target.stat()
    except FileNotFoundError:
        # mkstemp makes files with 0600; a new settings file gets what any new file gets.
        os.fchmod(descriptor, 0o666 & ~_umask())
        return
    new = os.fstat(descriptor)
    # Only where they differ, as giving a file away takes privileges.
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    # After fchown, which clears set-id bits.
    os.fchmod(descriptor, old.st_mode & 0o7777)


def _umask() -> int:
    # It can only be read by setting it; 077, so that nothing made meanwhile is open to others.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _insist_unchanged(target: Path, seen: bytes | None) -> None:
    if read(target) != seen:
        raise HostError(
            f"{target} was changed by somebody else at the same moment; nothing was written",
            fix="type the same command again",
        )


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _not_written(file: Path, error: OSError) -> HostError:
    return HostError(
        f"{file} cannot be written: {error.strerror or error}; it is as it was",
        fix=f"ls -ld {file.parent} {file} (managed settings belong to root: use sudo)",
    )


class Notes:
    """The notes about every settings file, in the state directory, by the file's real path."""

    def __init__(self, places: Places) -> None:
        self._directory = places.state
        self._file = places.state / "installs.json"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold off every other installation of this user."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._directory / "installs.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise HostError(
                f"the state directory {self._directory}: {error.strerror}", fix="pointsman doctor"
            ) from error
        try:
            # On a file of its own: a rename replaces the notes, and would take their lock along.
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def of(self, file: Path) -> Note | None:
        """Return the note about a file, or ``None``; notes that cannot be read are no notes."""
        return self._all().get(str(target_of(file)))

    def put(self, file: Path, note: Note | None) -> None:
        """Keep a note about a file, or forget it."""
        notes = self._all()
        notes.pop(str(target_of(file)), None)
        if note is not None:
            notes[str(target_of(file))] = note
        rows = {name: asdict(one) for name, one in sorted(notes.items())}
        text = json.dumps({"version": 1, "installs": rows}, indent=2) + "\n"
        replace(self._file, read(self._file), text.encode())

    def _all(self) -> dict[str, Note]:
        # Without a note uninstall takes our entries out of the text, which needs none.
        try:
            rows = json.loads(read(self._file) or b"{}").get("installs", {})
            return {str(name): Note(**row) for name, row in rows.items()}
        except (ValueError, TypeError, AttributeError):
            return {}
