"""Reading the counts that are kept while events are written (``store/rollups.py``).

No answer here depends on how many events there are, only on how many hours and values.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerError
from pointsman.store.query import iso, opened
from pointsman.store.rollups import COUNTS, DAY_NS, DIMENSIONS, HOUR_NS, length_bucket

_SUMS = ", ".join(f"sum({name}) AS {name}" for name in COUNTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """How often one hook ran on one kind of event, and how.

    ``buckets`` are the runs by length (``rollups.length_bucket``); those that were skipped took
    none and are only in ``outcomes``.
    """

    hook: str
    event: str
    role: str
    budget_ms: int
    outcomes: dict[str, int] = field(default_factory=dict)
    buckets: dict[int, int] = field(default_factory=dict)
    timeouts: int = 0
    duration_ns: int = 0

    @property
    def total(self) -> int:
        """Every run, the skipped ones too."""
        return sum(self.outcomes.values())


def counts_by(
    ledger: Path, dimension: str, since: int = 0, until: int = 2**63 - 1
) -> list[dict[str, Any]]:
    """Return what was counted of each value of a dimension, the most frequent first.

    Times are ns and mean whole hours: the hour that holds ``since``, and that of ``until``.

    Raises:
        LedgerError: there is no such dimension, or no ledger.
    """
    _check(dimension)
    sql = (
        f"SELECT value, {_SUMS} FROM event_hours WHERE dimension = ? AND hour BETWEEN ? AND ?"  # noqa: S608
        " GROUP BY value HAVING sum(events) > 0 ORDER BY sum(events) DESC, value"
    )
    with opened(ledger) as connection:
        rows = connection.execute(sql, (dimension, since // HOUR_NS, until // HOUR_NS))
        return [_told(dict(row)) for row in rows]


def series(
    ledger: Path, dimension: str, since: int = 0, until: int = 2**63 - 1
) -> list[dict[str, Any]]:
    """Return the counts of each value of a dimension hour by hour, the oldest first.

    Raises:
        LedgerError: there is no such dimension, or no ledger.
    """
    _check(dimension)
    sql = (
        f"SELECT hour, value, {', '.join(COUNTS)} FROM event_hours"  # noqa: S608 - our own names
        " WHERE dimension = ? AND hour BETWEEN ? AND ? AND events > 0 ORDER BY hour, value"
    )
    with opened(ledger) as connection:
        rows = connection.execute(sql, (dimension, since // HOUR_NS, until // HOUR_NS))
        return [{"time": iso(row["hour"] * HOUR_NS), **_told(dict(row))} for row in rows]


def sessions(
    ledger: Path, limit: int = 100, since: int = 0, repository: str | None = None
) -> list[dict[str, Any]]:
    """Return what was counted of each session that was heard of since, the latest first."""
    where = "last_ns >= :since AND events > 0"
    if repository is not None:
        where += " AND repository = :repository"
    sql = f"SELECT * FROM sessions WHERE {where} ORDER BY last_ns DESC LIMIT :limit"  # noqa: S608
    given = {"since": since, "limit": limit, "repository": repository}
    with opened(ledger) as connection:
        return [_session(dict(row)) for row in connection.execute(sql, given)]


def hook_runs(ledger: Path, since: int = 0) -> list[Runs]:
    """Return the runs of each hook on each kind of event, by whole days, in their names' order."""
    sql = (
        "SELECT hook, event, role, outcome, budget_ms, bucket, max(day) AS day,"
        " sum(runs) AS runs, sum(duration_ns) AS duration_ns FROM hook_days"
        " WHERE day >= ? GROUP BY hook, event, role, outcome, budget_ms, bucket"
        " HAVING sum(runs) > 0 ORDER BY hook, event, max(day)"
    )
    with opened(ledger) as connection:
        rows = connection.execute(sql, (since // DAY_NS,)).fetchall()
    return list(_gathered(rows))


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
    return {**_told(row), **times}
