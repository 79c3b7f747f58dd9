"""What was used, for a page: sums by one dimension and their course, from the hourly sums alone."""

import sqlite3
from typing import Any

DIMENSIONS = (
    "model", "agent", "subagent", "session", "task", "repository", "branch", "role", "tool",
)  # fmt: skip
"""What a page may be grouped by; figures by tool are allocated, all others are measured."""
ALLOCATED = frozenset({"tool"})
_TOKENS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)  # fmt: skip
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in (*_TOKENS, "usd_nano", "unpriced", "calls"))
_MOST_ROWS = 500
_LINES = 6
_POINTS = 96


def available(connection: sqlite3.Connection) -> bool:
    """Whether this ledger counts usage at all."""
    sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'usage_hours'"
    return connection.execute(sql).fetchone() is not None


def page(
    connection: sqlite3.Connection, dimension: str, hours: int, now_hour: int, repository: str = ""
) -> dict[str, Any]:
    """Return the sums of each value in the last so many hours, the largest first, and their course.

    ``cost_usd`` is null where a model has no price: ``priced_usd`` is then what the others cost.
    """
    given: dict[str, Any] = {"dimension": dimension, "first": now_hour - hours + 1}
    where = "dimension = :dimension AND hour >= :first"
    if repository:
        given["repository"] = repository
        where += " AND repository = :repository"
    rows = connection.execute(
        f"SELECT value, {_SUMS} FROM usage_hours WHERE {where} GROUP BY value"  # noqa: S608 - ours
        f" ORDER BY sum(usd_nano) DESC, sum(output_tokens) DESC LIMIT {_MOST_ROWS}",
        given,
    ).fetchall()
    total = connection.execute(f"SELECT {_SUMS} FROM usage_hours WHERE {where}", given).fetchone()  # noqa: S608
    step = max(1, -(-hours // _POINTS))
    course = connection.execute(
        f"SELECT hour / {step} * {step} AS at, value, sum(usd_nano) AS usd_nano,"  # noqa: S608 - ours
        f" {' + '.join(f'sum({name})' for name in _TOKENS)} AS tokens"
        f" FROM usage_hours WHERE {where} GROUP BY 1, 2 ORDER BY 1",
        given,
    )
    named = [row["value"] for row in rows[:_LINES]]
    return {
        "by": dimension,
        "basis": "allocated" if dimension in ALLOCATED else "measured",
        "rows": [{"key": row["value"], **_figures(row)} for row in rows],
        "total": _figures(total) if total["calls"] is not None else None,
        "series": _series(course, named, (given["first"], now_hour, step)),
    }


def _figures(row: sqlite3.Row) -> dict[str, Any]:
    priced = row["usd_nano"] / 1e9
    return {
        **{name: row[name] for name in _TOKENS},
        "cost_usd": None if row["unpriced"] else priced,
        "priced_usd": priced,
        "unpriced_calls": row["unpriced"],
        "calls": row["calls"],
    }


def _series(
    course: sqlite3.Cursor, named: list[str], span: tuple[int, int, int]
) -> list[dict[str, Any]]:
    """Return one point for each step, empty ones too; what is not among the largest is one line."""
    first, last, step = span
    points: dict[int, dict[str, Any]] = {
        hour: {"at": hour * 3600, "usd": [0.0] * (len(named) + 1), "tokens": 0}
        for hour in range(first // step * step, last + 1, step)
    }
    place = {value: number for number, value in enumerate(named)}
    for row in course:
        point = points.get(row["at"])
        if point is not None:
            point["usd"][place.get(row["value"], len(named))] += row["usd_nano"] / 1e9
            point["tokens"] += row["tokens"]
    return list(points.values())
