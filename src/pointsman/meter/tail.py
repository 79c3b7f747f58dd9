"""A file that grows, read on from where it was left: whole lines only, and never twice the same.

A last line without its end waits. A file that was cut, or replaced by another one, is read from
its beginning again.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

AT_ONCE = 256 * 1024
"""Bytes that are read at once: what they say is put on record in one go, on the daemon's loop."""
MOST_AT_ONCE = 8 * 1024 * 1024
"""Bytes that are read where no line ends in those. A line that is longer is passed over."""
_HEAD = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a file has been read, and which file that was.

    ``head`` is the hash of its first ``headed`` bytes: a file that is rewritten in place keeps its
    number. ``passing`` says that a line is being passed over, ``passed`` how many were. ``size``
    and ``changed_ns`` are what the file looked like, ``more`` that it was not read to its end.
    """

    offset: int = 0
    device: int = 0
    inode: int = 0
    headed: int = 0
    head: str = ""
    passing: bool = False
    passed: int = 0
    size: int = 0
    changed_ns: int = 0
    more: bool = False

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Position":
        """Return what ``as_dict`` gave; the beginning where that is not understood."""
        try:
            return cls(**kept)
        except TypeError:
            return cls()

    def as_dict(self) -> dict[str, Any]:
        """Return it to be kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Lines without their ends, and where the next ones begin.

    ``rest`` is what stands behind the last end of a line; ``anew`` says that these lines are the
    file's first although it had been read before.
    """

    lines: tuple[bytes, ...]
    position: Position
    rest: bytes = b""
    anew: bool = False


def read_on(
    path: str, position: Position, at_once: int = AT_ONCE, most: int = MOST_AT_ONCE
) -> Piece:
    """Return the next lines of a file.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    # A pipe that nobody writes to would be waited for, but for O_NONBLOCK.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        start = _start(descriptor, found, position)
        limit = at_once
        data = os.pread(descriptor, limit, start.offset)
        if len(data) == limit and b"\n" not in data:
            limit = most
            data = os.pread(descriptor, limit, start.offset)
        start = replace(
            start, size=found.st_size, changed_ns=found.st_mtime_ns, more=len(data) == limit
        )
        piece = _cut(data, start)
        anew = position.offset > 0 and start.offset == 0
        return replace(piece, anew=anew, position=_headed(descriptor, piece.position))
    finally:
        os.close(descriptor)


def _start(descriptor: int, found: os.stat_result, position: Position) -> Position:
    """Return where to go on: at the beginning where this is not the file that was read."""
    same = (found.st_dev, found.st_ino) == (position.device, position.inode)
    if not same or found.st_size < position.offset:
        return _beginning(found, position)
    known = _hash(os.pread(descriptor, position.headed, 0)) == position.head
    return position if known else _beginning(found, position)


def _beginning(found: os.stat_result, position: Position) -> Position:
    return Position(device=found.st_dev, inode=found.st_ino, passed=position.passed)


def _headed(descriptor: int, position: Position) -> Position:
    """Return the position with the hash of what the file begins with, as far as it was read."""
    headed = min(position.offset, _HEAD)
    if headed == position.headed and position.head:
        return position
    return replace(position, headed=headed, head=_hash(os.pread(descriptor, headed, 0)))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _cut(data: bytes, start: Position) -> Piece:
    end = data.rfind(b"\n") + 1
    if end == 0 and not start.more:
        return Piece(lines=(), position=start, rest=b"" if start.passing else data)
    if end == 0:
        # No line of ours is so long: its bytes are left behind, up to its end.
        passed = start.passed + (not start.passing)
        offset = start.offset + len(data)
        return Piece(lines=(), position=replace(start, offset=offset, passing=True, passed=passed))
    lines = data[: end - 1].split(b"\n")
    if start.passing:
        lines = lines[1:]
    position = replace(start, offset=start.offset + end, passing=False)
    return Piece(lines=tuple(lines), position=position, rest=b"" if start.more else data[end:])


def has_grown(path: str, position: Position) -> bool:
    """Whether there may be something to read; a look costs one stat."""
    try:
        found = os.stat(path)  # noqa: PTH116 - for every known file, again and again
    except OSError:
        return False
    seen = (position.device, position.inode, position.size, position.changed_ns)
    now = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    return position.more or now != seen
