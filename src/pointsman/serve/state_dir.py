"""The state directory: ours alone, and held by one daemon at a time."""

import fcntl
import os
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

from pointsman.model.errors import TransportError
from pointsman.model.places import Places

_LOST_RACE_WITHIN = 30.0
_FIX = "pointsman doctor"


def prepare(places: Places) -> None:
    """Create the state directory with mode 0700, or make sure that it is ours alone.

    Raises:
        TransportError: it cannot be made, belongs to somebody else, or is no directory.
    """
    try:
        places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = places.state.stat()
    except OSError as error:
        raise TransportError(f"the state directory {places.state}: {error}", fix=_FIX) from error
    if found.st_uid != os.geteuid():
        raise TransportError(
            f"the state directory {places.state} belongs to user {found.st_uid}, not to you",
            fix=_FIX,
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        places.state.chmod(0o700)
    places.spool.mkdir(mode=0o700, exist_ok=True)


def take_lock(
    places: Places, clock: Callable[[], float] = time.monotonic, within: float = _LOST_RACE_WITHIN
) -> int | None:
    """Take the daemon's lock and return its descriptor, or ``None`` where another one answers.

    A daemon that is on its way out still holds the lock but answers no more: it is waited for.

    Raises:
        TransportError: the lock is held, and nobody answers.
    """
    descriptor = os.open(places.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = clock() + within
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if answers(places.socket):
                os.close(descriptor)
                return None
            if clock() > deadline:
                os.close(descriptor)
                raise TransportError(
                    f"{places.lock} is held by process {holder(places)}, which does not answer",
                    fix="pointsman down --force",
                ) from None
            time.sleep(0.02)
        else:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
            return descriptor


def holder(places: Places) -> int | None:
    """Return the pid that the lock file names, or ``None``."""
    try:
        return int(places.lock.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None


def locked(places: Places) -> bool:
    """Whether some daemon holds the lock now."""
    try:
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


def listen(places: Places) -> socket.socket:
    """Bind beside the socket's name and move it there: clients meet a listener or nobody."""
    path = places.state / f"daemon.sock.{os.getpid()}"
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    descriptor = os.open(places.state, os.O_RDONLY | os.O_CLOEXEC)
    try:
        listener.bind(_short(path, descriptor))
        listener.listen(512)
        listener.setblocking(False)
        path.chmod(0o600)
        path.rename(places.socket)
    except OSError as error:
        listener.close()
        raise TransportError(f"cannot listen on {places.socket}: {error}", fix=_FIX) from error
    finally:
        os.close(descriptor)
    return listener


def _short(path: Path, descriptor: int) -> str:
    """Return a name for the socket that fits into ``sun_path`` (108 bytes on Linux)."""
    text = str(path)
    if len(os.fsencode(text)) < 100:
        return text
    return f"/proc/self/fd/{descriptor}/{path.name}"
