"""Reading the audit trail, on a connection of its own, beside a daemon or without one."""

import base64
import contextlib
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerCorrupt, LedgerError
from pointsman.store.ledger_file import read_only

_COLUMNS = (
    "seq, received_ns, host, event, session, agent_id, agent_type, parent, prompt_id, tool_use_id,"
    " tool, path, cwd, repository, permission_mode, decision, rule, reason, hook, cause, context,"
    " duration_ns, exit_code, transport, client, client_version, problems, derived_from"
)
_RUNS = (
    "hook, role, event, started_ns, duration_ns, outcome, budget_ms, reason, decision, rule, lines"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_POLL = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which events; ``None`` means any. Times in ns since the epoch.

    ``agent`` is a type or an id (``main`` for the main thread). ``path`` is a file, a directory
    above it, or a glob; a relative one counts from the event's repository or working directory.
    """

    session: str | None = None
    agent: str | None = None
    tool: str | None = None
    decision: str | None = None
    event: str | None = None
    hook: str | None = None
    rule: str | None = None
    path: str | None = None
    since: int | None = None
    until: int | None = None
    after: int | None = None
    """Only events with a higher sequence number."""


_BY_TIME = "FROM events INDEXED BY events_by_time WHERE"
_CONDITIONS = {
    "session": "session = :session",
    "agent": "(agent_type = :agent OR agent_id = :agent OR (:agent = 'main' AND agent_id IS NULL))",
    "tool": "tool = :tool",
    "decision": "decision = :decision",
    "event": "event = :event",
    "hook": "hook = :hook",
    "rule": "rule = :rule",
    "path": "about(:path, path, cwd, repository)",
    # The bound on seq is found in the index; behind it the rows come in order and need no sorting.
    "since": f"seq >= (SELECT min(seq) {_BY_TIME} received_ns >= :since) AND received_ns >= :since",
    "until": f"seq <= (SELECT max(seq) {_BY_TIME} received_ns <= :until) AND received_ns <= :until",
    "after": "seq > :after",
}


def query(ledger: Path, wanted: Filter, limit: int = 0) -> Iterator[dict[str, Any]]:
    """Yield events, the newest last; with a limit the newest so many, 0 for all.

    Raises:
        LedgerError: there is no ledger, or it cannot be read.
    """
    sql, values = _events_sql(wanted)
    if limit > 0:
        sql = f"SELECT * FROM ({sql} DESC LIMIT {int(limit)}) ORDER BY seq"  # noqa: S608
    with opened(ledger) as connection:
        for row in connection.execute(sql, values):
            yield _plain(row)


def show(ledger: Path, seq: int) -> dict[str, Any]:
    """Return one event whole: the row, its payload and answer, every hook run.

    Raises:
        LedgerError: there is no such event.
    """
    with opened(ledger) as connection:
        return whole(connection, seq)


def whole(connection: sqlite3.Connection, seq: int) -> dict[str, Any]:
    """Return the same, from an open ledger.

    Raises:
        LedgerError: there is no such event.
    """
    sql = f"SELECT {_COLUMNS} FROM events WHERE seq = ?"  # noqa: S608 - our own fragments
    row = connection.execute(sql, (_fits(seq),)).fetchone()
    if row is None:
        raise LedgerError(f"no event has the number {seq}", fix="pointsman ledger tail")
    return _whole(connection, row)


def export(ledger: Path, wanted: Filter) -> Iterator[dict[str, Any]]:
    """Yield complete events, the newest last, in constant memory."""
    sql, values = _events_sql(wanted)
    with opened(ledger) as connection:
        for row in connection.execute(sql, values):
            yield _whole(connection, row)


def tail(
    ledger: Path, lines: int, wanted: Filter | None = None, *, follow: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield the newest events, and go on with new ones as they come if asked to."""
    wanted = wanted or Filter()
    # Without the filter: where nothing matches yet, following begins at the end all the same.
    newest = [row["seq"] for row in query(ledger, Filter(), 1)]
    last = newest[0] if newest else 0
    for row in query(ledger, wanted, lines) if lines else ():
        last = max(last, row["seq"])
        yield row
    while follow:
        # Anew each time: the daemon may have put another file in the place of this one.
        with opened(ledger) as connection:
            rows = connection.execute(*_events_sql(replace(wanted, after=last))).fetchall()
        for row in rows:
            last = row["seq"]
            yield _plain(row)
        time.sleep(_POLL)


def payload(ledger: Path, seq: int) -> bytes:
    """Return the bytes that the host sent, empty where they were purged."""
    with opened(ledger) as connection:
        row = connection.execute("SELECT payload FROM bodies WHERE seq = ?", (seq,)).fetchone()
    return bytes(row["payload"]) if row else b""


def notes(ledger: Path, limit: int = 100) -> list[dict[str, Any]]:
    """Return what the daemon had to say of itself, the newest last."""
    with opened(ledger) as connection:
        rows = connection.execute(
            "SELECT * FROM notes ORDER BY n DESC LIMIT ?", (limit,)
        ).fetchall()
    return [
        {"time": iso(row["ns"]), "kind": row["kind"], "text": row["text"]} for row in reversed(rows)
    ]


def parse_time(text: str, now_ns: int) -> int:
    """Read ISO 8601 (UTC where it names no zone) or an age such as ``15m``; return ns.

    Raises:
        LedgerError: it is neither.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago:
        # Capped: digits without end are read as infinity, which no integer holds.
        seconds = min(float(ago[1]) * _SECONDS[ago[2]], 1e10)
        return _fits(now_ns - int(seconds * 1e9))
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise LedgerError(
            f"the time {text!r} is neither ISO 8601 nor an age",
            fix="write it as 2026-01-31T12:00:00 or 15m, 2h, 3d",
        ) from None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = zoned - _EPOCH
    # In whole numbers: a float of today's seconds is exact to some hundred nanoseconds only.
    seconds = since.days * 86_400 + since.seconds
    return _fits(seconds * 10**9 + since.microseconds * 1000)


def _fits(number: int) -> int:
    """Return the nearest number that SQLite can compare with."""
    return max(-(2**63), min(number, 2**63 - 1))


def iso(ns: int) -> str:
    """Return a time in ns as ISO 8601 in UTC, to the microsecond."""
    seconds, rest = divmod(ns, 10**9)
    # Not through a float: it keeps fewer digits than a time in ns has.
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.isoformat(timespec="microseconds")


@contextlib.contextmanager
def opened(ledger: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that reads the ledger, and close it.

    Raises:
        LedgerError: there is no ledger, or it cannot be read.
    """
    connection = None
    try:
        if not os.path.lexists(ledger):
            raise LedgerError(f"there is no ledger at {ledger} yet", fix="pointsman up")
        if not ledger.stat().st_size:  # Opened, it would cost its log: SQLite deletes it.
            raise LedgerCorrupt(
                f"the ledger {ledger} cannot be read: it is empty", fix="pointsman up --restart"
            )
        connection = _connected(ledger)
        connection.row_factory = sqlite3.Row
        connection.create_function("about", 4, is_about, deterministic=True)
        yield connection
    except OSError as error:
        raise LedgerError(
            f"the ledger {ledger} cannot be read: {error}", fix="pointsman doctor"
        ) from error
    except sqlite3.DatabaseError as error:
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in {11, 26}
        kind = LedgerCorrupt if damaged else LedgerError
        fix = "pointsman up --restart" if damaged else "pointsman doctor"
        raise kind(f"the ledger {ledger} cannot be read: {error}", fix=fix) from error
    finally:
        if connection is not None:
            connection.close()


def _connected(ledger: Path) -> sqlite3.Connection:
    connection = read_only(ledger)
    try:
        # Connecting reads nothing: only a statement tells whether the log can be used.
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        log = Path(f"{ledger}-wal")
        # What is in a log an immutable reader does not see: old rows would pass for all there are.
        if os.access(ledger.parent, os.W_OK) or (log.exists() and log.stat().st_size):
            raise
        # A write-ahead ledger on a read-only disk: no log can be made, and nobody writes either.
        return read_only(ledger, immutable=True)
    return connection


def is_about(wanted: str, path: str, cwd: str, repository: str | None) -> bool:
    """Whether an event that names ``path`` is about a wanted file, directory or glob."""
    if not path:
        return False
    whole = os.path.normpath(os.path.join(cwd, path))  # noqa: PTH118 - once for every row
    for base in ("",) if wanted.startswith("/") else (repository or "", cwd):
        target = os.path.normpath(os.path.join(base, wanted))  # noqa: PTH118
        if whole == target or whole.startswith(target.rstrip("/") + "/"):
            return True
        if fnmatchcase(whole, target):
            return True
    return fnmatchcase(path, wanted)


def conditions_of(wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions of a filter on the columns of ``events``, and their values."""
    values = {name: value for name in _CONDITIONS if (value := getattr(wanted, name)) is not None}
    return [_CONDITIONS[name] for name in values], values


def _events_sql(wanted: Filter) -> tuple[str, dict[str, Any]]:
    conditions, values = conditions_of(wanted)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {_COLUMNS} FROM events{where} ORDER BY seq", values  # noqa: S608 - ours


def _plain(row: sqlite3.Row) -> dict[str, Any]:
    out = dict(row)
    received, duration = out.pop("received_ns"), out.pop("duration_ns")
    problems = out.pop("problems")
    agent = out["agent_type"] or ("main" if out["agent_id"] is None else out["agent_id"])
    return {
        "seq": out.pop("seq"),
        "time": iso(received),
        "agent": agent,
        "ms": round(duration / 1e6, 3),
        **out,
        "problems": json.loads(problems) if problems else None,
    }


def _whole(connection: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    seq = row["seq"]
    body = connection.execute("SELECT * FROM bodies WHERE seq = ?", (seq,)).fetchone()
    sql = f"SELECT {_RUNS} FROM hook_runs WHERE seq = ? ORDER BY n"  # noqa: S608 - ours
    runs = [_run(run) for run in connection.execute(sql, (seq,))]
    texts = {key: _text(body[key]) if body else None for key in ("payload", "stdout", "stderr")}
    return {**_plain(row), **texts, "hook_runs": runs}


def _run(row: sqlite3.Row) -> dict[str, Any]:
    out = dict(row)
    started, duration, lines = out.pop("started_ns"), out.pop("duration_ns"), out.pop("lines")
    return {
        **out,
        "started": iso(started),
        "ms": round(duration / 1e6, 3),
        "lines": json.loads(lines) if lines else [],
    }


def _text(data: bytes) -> str:
    """Return bytes as text, or as base64 where they are none."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()
