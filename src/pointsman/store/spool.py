"""Frames that a client could not deliver: one file each, taken in when the daemon is back."""

import contextlib
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.model.errors import LedgerError

_MAGIC = b"PMF1\t"
_PREFIX = struct.Struct(">4sII")
_MOST_FILE = 8 * 1024 * 1024
_MOST_FILES = 10_000
# No client lives that long: an alarm ends it a second after its deadline.
_ABANDONED_AFTER = 60.0
"""Seconds after which a file that is still being written has lost its writer."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """One undelivered event. ``broken`` is a reason why it could not be read."""

    file: Path
    reason: str = ""
    header: bytes = b""
    body: bytes = field(default=b"", repr=False)
    broken: str = ""


def waiting(folder: Path) -> list[Path]:
    """Return the files that wait, oldest first (their names begin with the time in ns).

    A temporary file whose client was killed before it could rename it counts as well.
    """
    try:
        files = [*folder.glob("*.frame"), *filter(_is_abandoned, folder.glob(".*.tmp"))]
    except OSError:
        return []
    return sorted(files, key=_age)[:_MOST_FILES]


def read_spool(folder: Path) -> Iterator[Spooled]:
    """Yield what waits, oldest first; unreadable files are yielded as broken."""
    for file in waiting(folder):
        yield _read(file)


def done(spooled: Spooled) -> None:
    """Remove a file whose event is on record.

    Raises:
        LedgerError: it cannot be removed, and would be recorded once more.
    """
    try:
        spooled.file.unlink(missing_ok=True)
    except OSError as error:
        raise LedgerError(
            f"{spooled.file} is on record and cannot be removed: {error}",
            fix=f"rm {spooled.file}",
        ) from error


def discard(spooled: Spooled) -> Path:
    """Move a broken file aside, so that nothing is lost and nothing is read twice.

    Raises:
        LedgerError: it cannot be moved.
    """
    folder = spooled.file.parent / "broken"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        return spooled.file.rename(folder / spooled.file.name.lstrip("."))
    except OSError as error:
        raise LedgerError(
            f"the broken file {spooled.file} cannot be moved aside: {error}",
            fix=f"rm -r {spooled.file}",
        ) from error


def cover(file: Path, covered: Callable[[bytes], bytes]) -> None:
    """Cover the secrets in a file that stays; one that cannot be read or written stays as it is."""
    with contextlib.suppress(OSError):
        if file.stat().st_size <= _MOST_FILE:
            data = file.read_bytes()
            given = covered(data)
            if given != data:
                file.write_bytes(given)


def _is_abandoned(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime > _ABANDONED_AFTER
    except OSError:
        return False


def _age(file: Path) -> tuple[int, str]:
    stamp = file.name.lstrip(".").partition("-")[0]
    return (int(stamp) if stamp.isdecimal() else 0, file.name)


def _read(file: Path) -> Spooled:
    try:
        if file.stat().st_size > _MOST_FILE:
            return Spooled(file, broken=f"larger than {_MOST_FILE} bytes")
        data = file.read_bytes()
    except OSError as error:
        return Spooled(file, broken=str(error))
    line, _, frame = data.partition(b"\n")
    if not line.startswith(_MAGIC) or len(frame) < _PREFIX.size:
        return Spooled(file, broken=f"it begins with {data[:40]!r}")
    _, header, body = _PREFIX.unpack_from(frame)
    if len(frame) != _PREFIX.size + header + body:
        return Spooled(file, broken=f"{len(frame)} bytes of frame, {header + body} announced")
    reason = line[len(_MAGIC) :].decode("utf-8", "replace")
    start = _PREFIX.size + header
    return Spooled(file, reason, frame[_PREFIX.size : start], frame[start:])
