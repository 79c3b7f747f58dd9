"""How far each stream has come, in a file: where the next process goes on, and what status says."""

import contextlib
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Position:
    """One stream: the last entry that has arrived and its hash; counts of events.

    ``sent`` have arrived, ``lost`` were removed by retention before, ``rejected`` the other end
    would not have. ``waiting`` are entries of the ledger behind ``after``.
    """

    after: int = -1
    mark: str = ""
    sent: int = 0
    lost: int = 0
    rejected: int = 0
    waiting: int = 0
    failures: int = 0
    fault: str = ""
    begun: bool = False


class Progress:
    """All positions; written down after each change, in one piece."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known = _positions(read(file).get("streams"))
        self._mine: dict[str, Position] = {}
        self.listening: dict[str, Any] = {}

    def of(self, name: str) -> Position:
        """Return the position of a stream, that of last time where there is one."""
        with self._lock:
            found = self._known.get(name) or Position()
            self._mine[name] = found
            return found

    def all(self) -> dict[str, Position]:
        """Return the positions of the streams of this process."""
        with self._lock:
            return dict(self._mine)

    def keep(self) -> None:
        """Write everything down; what cannot be written is sent twice at the worst."""
        with self._lock:
            # A sink that is switched off for a while goes on later where it was.
            streams = {**self._known, **self._mine}
            value = {
                "streams": {name: asdict(each) for name, each in streams.items()},
                "active": sorted(self._mine),
                "listening": self.listening,
            }
            temporary = self._file.with_name(f".{self._file.name}.new")
            with contextlib.suppress(OSError):
                temporary.write_text(json.dumps(value), encoding="utf-8")
                temporary.replace(self._file)


def read(file: Path) -> dict[str, Any]:
    """Return what was written down; nothing where it cannot be read."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _positions(given: object) -> dict[str, Position]:
    out = {}
    for name, value in given.items() if isinstance(given, Mapping) else ():
        if isinstance(value, Mapping):
            out[str(name)] = _position(value)
    return out


def _position(given: Mapping[str, Any]) -> Position:
    found = Position()
    for each in fields(Position):
        value = given.get(each.name)
        if type(value) is type(getattr(found, each.name)):
            setattr(found, each.name, value)
    found.failures, found.fault = 0, ""
    return found
