"""What the record still knows of a session that began before this process did."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman.model.usage import TOKEN_FIELDS, Cost, Usage
from pointsman.store.query import opened

_MOST_ROWS = 400
_SQL = (
    "SELECT * FROM (SELECT e.seq, e.event, e.received_ns, e.cwd, e.repository, e.decision,"
    " e.reason, b.payload FROM events e JOIN bodies b ON b.seq = e.seq"
    " WHERE e.session = ? AND e.transport = 'hook' AND e.received_ns < ?"
    " ORDER BY e.seq DESC LIMIT ?) ORDER BY seq"
)
_HAPPENED = (
    "SELECT * FROM (SELECT e.seq, e.received_ns, e.host, e.event, e.parent, e.cwd, e.repository,"
    " e.decision, e.reason, e.rule, e.cause, b.payload FROM events e JOIN bodies b ON b.seq = e.seq"
    " WHERE e.session = ? AND e.transport IN ('hook', 'exec') AND e.event != 'MessageDisplay'"
    " AND e.received_ns < ? ORDER BY e.seq DESC LIMIT ?) ORDER BY seq"
)
_RAN = (
    "SELECT hook, role, event, started_ns, duration_ns, outcome, budget_ms, reason FROM hook_runs"
    " WHERE seq = ? ORDER BY n LIMIT 64"
)
_USED = (
    "SELECT * FROM (SELECT * FROM usage WHERE session = ? AND recorded_ns < ?"
    " ORDER BY n DESC LIMIT ?) ORDER BY n"
)


@dataclass(frozen=True, slots=True)
class Past:
    """One event that a hook has delivered, and what became of it."""

    seq: int
    event: str
    received_ns: int
    cwd: str
    repository: str | None
    decision: str
    reason: str
    payload: bytes


def lookback(ledger: Path, session: str, before_ns: int) -> Iterator[Past]:
    """Yield the newest 400 events of a session before this time, the oldest first.

    Raises:
        LedgerError: there is no ledger, or it cannot be read.
    """
    with opened(ledger) as connection:
        for row in connection.execute(_SQL, (session, before_ns, _MOST_ROWS)).fetchall():
            yield Past(**{key: row[key] for key in row.keys()})  # noqa: SIM118 - a Row has no `in`


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a hook, as its columns say it."""

    hook: str
    role: str
    event: str
    started_ns: int
    duration_ns: int
    outcome: str
    budget_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Happened:
    """One event that a hook has delivered, with whose it was and which hooks were asked."""

    seq: int
    at_ns: int
    host: str
    event: str
    parent: str | None
    cwd: str
    repository: str | None
    decision: str
    reason: str
    rule: str
    cause: str | None
    payload: bytes
    runs: tuple[Ran, ...]


@dataclass(frozen=True, slots=True)
class Used:
    """What was put on record of a message at one time."""

    at_ns: int
    usage: Usage
    cost: Cost


def sessions(connection: sqlite3.Connection, since_ns: int, most: int) -> list[str]:
    """Return the sessions that were heard of since a time, the newest so many."""
    sql = "SELECT session FROM sessions WHERE last_ns >= ? ORDER BY last_ns DESC LIMIT ?"
    return [row["session"] for row in connection.execute(sql, (since_ns, most))]


def happened(connection: sqlite3.Connection, session: str, before_ns: int) -> Iterator[Happened]:
    """Yield the newest 400 events of a session before this time, the oldest first."""
    rows = connection.execute(_HAPPENED, (session, before_ns, _MOST_ROWS)).fetchall()
    for row in rows:
        runs = connection.execute(_RAN, (row["seq"],)).fetchall()
        values: tuple[Any, ...] = (*row, tuple(Ran(*run) for run in runs))
        yield Happened(*values)


def used(connection: sqlite3.Connection, session: str, before_ns: int) -> Iterator[Used]:
    """Yield the newest 400 rows of a session's usage before this time, the oldest first."""
    for row in connection.execute(_USED, (session, before_ns, _MOST_ROWS)).fetchall():
        tokens = {name: row[name] for name in TOKEN_FIELDS}
        usage = Usage(
            host=row["host"], session=session, message_id=row["message"], request=row["request"],
            model=row["model"], at_ns=row["at_ns"], agent_id=row["agent_id"],
            agent_type=row["agent_type"], repository=row["repository"],
            final=bool(row["final"]), growth=not row["calls"], **tokens,
        )  # fmt: skip
        usd = None if row["unpriced"] else row["usd_nano"] / 1e9
        yield Used(row["at_ns"], usage, Cost(usd=usd, prices=row["prices"]))
