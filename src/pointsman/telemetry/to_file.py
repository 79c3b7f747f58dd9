"""A file of JSON lines, which begins anew when it is full; full ones are ``x.1``, ``x.2``."""

import os
from collections.abc import Sequence
from pathlib import Path

from pointsman.model.telemetry import Entry
from pointsman.telemetry.lines import line_of, objects_of
from pointsman.telemetry.sink import EVENTS, Sink

SIGNALS = (EVENTS,)


def deliver(sink: Sink, signal: str, entries: Sequence[Entry]) -> None:
    """Append entries in one piece, and turn the file over before it grows too large."""
    del signal
    data = b"".join(map(line_of, objects_of(entries, sink.wanted)))
    if not data:
        return
    path = Path(sink.to)
    descriptor = _opened(path)
    try:
        size = os.fstat(descriptor).st_size
        if size and size + len(data) > sink.most_bytes:
            os.close(descriptor)
            _turn(path, sink.keep)
            descriptor = _opened(path)
            size = 0
        _write(descriptor, data, size)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _write(descriptor: int, data: bytes, before: int) -> None:
    written = os.write(descriptor, data)
    if written != len(data):
        # A full disk takes a part: half a line must not stand there when it is tried again.
        os.ftruncate(descriptor, before)
        raise OSError(f"only {written} of {len(data)} bytes could be written")


def _turn(path: Path, keep: int) -> None:
    for number in range(keep - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))
