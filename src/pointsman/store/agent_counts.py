"""Reading what was counted of agents and of answers while events were written."""

import sqlite3
from typing import Any

from pointsman.store.agent_days import COUNTS, DAY_NS, TYPE
from pointsman.store.recount import are_runs_counted
from pointsman.store.rollups import HOUR_NS

GROUPS = ("agent", "model", "role")
"""What agents' work is told apart by."""
_MOST_AGENTS = 2000
_MOST_REPOSITORIES = 100
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in COUNTS)


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

    Those that were heard of since, by whole days in UTC, each with all that it did. ``runs`` is how
    many that are, ``last`` when one of them was last heard of, in ms since the epoch. The ``name``
    is ``""`` where nothing is known: no message with usage told the model, no contract the role.
    """
    given = {"since": since // DAY_NS, "repository": repository}
    where = "" if repository is None else " AND repository = :repository"
    if are_runs_counted(connection):
        rows = f"agent_days WHERE day >= :since AND runs > 0{where}"
    else:
        rows = (
            f"(SELECT r.*, 1 AS runs, {TYPE} AS agent FROM agent_runs r) r"  # noqa: S608 - ours
            f" WHERE last_ns / {DAY_NS} >= :since AND events > 0{where}"
        )
    sql = (
        f"SELECT {by} AS name, sum(runs) AS runs, max(last_ns) AS last, {_SUMS} FROM {rows}"  # noqa: S608
        " GROUP BY 1 ORDER BY sum(events) DESC, 1"
    )
    found = connection.execute(sql, given)
    return [{**dict(row), "last": row["last"] // 10**6} for row in found]


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
    row.pop("counted")
    first, last = row.pop("first_ns"), row.pop("last_ns")
    return {**row, "first": first // 10**6, "last": last // 10**6}
