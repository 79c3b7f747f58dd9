"""Sums of usage: from the hourly ones where they answer, from the postings where they do not."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pointsman.model.errors import LedgerError
from pointsman.model.usage import AMOUNT_FIELDS, TOKEN_FIELDS, Amount, amount
from pointsman.store.usage_rows import HOUR_NS, MAIN

DAY_HOURS = 24
_NEVER = 24 * 2**40
"""An hour behind every one that there is."""
_SUMS = ", ".join(f"sum({name})" for name in AMOUNT_FIELDS)
_VALUES = {
    "session": "session",
    "agent": f"coalesce(agent_type, CASE WHEN agent_id IS NULL THEN '{MAIN}' ELSE '' END)",
    "subagent": f"coalesce(agent_id, '{MAIN}')",
    "task": "task",
    "repository": "coalesce(repository, '')",
    "branch": "branch",
    "model": "model",
    "role": "role",
    "day": f"CAST(at_ns / {HOUR_NS * DAY_HOURS} AS TEXT)",
    "total": "''",
}
"""What a posting's value is in each dimension; a day is its number since the epoch."""
_HOURLY = {
    "day": f"CAST(hour / {DAY_HOURS} AS TEXT)",
    "total": "''",
}
_CONDITIONS = {
    "session": "session = :session",
    "repository": "repository = :repository",
    "since": "at_ns >= :since",
    "until": "at_ns < :until",
}

Sums = dict[str, Amount]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which messages; ``None`` means any. Times in ns since the epoch, ``until`` not included."""

    session: str | None = None
    repository: str | None = None
    since: int | None = None
    until: int | None = None

    def takes(self, session: str, repository: str | None, at_ns: int) -> bool:
        """Whether a message is among them."""
        return (
            (self.session is None or self.session == session)
            and (self.repository is None or self.repository == repository)
            and (self.since is None or self.since <= at_ns)
            and (self.until is None or at_ns < self.until)
        )


def begin(connection: sqlite3.Connection) -> None:
    """Begin one view of the record: sums, and how far the transcripts were read, agree in it.

    Raises:
        LedgerError: the record is one of a version that knew of no usage.
    """
    connection.execute("BEGIN")
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'usage_hours'").fetchone()
    if found is None:
        raise LedgerError(
            "the ledger holds no usage: the daemon that keeps it is older than this command",
            fix="pointsman up --restart",
        )


def sums(connection: sqlite3.Connection, dimension: str, chosen: Chosen) -> Sums:
    """Return the sum of each value of a dimension that is no tool's.

    Whole hours come from the hourly sums; the hours that a time cuts, and one session's messages,
    from the postings, by an index.
    """
    if chosen.session is not None:
        return _scanned(connection, dimension, chosen)
    found: Sums = {}
    for edge in edges(chosen):
        _merge(found, _scanned(connection, dimension, edge))
    _merge(found, hourly(connection, dimension, chosen))
    return found


def hourly(connection: sqlite3.Connection, dimension: str, chosen: Chosen, most: int = 0) -> Sums:
    """Return the sums of the whole hours that are meant; of the dearest so many, 0 for all."""
    value = _HOURLY.get(dimension, "value")
    source, given = _of_hours(dimension, chosen, by_days=True)
    where = "1 = 1"
    if most:
        # Which these are takes two sums for each of many; all of them are added up for a few only.
        sql = (
            f"SELECT {value} FROM {source} WHERE {where} GROUP BY 1"  # noqa: S608 - ours
            f" ORDER BY sum(usd_nano) DESC, sum(output_tokens) DESC, 1 LIMIT {int(most) + 1}"
        )
        dearest = [row[0] for row in connection.execute(sql, given)]
        if len(dearest) > most:
            where, given = _among(value, dearest[:most], where, given)
    sql = f"SELECT {value}, {_SUMS} FROM {source} WHERE {where} GROUP BY 1"  # noqa: S608 - ours
    return {row[0]: amount(*row[1:]) for row in map(tuple, connection.execute(sql, given))}


def course(
    connection: sqlite3.Connection, dimension: str, chosen: Chosen, step: int, only: Sequence[str]
) -> Iterator[tuple[int, str, Amount]]:
    """Yield the sums of some values by ``step`` hours: the first hour, the value, the sum.

    A total has the one value ``""``.
    """
    value = _HOURLY.get(dimension, "value")
    source, given = _of_hours(dimension, chosen, by_days=step % DAY_HOURS == 0)
    where, given = _among(value, only, "1 = 1", given)
    at = f"hour / {int(step)} * {int(step)}"
    sql = f"SELECT {at}, {value}, {_SUMS} FROM {source} WHERE {where} GROUP BY 1, 2 ORDER BY 1"  # noqa: S608
    for row in map(tuple, connection.execute(sql, given)):
        yield row[0], row[1], amount(*row[2:])


def _among(
    value: str, wanted: Sequence[str], where: str, given: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    names = {f"v{number}": each for number, each in enumerate(wanted)}
    marks = ", ".join(f":{name}" for name in names)
    return f"{where} AND {value} IN ({marks})", {**given, **names}


def _of_hours(dimension: str, chosen: Chosen, *, by_days: bool) -> tuple[str, dict[str, Any]]:
    """Return what to select the whole hours that are meant from, and the values it names.

    With ``by_days`` whole days come from their own sums, as rows of their first hour.
    """
    first, behind = _whole_hours(chosen)
    # A total, and a day, can be had of any dimension: there are fewest roles.
    given: dict[str, Any] = {"dimension": "role" if dimension in _HOURLY else dimension}
    if chosen.repository is not None:
        given["repository"] = chosen.repository
    low = 0 if first is None else first
    high = _NEVER if behind is None else behind
    day, end = -(-low // DAY_HOURS), high // DAY_HOURS
    if not by_days or day >= end:
        return f"({_part('usage_hours', 'hour', low, high, given)}) u", given
    parts = [
        _part("usage_hours", "hour", low, day * DAY_HOURS, given),
        _part("usage_days", "day", day, end, given),
        _part("usage_hours", "hour", end * DAY_HOURS, high, given),
    ]
    return f"({' UNION ALL '.join(parts)}) u", given


def _part(table: str, unit: str, low: int, high: int, given: dict[str, Any]) -> str:
    at = "hour" if unit == "hour" else f"day * {DAY_HOURS} AS hour"
    where = f"dimension = :dimension AND {unit} >= {int(low)} AND {unit} < {int(high)}"
    if "repository" in given:
        where += " AND repository = :repository"
    return f"SELECT {at}, value, {', '.join(AMOUNT_FIELDS)} FROM {table} WHERE {where}"  # noqa: S608


def _whole_hours(chosen: Chosen) -> tuple[int | None, int | None]:
    """Return the first whole hour that is meant, and the one behind the last."""
    first = None if chosen.since is None else -(-chosen.since // HOUR_NS)
    behind = None if chosen.until is None else chosen.until // HOUR_NS
    return first, behind


def edges(chosen: Chosen) -> Iterator[Chosen]:
    """Yield what is meant and is no whole hour: what ``hourly`` leaves out."""
    first, behind = _whole_hours(chosen)
    if first is not None and behind is not None and first >= behind:
        # One hour, or a part of two: `hourly` finds nothing between them.
        yield chosen
        return
    if first is not None and chosen.since is not None and chosen.since < first * HOUR_NS:
        yield replace(chosen, until=first * HOUR_NS)
    if behind is not None and chosen.until is not None and behind * HOUR_NS < chosen.until:
        yield replace(chosen, since=behind * HOUR_NS)


def _scanned(connection: sqlite3.Connection, dimension: str, chosen: Chosen) -> Sums:
    where, given = _where(chosen)
    sql = f"SELECT {_VALUES[dimension]}, {_SUMS} FROM usage{where} GROUP BY 1"  # noqa: S608 - ours
    return {row[0]: amount(*row[1:]) for row in map(tuple, connection.execute(sql, given))}


def _where(chosen: Chosen) -> tuple[str, dict[str, Any]]:
    given = {name: value for name in _CONDITIONS if (value := getattr(chosen, name)) is not None}
    conditions = [_CONDITIONS[name] for name in given]
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), given


@dataclass(frozen=True, slots=True)
class Message:
    """One message with its tool calls, to be shared among them."""

    session: str
    amount: Amount
    calls: tuple[tuple[str, str], ...]


def messages(connection: sqlite3.Connection, chosen: Chosen) -> Iterator[Message]:
    """Yield every message that is meant, once, with the calls that it asked for."""
    where, given = _where(chosen)
    whole = f"SELECT key, max(session) AS session, {_named()} FROM usage{where} GROUP BY key"  # noqa: S608
    sql = (
        f"WITH m AS ({whole})"  # noqa: S608 - our own fragments
        f" SELECT m.key, m.session, t.call, t.tool, {', '.join(AMOUNT_FIELDS)} FROM m"
        " LEFT JOIN usage_tools t ON t.key = m.key ORDER BY m.key, t.call"
    )
    last: tuple[str, str, Amount] | None = None
    calls: list[tuple[str, str]] = []
    for key, session, call, tool, *figures in map(tuple, connection.execute(sql, given)):
        if last is None or last[0] != key:
            if last is not None:
                yield Message(last[1], last[2], tuple(calls))
            last, calls = (key, session, amount(*figures)), []
        if call is not None:
            calls.append((call, tool))
    if last is not None:
        yield Message(last[1], last[2], tuple(calls))


def _named() -> str:
    return ", ".join(f"sum({name}) AS {name}" for name in AMOUNT_FIELDS)


def subagents(
    connection: sqlite3.Connection, names: Iterable[str]
) -> dict[str, tuple[str | None, str]]:
    """Return the type and the session of these subagents."""
    found = {}
    for name in names:
        row = connection.execute(
            "SELECT agent_type, session FROM usage WHERE agent_id = ? LIMIT 1", (name,)
        ).fetchone()
        if row is not None:
            found[name] = (row[0], row[1])
    return found


def by_session_and_model(connection: sqlite3.Connection) -> dict[tuple[str, str], Amount]:
    """Return the sums of each session's models."""
    sql = f"SELECT session, model, {_SUMS} FROM usage GROUP BY session, model"  # noqa: S608 - ours
    return {(row[0], row[1]): amount(*row[2:]) for row in map(tuple, connection.execute(sql))}


def host_totals(connection: sqlite3.Connection) -> dict[tuple[str, str], Amount]:
    """Return what the host itself says of each session's models."""
    columns = ", ".join((*TOKEN_FIELDS, "usd_nano"))
    rows = connection.execute(f"SELECT session, model, {columns} FROM usage_host")  # noqa: S608
    return {(row[0], row[1]): amount(*row[2:], 0, 0) for row in map(tuple, rows)}


def _merge(into: Sums, more: Sums) -> None:
    for value, figures in more.items():
        into[value] = into.get(value, Amount()) + figures
