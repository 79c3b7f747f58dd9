"""The state directory: ours alone, and held by one daemon at a time."""

import contextlib
import errno
import fcntl
import os
import shlex
import socket
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pointsman.model.errors import TransportError
from pointsman.model.places import Places

_LOST_RACE_WITHIN = 30.0


def prepare(places: Places) -> None:
    """Create the state directory with mode 0700, or make sure that it is ours alone.

    Raises:
        TransportError: it cannot be made or written, belongs to somebody else, or is none.
    """
    with _told(places.state, "the state directory"):
        places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = places.state.stat()
        if found.st_uid != os.geteuid():
            raise TransportError(
                f"the state directory {places.state} belongs to user {found.st_uid}, not to you",
                fix=f"sudo chown -R $(id -u) {shlex.quote(str(places.state))}",
            )
        # It may have stood there before, open to others: `mkdir` leaves that as it is.
        if stat.S_IMODE(found.st_mode) & 0o077:
            places.state.chmod(0o700)
    with _told(places.spool, "the spool"):
        places.spool.mkdir(mode=0o700, exist_ok=True)
    with _told(places.log, "the log"):
        # Opened to learn now, with a next step to name, whether it can be written.
        os.close(os.open(places.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
    if _is_foreign(places.socket):
        raise TransportError(
            f"{places.socket} is no socket, and not ours to remove", fix=_aside(places.socket)
        )


def take_lock(
    places: Places, clock: Callable[[], float] = time.monotonic, within: float = _LOST_RACE_WITHIN
) -> int | None:
    """Take the daemon's lock and return its descriptor, or ``None`` where another one answers.

    A daemon that is on its way out still holds the lock but answers no more: it is waited for.

    Raises:
        TransportError: the lock is held, and nobody answers; or it cannot be had at all.
    """
    deadline = clock() + within
    while True:
        with _told(places.lock, "the lock file"):
            # A program of a hook that inherited the descriptor would hold the lock beyond our end.
            descriptor = os.open(places.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            if answers(places.socket):
                return None
            if clock() > deadline:
                raise TransportError(
                    f"{places.lock} is held by process {holder(places)}, which does not answer",
                    fix="pointsman down --force",
                ) from None
            time.sleep(0.02)
            continue
        if not holds(places, descriptor):  # It was deleted while we waited for it.
            os.close(descriptor)
            continue
        # Not when opening: until the lock is ours the pid in the file is the other one's.
        os.ftruncate(descriptor, 0)
        # A full disk costs the pid, not the lock.
        with contextlib.suppress(OSError):
            os.write(descriptor, f"{os.getpid()}\n".encode())
        return descriptor


def holds(places: Places, descriptor: int) -> bool:
    """Whether this descriptor is still that of the lock file: it may have been deleted."""
    try:
        return os.path.samestat(os.fstat(descriptor), places.lock.stat())
    except OSError:
        return False


def holder(places: Places) -> int | None:
    """Return the pid that the lock file names, or ``None``."""
    try:
        return int(places.lock.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None


def locked(places: Places) -> bool:
    """Whether some daemon holds the lock now."""
    try:
        # Asking makes no lock file. It holds the lock for a moment; who starts just then retries.
        descriptor = os.open(places.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def answers(path: Path) -> bool:
    """Whether somebody listens on this socket."""
    try:
        with connect(path):
            return True
    except OSError:
        return False


def connect(path: Path, within: float = 5.0) -> socket.socket:
    """Connect to a unix socket whose path may be longer than the kernel takes."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(within)
    try:
        connection.connect(_short(path, descriptor))
    except OSError:
        connection.close()
        raise
    finally:
        os.close(descriptor)
    return connection


@dataclass(frozen=True, slots=True)
class Listener:
    """The listening socket, and which file in the state directory it is."""

    socket: socket.socket
    path: Path
    inode: int

    def in_place(self) -> bool:
        """Whether clients still reach it under its name."""
        try:
            return self.path.lstat().st_ino == self.inode
        except OSError:
            return False

    def remove(self) -> None:
        """Take the name away, unless it is another daemon's by now."""
        if self.in_place():
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)


def listen(places: Places) -> Listener:
    """Bind beside the socket's name and move it there: clients meet a listener or nobody.

    Raises:
        TransportError: it cannot be bound.
    """
    path = places.state / f"daemon.sock.{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    descriptor = -1
    try:
        descriptor = os.open(places.state, os.O_RDONLY | os.O_CLOEXEC)
        # What bears our pid now was left behind by a daemon that had the same one.
        path.unlink(missing_ok=True)
        listener.bind(_short(path, descriptor))
        listener.listen(512)
        listener.setblocking(False)
        # Closed to others before it has the name that clients know.
        path.chmod(0o600)
        inode = path.lstat().st_ino
        path.rename(places.socket)
    except OSError as error:
        listener.close()
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise TransportError(
            f"cannot listen on {places.socket}: {error}", fix=_next_step(error, places.socket)
        ) from error
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return Listener(listener, places.socket, inode)


@contextlib.contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    """Turn an error of the system into one that names the file and the next step."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise TransportError(f"{what} {path}: {reason}", fix=_next_step(error, path)) from error


def _next_step(error: OSError, path: Path) -> str:
    if error.errno in {errno.EISDIR, errno.EEXIST, errno.ENOTDIR, errno.ENOTEMPTY}:
        return _aside(_obstacle(path))
    return _STEPS.get(error.errno or 0, "pointsman doctor").format(folder=path.parent)


_STEPS = {
    errno.ENOSPC: "free space there (df -h {folder}), then: pointsman up",
    errno.EDQUOT: "free space there (df -h {folder}), then: pointsman up",
    errno.EROFS: "make {folder} writable, or set POINTSMAN_STATE_DIR, then: pointsman up",
    errno.EACCES: "make {folder} writable for you, then: pointsman up",
    errno.EPERM: "make {folder} writable for you, then: pointsman up",
}


def _obstacle(path: Path) -> Path:
    """Return what is in the way: the path itself, or a file where a directory must be."""
    for parent in reversed(path.parents):
        if parent.exists() and not parent.is_dir():
            return parent
    return path


def _aside(path: Path) -> str:
    name = shlex.quote(str(path))
    return f"mv {name} {shlex.quote(f'{path}.aside')}"


def _is_foreign(path: Path) -> bool:
    try:
        return not stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return False


def _short(path: Path, descriptor: int) -> str:
    """Return a name for the socket that fits into ``sun_path`` (108 bytes on Linux)."""
    text = str(path)
    if len(os.fsencode(text)) < 100:
        return text
    return f"/proc/self/fd/{descriptor}/{path.name}"
