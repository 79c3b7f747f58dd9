"""The approvals that wait for a person, in a file of their own: they change, the ledger does not.

The daemon asks and uses up, a person's command answers: two processes, so every change of state
is one transaction that names the state it starts from, and only one of two can make it. Each
change is also a row of ``transitions``, which the daemon copies onto the ledger.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pointsman.model.approval import Approval, Moment, State, Transition
from pointsman.model.errors import ApprovalError, LedgerError
from pointsman.model.event import Identity
from pointsman.store import ledger_file
from pointsman.store.approval_rows import fitting, from_row, to_row, transition
from pointsman.store.migrate import migrate, scripts

_MIGRATIONS = "approval_migrations"
_BUSY_S = 1.0
_SHORTEST = 4
"""Characters of an id by which an approval may be named."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SETTABLE = frozenset(
    {"decided_by", "note", "modified", "session", "key", "call", "used_ns", "escalated_ns"}
    | {"asked_session", "ran"}
    | {"decided_ns", "decided_boot_ns", "decided_boot", "valid_s", "wait_until_ns"}
)
_WHOLE = frozenset({"modified"})
"""JSON that is run as it is: a part of it would be none."""


def moment() -> Moment:
    """Return the present by every clock that this machine has."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    boot = _boot() if clock is not None else ""
    return Moment(time.time_ns(), time.clock_gettime_ns(clock) if clock and boot else 0, boot)


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


class Approvals:
    """The open store; every method is one transaction.

    Raises:
        ApprovalError: from every method, where the file cannot be read or written.
    """

    def __init__(self, path: Path, clock: Callable[[], Moment] = moment) -> None:
        self.path = path
        self.clock = clock
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    # --- asking -----------------------------------------------------------------------------

    def add(self, approval: Approval) -> None:
        """Put a new question down."""
        row = to_row(approval)
        names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        with self._transaction() as db:
            db.execute(f"INSERT INTO approvals ({names}) VALUES ({marks})", row)  # noqa: S608
            who = f"{approval.binding.agent} in session {approval.session}"
            said = f"{approval.binding.tool}: {approval.reason}"
            _note(db, approval.id, "", approval.state.value, by=who, text=said, ns=self._ns())

    def find(self, key: str) -> list[Approval]:
        """Return what is in our queue for a binding, the newest first; at most 20."""
        return self._rows(
            "WHERE key = ? AND state IN ('waiting', 'approved', 'used', 'refused')"
            " ORDER BY created_ns DESC, rowid DESC LIMIT 20",
            (key,),
        )

    def ask_again(self, name: str, call: str) -> None:
        """Count one more request for a question that waits; the same call counts once."""
        with self._transaction() as db:
            db.execute(
                "UPDATE approvals SET requests = requests + 1, call = ?"
                " WHERE id = ? AND (call <> ? OR call = '')",
                (call, name, call),
            )

    def waiting(self) -> int:
        """Return how many questions nobody has answered yet."""
        with self._reading() as db:
            row = db.execute("SELECT count(*) FROM approvals WHERE state = 'waiting'").fetchone()
        return int(row[0])

    # --- changing ---------------------------------------------------------------------------

    def move(
        self, name: str, before: State, after: State, *, by: str, text: str = "", **columns: Any
    ) -> bool:
        """Change a state, and further columns with it; return whether it was ``before`` still."""
        given = {
            name: fitting(value) if isinstance(value, str) and name not in _WHOLE else value
            for name, value in columns.items()
            if name in _SETTABLE
        }
        if len(given) != len(columns):
            raise ValueError(f"no such columns: {sorted(set(columns) - _SETTABLE)}")
        sets = ", ".join(["state = :after", *(f"{name} = :{name}" for name in given)])
        values = {**given, "id": name, "before": before.value, "after": after.value}
        with self._transaction() as db:
            done = db.execute(
                f"UPDATE approvals SET {sets} WHERE id = :id AND state = :before",  # noqa: S608
                values,
            )
            if done.rowcount == 1:
                _note(db, name, before.value, after.value, by=by, text=text, ns=self._ns())
        return done.rowcount == 1

    def pass_on(self, who: Identity, tool: str, ran: str, since_ns: int) -> str:
        """Take the host's own question about a call that was let through; return its approval.

        ``ran`` is the hash of what was let through. Once for each call; empty where there is none
        that was used since then.
        """
        with self._transaction() as db:
            found = db.execute(
                "SELECT id FROM approvals WHERE state = 'used' AND passed = 0 AND used_ns >= ?"
                " AND asked_session = ? AND agent = ? AND tool = ? AND ran = ?"
                " ORDER BY used_ns LIMIT 1",
                (since_ns, who.session, who.agent, tool, ran),
            ).fetchone()
            if found is None:
                return ""
            db.execute("UPDATE approvals SET passed = 1 WHERE id = ?", (found["id"],))
        return str(found["id"])

    def show(self, name: str) -> Approval:
        """Return one approval, and note that a person has seen it.

        Raises:
            ApprovalError: there is none, or the beginning of the id fits several.
        """
        approval = self.get(name)
        with self._transaction() as db:
            db.execute(
                "UPDATE approvals SET shown_ns = ? WHERE id = ? AND shown_ns = 0",
                (self._ns(), approval.id),
            )
        return approval

    # --- reading ----------------------------------------------------------------------------

    def get(self, name: str) -> Approval:
        """Return the approval of an id, or of the beginning of one.

        Raises:
            ApprovalError: there is none, or it fits several.
        """
        found = self._rows("WHERE id = ?", (name,))
        # Shorter, a slip of the finger would find somebody else's question.
        if not found and name.isalnum() and len(name) >= _SHORTEST:
            found = self._rows("WHERE substr(id, 1, ?) = ? LIMIT 2", (len(name), name))
        if len(found) == 1:
            return found[0]
        what = (
            f"several approvals begin with {name!r}"
            if found
            else f"no approval has the id {name!r}"
        )
        if not found and len(name) < _SHORTEST:
            what += f" (the first {_SHORTEST} characters are enough)"
        raise ApprovalError(what, fix="pointsman approvals list --all")

    def some(self, states: Iterable[State] = (), limit: int = 100) -> list[Approval]:
        """Return approvals in these states (none named: all), the newest last."""
        named = [state.value for state in states]
        where = f"WHERE state IN ({', '.join('?' * len(named))})" if named else ""
        order = "ORDER BY created_ns DESC, rowid DESC LIMIT ?"
        return self._rows(f"{where} {order}", (*named, limit))[::-1]

    def by_call(self, call: str) -> list[Approval]:
        """Return the questions about this call that were left to the host's own prompt."""
        return self._rows(
            "WHERE call = ? AND state IN ('asked', 'answered no', 'unknown')", (call,)
        )

    def history(self, name: str) -> list[Transition]:
        """Return what happened to one approval, in order."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT * FROM transitions WHERE id = ? ORDER BY n", (name,)
            ).fetchall()
        return [transition(row) for row in rows]

    def askers(self, since_ns: int) -> list[tuple[str, int, int]]:
        """Return who has asked since then: session, process id, and when; each once."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT asked_session, host_pid, max(created_ns) FROM approvals"
                " WHERE created_ns >= ? GROUP BY asked_session, host_pid",
                (since_ns,),
            ).fetchall()
        return [(row[0], row[1], row[2]) for row in rows]

    # --- the ledger's copy, and the end ------------------------------------------------------

    def unnoted(self, limit: int = 200) -> list[Transition]:
        """Return changes that do not stand on the ledger yet, in order."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT * FROM transitions WHERE noted = 0 ORDER BY n LIMIT ?", (limit,)
            ).fetchall()
        return [transition(row) for row in rows]

    def noted(self, number: int) -> None:
        """Say that every change up to this one stands on the ledger."""
        with self._transaction() as db:
            db.execute("UPDATE transitions SET noted = 1 WHERE noted = 0 AND n <= ?", (number,))

    def prune(self, older_than_ns: int) -> int:
        """Forget what was asked before this time and is settled; return how many."""
        with self._transaction() as db:
            done = db.execute(
                "DELETE FROM approvals WHERE created_ns < ?"
                " AND state NOT IN ('waiting', 'approved', 'asked')",
                (older_than_ns,),
            )
            db.execute("DELETE FROM transitions WHERE noted = 1 AND ns < ?", (older_than_ns,))
        return done.rowcount

    # --- the file ----------------------------------------------------------------------------

    def _ns(self) -> int:
        return self.clock().wall_ns

    def _rows(self, rest: str, values: tuple[Any, ...]) -> list[Approval]:
        with self._reading() as db:
            rows = db.execute(f"SELECT * FROM approvals {rest}", values).fetchall()  # noqa: S608
        return [from_row(row) for row in rows]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._open()
        except sqlite3.Error as error:
            raise self._translated(error) from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as db:
            # IMMEDIATE: of two that want the same approval, the second one waits here and then
            # finds it used.
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
        if self._connection is not None and self._file == _identity(self.path):
            return self._connection
        self.close()
        try:
            self._connection = _connect(self.path)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                raise
            # Whatever was approved in it is approved no more, which is the safe side.
            ledger_file.set_aside(self.path, ledger_file.CORRUPT)
            self._connection = _connect(self.path)
        except (OSError, LedgerError) as error:
            raise self._translated(error) from error
        self._file = _identity(self.path)
        return self._connection

    def _translated(self, error: Exception) -> ApprovalError:
        fix = f"check that {self.path.parent} exists, is yours and has room, then: pointsman up"
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            self.close()
            self._file = None
            fix = f"mv {self.path} {self.path}.aside; pointsman up --restart"
        return ApprovalError(f"the approvals {self.path} cannot be had: {error}", fix=fix)


def waiting_in(path: Path) -> int | None:
    """Return how many questions wait in this file; ``None`` where it cannot be read."""
    if not path.exists():
        return 0
    store = Approvals(path)
    try:
        return store.waiting()
    except ApprovalError:
        return None
    finally:
        store.close()


def _connect(path: Path) -> sqlite3.Connection:
    # Made here for its mode: SQLite would go by the umask, and gives the log the file's mode. Only
    # where there is none: to close a file takes away every lock that this process has on it, those
    # of another connection, too.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    try:
        migrate(connection, scripts(_MIGRATIONS))
    except sqlite3.OperationalError:
        # The other of daemon and command made the tables meanwhile: then nothing is left to do.
        migrate(connection, scripts(_MIGRATIONS))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _note(
    db: sqlite3.Connection, name: str, before: str, after: str, *, by: str, text: str, ns: int
) -> None:
    db.execute(
        "INSERT INTO transitions (id, ns, before, after, by, text) VALUES (?, ?, ?, ?, ?, ?)",
        (name, ns, before, after, fitting(by), fitting(text)),
    )
