"""Sums over all time, from the counts that are kept while events are written.

They go through hours and days, not through events, and never go down: what retention has taken
from the counts is added again (``store/given_back.py``).
"""

import sqlite3
from dataclasses import dataclass

from pointsman.model.usage import AMOUNT_FIELDS, Amount, amount
from pointsman.store.agent_days import COUNTS

_EVENTS = ", ".join(f"sum({name})" for name in COUNTS)
_ALL = ", ".join(COUNTS)
_USED = ", ".join(f"sum({name})" for name in AMOUNT_FIELDS)


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of one hook that ended in one way, in one bucket of lengths (``store/rollups.py``)."""

    hook: str
    outcome: str
    bucket: int
    runs: int
    duration_ns: int


def events(connection: sqlite3.Connection, dimension: str) -> dict[str, dict[str, int]]:
    """Return the counts of each value of a dimension: ``all``, ``event`` or ``tool``."""
    sql = (
        f"SELECT value, {_EVENTS} FROM (SELECT value, {_ALL} FROM event_hours WHERE dimension = :d"
        f" UNION ALL SELECT value, {_ALL} FROM given_back WHERE dimension = :d) s GROUP BY value"
    )
    found = map(tuple, connection.execute(sql, {"d": dimension}))
    return {row[0]: dict(zip(COUNTS, row[1:], strict=True)) for row in found}


def runs(connection: sqlite3.Connection) -> list[Runs]:
    """Return the runs of all hooks, the hook that ran first of all first."""
    sql = (
        "SELECT hook, outcome, bucket, sum(runs), sum(duration_ns), min(day) FROM ("
        "SELECT day, hook, outcome, bucket, runs, duration_ns FROM hook_days UNION ALL"
        " SELECT 0, hook, outcome, bucket, runs, duration_ns FROM given_back_runs) s"
        " GROUP BY hook, outcome, bucket ORDER BY min(day), hook, outcome, bucket"
    )
    return [Runs(*row[:5]) for row in map(tuple, connection.execute(sql))]


def models(connection: sqlite3.Connection) -> dict[str, Amount]:
    """Return what each model has used, the one that was used first of all first."""
    names = ", ".join(AMOUNT_FIELDS)
    sql = (
        f"SELECT value, min(hour), {_USED} FROM ("
        f"SELECT value, hour, {names} FROM usage_hours WHERE dimension = 'model'"
        f" UNION ALL SELECT model, 0, {names} FROM usage_given_back) s"
        " GROUP BY value ORDER BY min(hour), value"
    )
    return {row[0]: amount(*row[2:]) for row in map(tuple, connection.execute(sql))}


def began(connection: sqlite3.Connection) -> int:
    """Return when this ledger began, in ns since the epoch; 0 where it does not say."""
    return int(connection.execute("SELECT coalesce(min(ns), 0) FROM acts").fetchone()[0])
