"""Reading the counts that are kept while events are written (``store/rollups.py``).

Each function takes a connection of ``query.opened``. No answer here depends on how many events
there are, only on how many hours and values.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pointsman.model.errors import LedgerError
from pointsman.model.hook_runs import Runs, length_bucket
from pointsman.store.agent_days import COUNTS, DAY_NS
from pointsman.store.query import iso
from pointsman.store.rollups import DIMENSIONS, HOUR_NS

_BEHIND_END = 20
"""Events that may come behind the one that says that a session is over."""
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in COUNTS)


def counts_by(
    connection: sqlite3.Connection, dimension: str, since: int = 0, until: int = 2**63 - 1
) -> list[dict[str, Any]]:
    """Return what was counted of each value of a dimension, the most frequent first.

    Times are ns and mean whole hours: the hour that holds ``since``, and that of ``until``.

    Raises:
        LedgerError: there is no such dimension.
    """
    _check(dimension)
    sql = (
        f"SELECT value, {_SUMS} FROM event_hours WHERE dimension = ? AND hour BETWEEN ? AND ?"  # noqa: S608
        " GROUP BY value HAVING sum(events) > 0 ORDER BY sum(events) DESC, value"
    )
    rows = connection.execute(sql, (dimension, since // HOUR_NS, until // HOUR_NS))
    return [_told(dict(row)) for row in rows]


def series(
    connection: sqlite3.Connection, dimension: str, since: int = 0, until: int = 2**63 - 1
) -> list[dict[str, Any]]:
    """Return the counts of each value of a dimension hour by hour, the oldest first.

    Raises:
        LedgerError: there is no such dimension.
    """
    _check(dimension)
    sql = (
        f"SELECT hour, value, {', '.join(COUNTS)} FROM event_hours"  # noqa: S608 - our own names
        " WHERE dimension = ? AND hour BETWEEN ? AND ? AND events > 0 ORDER BY hour, value"
    )
    rows = connection.execute(sql, (dimension, since // HOUR_NS, until // HOUR_NS))
    return [{"time": iso(row["hour"] * HOUR_NS), **_told(dict(row))} for row in rows]


def sessions(
    connection: sqlite3.Connection, limit: int = 100, since: int = 0, repository: str | None = None
) -> list[dict[str, Any]]:
    """Return what was counted of each session that was heard of since, the latest first.

    ``agents`` is how many took part; ``over`` whether nothing but the end's own hooks came since
    it was said to be over.
    """
    where = "s.last_ns >= :since AND s.events > 0"
    if repository is not None:
        where += " AND s.repository = :repository"
    sql = (
        "SELECT s.*, (SELECT count(*) FROM agent_runs a WHERE a.session = s.session"  # noqa: S608
        " AND a.events > 0) AS agents, (SELECT max(a.ended_seq) FROM agent_runs a"
        " WHERE a.session = s.session AND a.agent_id = '') AS ended_seq"
        f" FROM sessions s WHERE {where} ORDER BY s.last_ns DESC LIMIT :limit"
    )
    given = {"since": since, "limit": limit, "repository": repository}
    return [_session(dict(row)) for row in connection.execute(sql, given)]


def hook_runs(connection: sqlite3.Connection, since: int = 0) -> list[Runs]:
    """Return the runs of each hook on each kind of event, by whole days, in their names' order."""
    sql = (
        "SELECT hook, event, role, outcome, budget_ms, bucket, max(day) AS day,"
        " sum(runs) AS runs, sum(duration_ns) AS duration_ns FROM hook_days"
        " WHERE day >= ? GROUP BY hook, event, role, outcome, budget_ms, bucket"
        " HAVING sum(runs) > 0 ORDER BY hook, event, max(day)"
    )
    found = _gathered(connection.execute(sql, (since // DAY_NS,)).fetchall())
    decided = _decisions(connection, since)
    return [replace(each, decisions=decided.get((each.hook, each.event), {})) for each in found]


def _decisions(connection: sqlite3.Connection, since: int) -> dict[tuple[str, str], dict[str, int]]:
    sql = (
        "SELECT hook, event, decision, sum(runs) AS runs FROM hook_decisions WHERE day >= ?"
        " GROUP BY hook, event, decision HAVING sum(runs) > 0 ORDER BY sum(runs) DESC"
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in connection.execute(sql, (since // DAY_NS,)):
        found.setdefault((row["hook"], row["event"]), {})[row["decision"]] = row["runs"]
    return found


def _gathered(rows: list[Any]) -> Iterator[Runs]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        blank: dict[str, Any] = {"outcomes": {}, "buckets": {}, "timeouts": 0, "duration_ns": 0}
        known = found.setdefault((row["hook"], row["event"]), blank)
        # The latest day comes last: its role and budget are those in force.
        known |= {"role": row["role"], "budget_ms": row["budget_ms"]}
        outcome, runs, bucket = row["outcome"], row["runs"], row["bucket"]
        known["outcomes"][outcome] = known["outcomes"].get(outcome, 0) + runs
        if outcome == "skipped":
            continue
        known["buckets"][bucket] = known["buckets"].get(bucket, 0) + runs
        known["duration_ns"] += row["duration_ns"]
        known["timeouts"] += runs if _timed_out(outcome, bucket, row["budget_ms"]) else 0
    for (hook, event), known in found.items():
        yield Runs(hook=hook, event=event, **known)


def _timed_out(outcome: str, bucket: int, budget_ms: int) -> bool:
    """Whether it ran out of time: an enricher that did is recorded as degraded."""
    late = bucket >= length_bucket(budget_ms * 1_000_000)
    return outcome == "timed out" or (outcome == "degraded" and late)


def _check(dimension: str) -> None:
    if dimension not in DIMENSIONS:
        raise LedgerError(
            f"events are not counted by {dimension!r}", fix=f"one of: {', '.join(DIMENSIONS)}"
        )


def _told(row: dict[str, Any]) -> dict[str, Any]:
    row.pop("hour", None)
    row["ms"] = round(row.pop("duration_ns") / 1e6, 3)
    return row


def _session(row: dict[str, Any]) -> dict[str, Any]:
    times = {"first": iso(row.pop("first_ns")), "last": iso(row.pop("last_ns"))}
    ended = row.pop("ended_seq") or 0
    # Events may come behind it: hooks of the end, observers.
    over = ended > 0 and row["last_seq"] - ended < _BEHIND_END
    return {**_told(row), **times, "over": over}
