"""What was used so long ago that it is kept no more: whole hours, postings and sums together."""

import sqlite3

from pointsman.model.usage import AMOUNT_FIELDS
from pointsman.store.usage_rows import HOUR_NS

DAY_NS = 24 * HOUR_NS
_NAMES = ", ".join(AMOUNT_FIELDS)
_ADD = ", ".join(f"{name} = {name} + excluded.{name}" for name in AMOUNT_FIELDS)
_KEEP = (
    f"INSERT INTO usage_given_back (model, {_NAMES})"  # noqa: S608 - our own names
    f" SELECT value, {', '.join(f'sum({name})' for name in AMOUNT_FIELDS)} FROM usage_hours"
    " WHERE dimension = 'model' AND hour = :hour GROUP BY value"
    f" ON CONFLICT (model) DO UPDATE SET {_ADD}"
)
_OTHERS = "NOT (u.at_ns >= :first AND u.at_ns < :behind)"
_GOING = "at_ns >= :first AND at_ns < :behind"
_TOOLS = (
    f"DELETE FROM usage_tools WHERE key IN (SELECT key FROM usage WHERE {_GOING})"  # noqa: S608
    f" AND NOT EXISTS (SELECT 1 FROM usage u WHERE u.key = usage_tools.key AND {_OTHERS})"
)
_HOST = (
    f"DELETE FROM usage_host WHERE session IN (SELECT session FROM usage WHERE {_GOING})"  # noqa: S608
    f" AND NOT EXISTS (SELECT 1 FROM usage u WHERE u.session = usage_host.session AND {_OTHERS})"
)
_DAYS = (
    f"UPDATE usage_days SET {', '.join(f'{n} = usage_days.{n} - h.{n}' for n in AMOUNT_FIELDS)}"  # noqa: S608
    " FROM usage_hours h WHERE h.hour = :hour AND usage_days.day = :day"
    " AND usage_days.dimension = h.dimension AND usage_days.repository = h.repository"
    " AND usage_days.value = h.value"
)
_EMPTY_DAYS = (
    "DELETE FROM usage_days WHERE day = :day"  # noqa: S608 - our own names
    f" AND {' AND '.join(f'{name} = 0' for name in AMOUNT_FIELDS)}"
)
_STEPS = (
    "INSERT INTO retention_gate VALUES (1)",
    _KEEP,
    _DAYS,
    _EMPTY_DAYS,
    "DELETE FROM usage_hours WHERE hour = :hour",
    _TOOLS,
    _HOST,
    f"DELETE FROM usage WHERE {_GOING}",  # noqa: S608
    "DELETE FROM transcripts WHERE seen_ns < :behind",
    "DELETE FROM retention_gate",
)


def horizon(days: int, now_ns: int) -> int:
    """Return the time before which usage is kept no more: the beginning of a day in UTC."""
    return (now_ns // DAY_NS - days) * DAY_NS


def prune(connection: sqlite3.Connection, before_ns: int) -> int:
    """Remove the oldest hour of usage, if all of it was before a time; return how many rows.

    What has no time stays. It is to be called within a transaction of the writer.
    """
    found = connection.execute(
        "SELECT min(hour) FROM usage_hours WHERE dimension = 'role' AND hour > 0"
    ).fetchone()[0]
    if found is None or (found + 1) * HOUR_NS > before_ns:
        return 0
    given = {
        "hour": found,
        "day": found // 24,
        "first": found * HOUR_NS,
        "behind": (found + 1) * HOUR_NS,
    }
    before = connection.total_changes
    for sql in _STEPS:
        connection.execute(sql, {key: each for key, each in given.items() if f":{key}" in sql})
    return connection.total_changes - before
