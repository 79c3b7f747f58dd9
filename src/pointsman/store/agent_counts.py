"""Reading what was counted of agents and of answers while events were written."""

import sqlite3
from typing import Any

from pointsman.store.rollups import COUNTS, HOUR_NS, UNNAMED

GROUPS = ("agent", "model", "role")
"""What agents' work is told apart by."""
_MOST_AGENTS = 2000
_MOST_REPOSITORIES = 100
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in COUNTS)
_TYPE = (
    "CASE WHEN agent_type <> '' THEN agent_type WHEN agent_id = '' THEN 'main'"
    f" ELSE '{UNNAMED}' END"
)
_VALUES = {"agent": _TYPE, "model": "model", "role": "role"}


def of_session(connection: sqlite3.Connection, session: str) -> list[dict[str, Any]]:
    """Return who acted in a session, in their order: each with its parent and its counts.

    Times are in ms since the epoch; ``agent_id`` is ``None`` for the main thread.
    """
    sql = (
        "SELECT * FROM agent_runs WHERE session = ? AND events > 0"  # noqa: S608 - a number of ours
        f" ORDER BY first_ns, agent_id LIMIT {_MOST_AGENTS}"
    )
    return [_agent(dict(row)) for row in connection.execute(sql, (session,))]


def outcomes(
    connection: sqlite3.Connection, by: str, since: int = 0, repository: str | None = None
) -> list[dict[str, Any]]:
    """Return what agents have done by one of ``GROUPS``, the busiest first.

    Those that were heard of since, each with all that it did. ``runs`` is how many that are,
    ``last`` when one of them was last heard of, in ms since the epoch. The ``name`` is ``""`` where
    nothing is known: no message with usage told the model, no contract the role.
    """
    where = "last_ns >= :since AND events > 0"
    if repository is not None:
        where += " AND repository = :repository"
    sql = (
        f"SELECT {_VALUES[by]} AS name, count(*) AS runs, count(DISTINCT session) AS sessions,"  # noqa: S608
        f" max(last_ns) AS last, {_SUMS} FROM agent_runs WHERE {where}"
        " GROUP BY 1 ORDER BY sum(events) DESC, 1"
    )
    rows = connection.execute(sql, {"since": since, "repository": repository})
    return [{**dict(row), "last": row["last"] // 10**6} for row in rows]


def repositories(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many events each repository has on record, the one last heard of first."""
    sql = (
        "SELECT value, sum(events) AS events FROM event_hours"  # noqa: S608 - a number of ours
        " WHERE dimension = 'repository'"
        " GROUP BY value HAVING sum(events) > 0 ORDER BY max(hour) DESC, sum(events) DESC, value"
        f" LIMIT {_MOST_REPOSITORIES}"
    )
    return {row["value"]: row["events"] for row in connection.execute(sql)}


def answers(connection: sqlite3.Connection, since: int, step: int) -> dict[int, dict[int, int]]:
    """Return how many answers took how long (``model/hook_runs.py``), by ``step`` hours.

    The key is the first hour of a step, counted from the epoch.
    """
    sql = (
        f"SELECT hour / {int(step)} * {int(step)} AS at, bucket, sum(answers) AS answers"  # noqa: S608
        " FROM answer_hours WHERE hour >= ? GROUP BY 1, 2 HAVING sum(answers) > 0 ORDER BY 1"
    )
    found: dict[int, dict[int, int]] = {}
    for row in connection.execute(sql, (since // HOUR_NS,)):
        found.setdefault(row["at"], {})[row["bucket"]] = row["answers"]
    return found


def _agent(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("agent_id", "agent_type", "parent"):
        row[name] = row[name] or None
    row.pop("duration_ns")
    first, last = row.pop("first_ns"), row.pop("last_ns")
    return {**row, "first": first // 10**6, "last": last // 10**6}
