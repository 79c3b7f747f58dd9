"""The whole of verification: a ledger is read, held against checkpoints, and judged."""

import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerError
from pointsman.store import checkpoints, faults
from pointsman.store.beside import beside_file
from pointsman.store.checkpoints import Checkpoint
from pointsman.store.handover import succession
from pointsman.store.migrate import schema_version
from pointsman.store.query import opened
from pointsman.store.sealing import EVERY, begun
from pointsman.store.verify import Reading, Retired
from pointsman.store.witness_stream import Stream

OWN = "the ledger"
_CHAINED_SINCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a ledger is held against, besides itself.

    ``keys`` are public keys whose word counts, ``files`` checkpoints that were sent elsewhere.
    ``home`` is the ledger of this user and ``home_key`` its key: they count for copies of it, too.
    """

    keys: frozenset[bytes] = frozenset()
    files: Sequence[Path] = ()
    home: Path | None = None
    home_key: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a record. ``first_bad`` is the number of an event; counts are of entries."""

    ledger: Path
    fault: str | None = None
    first_bad: int | None = None
    words: str = ""
    records: int = 0
    entries: int = 0
    checkpoints: int = 0
    signed: int = 0
    removed: int = 0
    uncovered: int = 0
    log: str = ""
    keys: tuple[str, ...] = ()
    known: bool = True
    """Whether the key is one that was named or is this user's own."""
    files: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was done to it."""
        return self.fault is None

    def as_json(self) -> dict[str, Any]:
        """Return it as ``--json`` prints it."""
        return {
            "ok": self.ok,
            "fault": self.fault,
            "first_bad": self.first_bad,
            "records": self.records,
            "words": self.words,
            "ledger": str(self.ledger),
            "log": self.log,
            "entries": self.entries,
            "signed": self.signed,
            "unsigned": max(self.entries - self.signed, 0),
            "removed": self.removed,
            "uncovered": self.uncovered,
            "checkpoints": self.checkpoints,
            "held_against": list(self.files),
            "keys": list(self.keys),
            "key_known": self.known,
        }


def verify(
    ledger: Path, trust: Trust, tell: Callable[[int], None] = lambda _entries: None
) -> Verdict:
    """Return what became of a ledger; it may be one that a daemon writes to.

    ``tell`` is told now and then how many entries of the chain have been read.

    Raises:
        LedgerError: there is none, it cannot be read, or it is from before there was a chain.
    """
    with opened(ledger) as connection:
        connection.row_factory = None
        # One state of it from here to the end, whatever is written meanwhile.
        connection.execute("BEGIN")
        if schema_version(connection) < _CHAINED_SINCE:
            raise LedgerError(
                f"the ledger {ledger} is from before there was a chain", fix="pointsman up"
            )
        return _verify(connection, ledger, trust, tell)


def _verify(
    connection: sqlite3.Connection, ledger: Path, trust: Trust, tell: Callable[[int], None]
) -> Verdict:
    said = begun(connection)
    log = str(said.get("log", ""))
    files = list(dict.fromkeys(file.absolute() for file in _files(ledger, trust, log)))
    keys = trust.keys or _keys(ledger, trust, log)
    # Streams of a ledger nobody has named a key for ask again, with the first key they meet.
    lead = cache(lambda met: succession(connection, log, keys or met))
    own = Stream(
        OWN, checkpoints.stored(connection), log, lead,
        linked=True, start=_start(connection, said),
    )  # fmt: skip
    streams = [own]
    for file in files:
        lines = checkpoints.read_lines(file)
        streams.append(Stream(str(file), lines, log, lead, until=_until(file, ledger, trust)))
    reading = Reading(connection, streams, tell)
    every = said.get("every", EVERY)
    fault: faults.Fault | None
    try:
        reading.run()
        fault = faults.name(
            connection, reading.found, streams, every if type(every) is int else EVERY
        )
        fault = fault or _other_beside(ledger, said)
        fault = _placed(connection, fault, ledger, trust)
    except (sqlite3.DatabaseError, struct.error, TypeError, ValueError) as error:
        fault = _unreadable(error, reading.found.event)
    found = reading.found
    signers = sorted({key.hex() for stream in streams for key in stream.signers})
    return Verdict(
        ledger=ledger,
        fault=fault.name if fault else None,
        first_bad=fault.first_bad if fault else None,
        words=fault.words if fault else "",
        records=found.records,
        entries=found.entries,
        checkpoints=own.count,
        signed=max(stream.size for stream in streams),
        removed=found.removed,
        uncovered=found.uncovered,
        log=log,
        keys=tuple(signers),
        known=bool(keys) or not signers,
        files=tuple(map(str, files)),
    )


def _placed(
    connection: sqlite3.Connection, fault: faults.Fault | None, ledger: Path, trust: Trust
) -> faults.Fault | None:
    """Say of a copy that was written anew where it begins to differ from the original, if that is.

    By itself it tells only behind which checkpoint.
    """
    home = trust.home
    if fault is None or fault.name != faults.REWRITE or home is None or not home.exists():
        return fault
    if ledger.absolute() == home.absolute():
        return fault
    try:
        with opened(home) as original:
            original.row_factory = None
            seq = faults.first_difference(connection, original, fault.first_bad)
    except LedgerError:
        return fault
    if seq is None:
        return fault
    return faults.Fault(fault.name, seq, f"{fault.words}; {home} has another event {seq}")


def _unreadable(error: Exception, event: int) -> faults.Fault:
    """Name rows that are none of ours: no writer of this ledger leaves them so.

    Raises:
        sqlite3.DatabaseError: it was the disk or a lock, which says nothing of the record.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code not in _CHANGED:
        raise error
    return faults.Fault(faults.EDIT, event + 1, f"what follows cannot be read: {error}")


_CHANGED = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def _files(ledger: Path, trust: Trust, log: str) -> Iterator[Path]:
    """Yield the files to hold it against: those named, the one beside it, this user's own."""
    yield from trust.files
    places = [beside_file(ledger)]
    if trust.home is not None:
        places.append(beside_file(trust.home))
    for place in places:
        if place.exists() and _knows(place, log):
            yield place


def _other_beside(ledger: Path, said: dict[str, Any]) -> faults.Fault | None:
    """Name a ledger that stands where another one stood, and does not say that it follows it."""
    beside = beside_file(ledger)
    newest = checkpoints.newest_of(beside)
    if newest is None or _knows(beside, str(said.get("log"))):
        return None
    if said.get("checkpoint") == newest.seq:
        return None
    words = f"{beside} vouches for another chain: {newest.log}"
    return faults.Fault(faults.REWRITE, 1, words)


def _until(file: Path, ledger: Path, trust: Trust) -> int | None:
    """Return when a copy was made, where it is held against the checkpoints of the original.

    Those go on: a copy of last week lacks this week's records, and nothing was cut off it.
    """
    named = file in [each.absolute() for each in trust.files]
    if named or file == beside_file(ledger).absolute():
        return None
    try:
        return ledger.stat().st_mtime_ns
    except OSError:
        return None


def _keys(ledger: Path, trust: Trust, log: str) -> frozenset[bytes]:
    """Return this user's own key, where the ledger is this user's own or a copy of it."""
    if trust.home_key is not None and trust.home is not None:
        own = ledger.absolute() == trust.home.absolute()
        if own or _knows(beside_file(trust.home), log):
            return frozenset({trust.home_key})
    # Somebody vouched elsewhere, out of reach: whoever that was.
    first = next((_first_of(file, log) for file in trust.files), None)
    return frozenset({first.key}) if first and first.is_sound() else frozenset()


def _first_of(file: Path, log: str) -> Checkpoint | None:
    return next((each for each in checkpoints.read_lines(file) if each.log == log), None)


def _knows(file: Path, log: str) -> bool:
    """Whether a file has checkpoints of this chain; the file beside holds those of others, too."""
    try:
        newest = checkpoints.newest_of(file)
        return newest is not None and (newest.log == log or _first_of(file, log) is not None)
    except LedgerError:
        return False


def _start(connection: sqlite3.Connection, said: dict[str, Any]) -> int | None:
    """Return the number that the first checkpoint must have."""
    before = said.get("checkpoint")
    if type(before) is not int:
        return None
    return max(before, Retired(connection).checkpoints) + 1
