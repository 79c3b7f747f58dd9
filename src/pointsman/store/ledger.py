"""The audit trail's one writer.

``append`` is one transaction for a whole batch. With the write-ahead log and
``synchronous=NORMAL`` a returned append survives the death of the process (the bytes are with
the kernel); a loss of power can take the last appends with it, never the file's soundness.
"""

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerCorrupt, LedgerError
from pointsman.model.hook import HookRun
from pointsman.store.migrate import migrate
from pointsman.store.record import Record, event_row, run_row


def _marks(columns: int) -> str:
    return ",".join("?" * columns)


_EVENT = f"INSERT INTO events VALUES ({_marks(28)})"  # noqa: S608 - only question marks
_BODY = "INSERT INTO bodies VALUES (?,?,?,?)"
_RUN = f"INSERT INTO hook_runs VALUES ({_marks(13)})"  # noqa: S608 - only question marks
_NOTE = "INSERT INTO notes (ns, kind, text, data) VALUES (?,?,?,?)"
_BUSY_MS = 250
_CORRUPT_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Ledger:
    """The open ledger. Only the daemon, which holds the lock of the state directory, has one."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, clock: Callable[[], int]
    ) -> None:
        self._path = path
        self._connection = connection
        self._clock = clock
        self._next = _highest(connection) + 1

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], int] = time.time_ns) -> "Ledger":
        """Open or create the ledger; a corrupt one is set aside and a new one says so.

        Raises:
            LedgerError: where it cannot be opened for writing, or is newer than this program.
        """
        try:
            return cls(path, _connect(path), clock)
        except LedgerCorrupt as error:
            moved = set_aside(path, clock)
            ledger = cls(path, _connect(path), clock)
            ledger.note("ledger set aside", f"{error}; kept as {moved}", kept_as=str(moved))
            return ledger

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def append(self, records: Sequence[Record]) -> list[int]:
        """Record these, all or none; return the sequence number of each.

        A file that turns out to be damaged is set aside and the batch goes to a new one.

        Raises:
            LedgerError: disk full, read-only, locked; nothing of the batch is recorded.
        """
        try:
            return self._append(records)
        except LedgerCorrupt as error:
            self._replace(error)
            return self._append(records)

    def _append(self, records: Sequence[Record]) -> list[int]:
        events: list[tuple[Any, ...]] = []
        bodies: list[tuple[Any, ...]] = []
        runs: list[tuple[Any, ...]] = []
        seqs = []
        seq = self._next
        for record in records:
            seqs.append(seq)
            parent = seq
            for one, derived_from in _with_derived(record, parent):
                events.append(event_row(seq, derived_from, one))
                runs.extend(run_row(seq, n, run) for n, run in enumerate(one.runs))
                if one.payload or one.answer.stdout or one.answer.stderr:
                    bodies.append((seq, one.payload, one.answer.stdout, one.answer.stderr))
                seq += 1
        self._write([(_EVENT, events), (_BODY, bodies), (_RUN, runs)])
        self._next = seq
        return seqs

    def append_runs(self, seq: int, first: int, runs: Sequence[HookRun]) -> None:
        """Add hook runs that ended after the answer was out to the event ``seq``."""
        rows = [run_row(seq, first + n, run) for n, run in enumerate(runs)]
        self._write([(_RUN, rows)])

    def note(self, kind: str, text: str, **data: object) -> None:
        """Record something of the daemon's own."""
        row = (self._clock(), kind, text, json.dumps(data, default=str))
        self._write([(_NOTE, [row])])

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file, on a connection of its own.

        May be called from another thread: an append never waits for it.
        """
        with contextlib.closing(sqlite3.connect(self._path, timeout=1.0)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def prune(self, older_than_ns: int, batch: int = 500) -> int:
        """Delete events received before this time, at most ``batch``; return how many."""
        with self._transaction():
            found = self._connection.execute(
                "SELECT seq FROM events WHERE received_ns < ? ORDER BY seq LIMIT ?",
                (older_than_ns, batch),
            ).fetchall()
            self._connection.execute("INSERT INTO retention_gate VALUES (1)")
            for table in ("bodies", "hook_runs", "events"):
                self._connection.executemany(f"DELETE FROM {table} WHERE seq = ?", found)  # noqa: S608
            self._connection.execute("DELETE FROM retention_gate")
        return len(found)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _replace(self, error: LedgerCorrupt) -> None:
        self._connection.close()
        moved = set_aside(self._path, self._clock)
        self._connection = _connect(self._path)
        self._next = max(self._next, _highest(self._connection) + 1)
        self.note("ledger set aside", f"{error}; kept as {moved}", kept_as=str(moved))

    def _write(self, statements: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]) -> None:
        with self._transaction():
            for statement, rows in statements:
                if rows:
                    self._connection.executemany(statement, rows)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise _translated(error, self._path) from error


def set_aside(path: Path, clock: Callable[[], int] = time.time_ns) -> Path:
    """Move a ledger and its log files out of the way, overwriting nothing; return where to."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(clock() / 1e9))
    for attempt in range(1000):
        target = path.with_name(f"{path.name}.corrupt-{stamp}-{attempt}")
        if not target.exists():
            break
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{target}{suffix}")
    return target


def _connect(path: Path) -> sqlite3.Connection:
    connection: sqlite3.Connection | None = None
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=0"):
            connection.execute(f"PRAGMA {pragma}")
        _probe(connection)
        migrate(connection)
    except (sqlite3.Error, OSError) as error:
        if connection is not None:
            connection.close()
        raise _translated(error, path) from error
    except LedgerError:
        if connection is not None:
            connection.close()
        raise
    return connection


def _probe(connection: sqlite3.Connection) -> None:
    """Read the schema and the ends of each table: finds a damaged file without reading it all."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
    for (name,) in tables:
        connection.execute(f"SELECT * FROM {name} ORDER BY 1 DESC LIMIT 3").fetchall()  # noqa: S608
        connection.execute(f"SELECT * FROM {name} ORDER BY 1 LIMIT 3").fetchall()  # noqa: S608


def _highest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])


def _with_derived(record: Record, parent: int) -> Iterator[tuple[Record, int | None]]:
    yield record, None
    for derived in record.derived:
        yield derived, parent


_FIXES = {
    sqlite3.SQLITE_FULL: "free space on the disk that holds it, then: pointsman up",
    sqlite3.SQLITE_READONLY: "make it writable for you, then: pointsman up",
    sqlite3.SQLITE_BUSY: "end the other program that writes to it, then: pointsman up",
    sqlite3.SQLITE_CANTOPEN: "check that its directory exists and is yours, then: pointsman up",
}


def _translated(error: sqlite3.Error | OSError, path: Path) -> LedgerError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _CORRUPT_CODES:
        return LedgerCorrupt(f"the ledger {path} is damaged: {error}", fix="pointsman up")
    fix = _FIXES.get(code, "pointsman doctor")
    return LedgerError(f"the ledger {path} cannot be written: {error}", fix=fix)
