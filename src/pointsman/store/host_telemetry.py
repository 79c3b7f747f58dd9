"""What a host's own telemetry says of its sessions: a small file of its own, beside the ledger.

It is no part of the audit trail: whoever may post to it may say anything. It is what the record
and the transcripts are compared with.
"""

import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pointsman.model.errors import LedgerError
from pointsman.model.telemetry import HOST_COUNTS, HostCall, Received
from pointsman.store.ledger_file import read_only
from pointsman.store.migrate import migrate, scripts

_ADD = ", ".join(f"{name} = {name} + excluded.{name}" for name in HOST_COUNTS)
_SESSION = (
    f"INSERT INTO host_sessions (session, first_ns, last_ns, {', '.join(HOST_COUNTS)})"  # noqa: S608
    f" VALUES ({','.join('?' * (3 + len(HOST_COUNTS)))})"
    f" ON CONFLICT (session) DO UPDATE SET last_ns = excluded.last_ns, {_ADD}"
)
_CALL = (
    "INSERT INTO host_calls VALUES (?,?,?,?,?,?) ON CONFLICT (session, call)"
    " DO UPDATE SET ended = ended | excluded.ended"
)
_MOST_CALLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """What the host's telemetry tells of one session."""

    counts: dict[str, int]
    calls: tuple[HostCall, ...]


class HostTelemetry:
    """The open file; only the relay has one."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path, self._connection = path, connection

    @classmethod
    def open(cls, path: Path) -> "HostTelemetry":
        """Open the file, made where there is none.

        Raises:
            LedgerError: it cannot be opened, or a newer program wrote it.
        """
        connection = None
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            # Whoever uses it holds a lock: messages come on several threads.
            connection = sqlite3.connect(
                path, timeout=2.0, isolation_level=None, check_same_thread=False
            )
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
                connection.execute(f"PRAGMA {pragma}")
            migrate(connection, scripts("host_migrations"))
        except (OSError, sqlite3.Error) as error:
            if connection is not None:
                connection.close()
            raise _translated(path, error) from error
        return cls(path, connection)

    def add(self, received: Received) -> None:
        """Add what a message says, all of it or nothing.

        Raises:
            LedgerError: nothing was added.
        """
        at = received.at_ns
        sessions = [
            (session, at, at, *(counts.get(name, 0) for name in HOST_COUNTS))
            for session, counts in received.counts.items()
        ]
        calls = [
            (each.session, each.id, each.at_ns, each.tool, each.agent_id, int(each.ended))
            for each in received.calls
        ]
        with self._transaction():
            self._connection.executemany(_SESSION, sessions)
            self._connection.executemany(_CALL, calls)

    def prune(self, before_ns: int, most: int = _MOST_CALLS) -> None:
        """Forget what is older than a time, and the oldest calls where there are too many.

        Raises:
            LedgerError: nothing was forgotten.
        """
        with self._transaction():
            self._connection.execute("DELETE FROM host_sessions WHERE last_ns < ?", (before_ns,))
            self._connection.execute("DELETE FROM host_calls WHERE at_ns < ?", (before_ns,))
            self._connection.execute(
                "DELETE FROM host_calls WHERE at_ns < (SELECT at_ns FROM host_calls"
                " ORDER BY at_ns DESC LIMIT 1 OFFSET ?)",
                (most,),
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise _translated(self._path, error) from error


def told(path: Path, since_ns: int, sessions: Collection[str] = ()) -> dict[str, Told]:
    """Return what is told of these sessions, and of all that were heard of since a time.

    Raises:
        LedgerError: the file is there and cannot be read.
    """
    if not path.exists():
        return {}
    names = ", ".join(HOST_COUNTS)
    try:
        with closing(read_only(path)) as connection:
            found = connection.execute(
                f"SELECT session, last_ns, {names} FROM host_sessions"  # noqa: S608 - ours
            ).fetchall()
            return {
                row[0]: Told(
                    dict(zip(HOST_COUNTS, row[2:], strict=True)), _calls(connection, row[0])
                )
                for row in found
                if row[1] >= since_ns or row[0] in sessions
            }
    except sqlite3.Error as error:
        raise _translated(path, error) from error


def _calls(connection: sqlite3.Connection, session: str) -> tuple[HostCall, ...]:
    rows = connection.execute(
        "SELECT session, call, at_ns, tool, agent_id, ended FROM host_calls WHERE session = ?"
        " ORDER BY at_ns",
        (session,),
    )
    return tuple(
        HostCall(session=row[0], id=row[1], at_ns=row[2], tool=row[3], agent_id=row[4],
                 ended=bool(row[5]))
        for row in rows
    )  # fmt: skip


def _translated(path: Path, error: Exception) -> LedgerError:
    return LedgerError(
        f"the host's telemetry {path} cannot be used: {error}", fix=f"mv {path} {path}.old"
    )
