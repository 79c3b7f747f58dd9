"""Alerts, in a file of their own with whom people have stopped and what is still to be told.

The daemon writes it, a command does where no daemon runs. Each change of an alert is one
transaction that names the state it starts from, and a row of ``changes`` with the next number:
whoever follows goes on behind the last one it had. The daemon copies each onto the ledger.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pointsman.model.alert import Severity
from pointsman.model.alerting import OPEN, Alert, Change, State
from pointsman.model.errors import AlertError, LedgerError
from pointsman.store import ledger_file
from pointsman.store.migrate import migrate, scripts

_MIGRATIONS = "alert_migrations"
_BUSY_S = 1.0
_MOST_TEXT = 4000
_HIGHEST = "alert"
"""The counter that holds the highest number ever given: what is pruned is not given again."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OPEN = ", ".join(f"'{state}'" for state in OPEN)


class AlertStore:
    """The open store; every method is one transaction.

    ``aside`` names a damaged file whose place a new one has taken; ``renewed`` says that another
    file than before stands at the name: what was known of the old one may be put into it.

    Raises:
        AlertError: from every method, where the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.aside = ""
        self.renewed = False
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._version = -1

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    # --- alerts ------------------------------------------------------------------------------

    def keep(self, change: Change) -> int:
        """Put a change down; return its number, 0 where the alert stands elsewhere by now."""
        alert = change.alert
        row = _to_row(alert)
        with self.transaction() as db:
            found = db.execute(
                "SELECT state FROM alerts WHERE number = ?", (alert.number,)
            ).fetchone()
            if (found["state"] if found else State.OK) != change.before:
                return 0
            _put(db, row)
            done = db.execute(
                "INSERT INTO changes (number, ns, before, after, by, text)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (alert.number, change.ns, change.before.value, alert.state.value,
                 fitting(change.by), fitting(change.text)),
            )  # fmt: skip
        return int(done.lastrowid or 0)

    def saw(self, alert: Alert) -> None:
        """Put down that an open alert was seen again, or told; its state stays."""
        row = _to_row(alert)
        with self.transaction() as db:
            db.execute(
                "UPDATE alerts SET count = :count, seen_ns = :seen_ns, summary = :summary,"
                " told_ns = :told_ns, level = :level, seqs = :seqs, figures = :figures"
                " WHERE number = :number",
                row,
            )

    def alive(self, since_ns: int) -> tuple[list[Alert], int]:
        """Return what is open or over since then only, and the highest number there is."""
        rows = self._rows(
            f"WHERE state IN ({_OPEN}) OR changed_ns >= ? ORDER BY number", (since_ns,)
        )
        # Of several about the same, the newest: an older one is over.
        return list({alert.identity: alert for alert in rows}.values()), self.counter(_HIGHEST)

    def counter(self, name: str) -> int:
        """Return what was counted under a name."""
        with self.reading() as db:
            row = db.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()
        return int(row["value"]) if row else 0

    def some(
        self, states: Iterable[State] = (), limit: int = 100, session: str = ""
    ) -> list[Alert]:
        """Return alerts in these states (none named: all), the newest last."""
        named = [state.value for state in states]
        parts = [f"state IN ({', '.join('?' * len(named))})"] if named else []
        parts += ["session = ?"] if session else []
        where = f"WHERE {' AND '.join(parts)} " if parts else ""
        values = (*named, *([session] if session else []), limit)
        return self._rows(f"{where}ORDER BY number DESC LIMIT ?", values)[::-1]

    def get(self, number: int) -> Alert:
        """Return one alert.

        Raises:
            AlertError: there is none with this number.
        """
        found = self._rows("WHERE number = ?", (min(number, 2**63 - 1),))
        if not found:
            raise AlertError(f"no alert has the number {number}", fix="pointsman alerts list --all")
        return found[0]

    def counts(self) -> dict[str, int]:
        """Return how many alerts are open, by state."""
        with self.reading() as db:
            rows = db.execute(
                f"SELECT state, count(*) AS n FROM alerts WHERE state IN ({_OPEN})"  # noqa: S608
                " GROUP BY state"
            ).fetchall()
        return {row["state"]: row["n"] for row in rows}

    def after(self, number: int, limit: int = 200) -> list[Change]:
        """Return the changes behind a number, in order, each with its alert as it is now."""
        return self._changes("WHERE n > ? ORDER BY n LIMIT ?", (number, limit))

    def history(self, number: int) -> list[Change]:
        """Return what happened to one alert, in order."""
        return self._changes("WHERE changes.number = ? ORDER BY n LIMIT 1000", (number,))

    def newest(self) -> int:
        """Return the number of the newest change, 0 where there is none."""
        with self.reading() as db:
            row = db.execute("SELECT max(n) AS n FROM changes").fetchone()
        return int(row["n"] or 0)

    def unnoted(self, limit: int = 200) -> list[Change]:
        """Return changes that do not stand on the ledger yet, in order."""
        return self._changes("WHERE noted = 0 ORDER BY n LIMIT ?", (limit,))

    def noted(self, number: int) -> None:
        """Say that every change up to this one stands on the ledger."""
        with self.transaction() as db:
            db.execute("UPDATE changes SET noted = 1 WHERE noted = 0 AND n <= ?", (number,))

    # --- the file ----------------------------------------------------------------------------

    def changed(self) -> bool:
        """Whether another process has written since the last look."""
        with self.reading() as db:
            version = int(db.execute("PRAGMA data_version").fetchone()[0])
        before, self._version = self._version, version
        return before != version

    def prune(self, older_than_ns: int) -> None:
        """Forget what is over since before this time, and stands on the ledger."""
        with self.transaction() as db:
            db.execute(
                "DELETE FROM alerts WHERE state = 'recovered' AND changed_ns < ? AND NOT EXISTS"
                " (SELECT 1 FROM changes WHERE changes.number = alerts.number AND noted = 0)",
                (older_than_ns,),
            )
            # The last one stays: its number says where the next begins.
            db.execute(
                "DELETE FROM changes WHERE ns < ? AND n < (SELECT max(n) FROM changes)"
                " AND number NOT IN (SELECT number FROM alerts)",
                (older_than_ns,),
            )
            db.execute("DELETE FROM hold_changes WHERE ns < ? AND noted = 1", (older_than_ns,))

    def _rows(self, rest: str, values: tuple[Any, ...]) -> list[Alert]:
        with self.reading() as db:
            rows = db.execute(f"SELECT * FROM alerts {rest}", values).fetchall()  # noqa: S608
        return [_from_row(row) for row in rows]

    def _changes(self, rest: str, values: tuple[Any, ...]) -> list[Change]:
        sql = (
            "SELECT alerts.*, changes.n, changes.ns AS at_ns, changes.before, changes.after,"
            " changes.by AS who, changes.text FROM changes JOIN alerts"
            " ON alerts.number = changes.number"
        )
        with self.reading() as db:
            rows = db.execute(f"{sql} {rest}", values).fetchall()
        return [_change(row) for row in rows]

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection; errors come out as ours."""
        try:
            yield self._open()
        except sqlite3.Error as error:
            raise self._translated(error) from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction that ends with the block."""
        with self.reading() as db:
            # IMMEDIATE: of two that move the same alert, the second finds it moved.
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    def _open(self) -> sqlite3.Connection:
        """Return the connection; anew where another file stands at the name by now."""
        stands = _identity(self.path)
        if self._connection is not None and self._file == stands:
            return self._connection
        self.close()
        self.renewed |= self._file is not None and self._file != stands
        try:
            self._connection = _connect(self.path)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                raise
            self.aside = str(ledger_file.set_aside(self.path, ledger_file.CORRUPT))
            self._connection = _connect(self.path)
        except (OSError, LedgerError) as error:
            raise self._translated(error) from error
        self.renewed |= bool(self.aside)
        self._file, self._version = _identity(self.path), -1
        return self._connection

    def _translated(self, error: Exception) -> AlertError:
        fix = f"check that {self.path.parent} exists, is yours and has room, then: pointsman up"
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            self.close()
            fix = f"mv {self.path} {self.path}.aside; pointsman up --restart"
        return AlertError(f"the alerts {self.path} cannot be had: {error}", fix=fix)


def _connect(path: Path) -> sqlite3.Connection:
    # Made here for its mode, as SQLite goes by the umask; only where there is none, as to close a
    # file takes away every lock that this process has on it.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        try:
            migrate(connection, scripts(_MIGRATIONS))
        except sqlite3.OperationalError:
            # The other of daemon and command made the tables meanwhile.
            migrate(connection, scripts(_MIGRATIONS))
    except BaseException:
        connection.close()
        raise
    return connection


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _put(db: sqlite3.Connection, row: dict[str, Any]) -> None:
    names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    sets = ", ".join(f"{name} = excluded.{name}" for name in row if name != "number")
    db.execute(
        f"INSERT INTO alerts ({names}) VALUES ({marks})"  # noqa: S608 - our own names
        f" ON CONFLICT (number) DO UPDATE SET {sets}",
        row,
    )
    count(db, _HIGHEST, row["number"], highest=True)


def count(db: sqlite3.Connection, name: str, value: int, *, highest: bool = False) -> None:
    """Add to a counter, or raise it to a value."""
    db.execute("INSERT OR IGNORE INTO counters (name, value) VALUES (?, 0)", (name,))
    sql = (
        "UPDATE counters SET value = max(value, ?) WHERE name = ?"
        if highest
        else "UPDATE counters SET value = value + ? WHERE name = ?"
    )
    db.execute(sql, (value, name))


def _to_row(alert: Alert) -> dict[str, Any]:
    return {
        "number": alert.number,
        "state": alert.state.value,
        "severity": alert.severity.value,
        "detector": alert.detector,
        "key": fitting(alert.key),
        "summary": fitting(alert.summary),
        "host": alert.host,
        "session": alert.session,
        "agent_id": alert.agent_id,
        "agent_type": alert.agent_type,
        "repository": alert.repository,
        "lasting": int(alert.lasting),
        "count": alert.count,
        "level": alert.level,
        "opened_ns": alert.opened_ns,
        "seen_ns": alert.seen_ns,
        "changed_ns": alert.changed_ns,
        "told_ns": alert.told_ns,
        "by": fitting(alert.by),
        "seqs": json.dumps(alert.seqs),
        "figures": json.dumps(dict(alert.figures)),
    }


def _from_row(row: sqlite3.Row) -> Alert:
    return Alert(
        number=row["number"], state=State(row["state"]), severity=Severity(row["severity"]),
        detector=row["detector"], key=row["key"], summary=row["summary"], host=row["host"],
        session=row["session"], agent_id=row["agent_id"], agent_type=row["agent_type"],
        repository=row["repository"], lasting=bool(row["lasting"]), count=row["count"],
        level=row["level"], opened_ns=row["opened_ns"], seen_ns=row["seen_ns"],
        changed_ns=row["changed_ns"], told_ns=row["told_ns"], by=row["by"],
        seqs=tuple(json.loads(row["seqs"])), figures=json.loads(row["figures"]),
    )  # fmt: skip


def _change(row: sqlite3.Row) -> Change:
    alert = replace(_from_row(row), state=State(row["after"]))
    return Change(
        alert=alert, before=State(row["before"]), ns=row["at_ns"], by=row["who"],
        text=row["text"], number=row["n"],
    )  # fmt: skip


def fitting(value: str) -> str:
    """Return what SQLite can hold: no lone surrogates, no megabytes."""
    return value[:_MOST_TEXT].encode("utf-8", "backslashreplace").decode()
