"""How many events a filter takes, from the counts that were kept while they were written."""

import sqlite3
from dataclasses import fields, replace
from typing import Any

from pointsman.store.query import Filter, conditions_of
from pointsman.store.rollups import HOUR_NS

_DIMENSIONS = frozenset({"all", "tool", "event", "rule"})
"""Filters that mean just what events are counted by (``store/rollups.py``)."""
_DECIDED = {
    "": "events",
    "allow": "allowed",
    "deny": "denied",
    "ask": "asked",
    "modify": "modified",
    "none": "events - allowed - denied - asked - modified",
}
_LAST = 2**63 - 1


def of(connection: sqlite3.Connection, wanted: Filter) -> int | None:
    """Return how many events match; ``None`` where they are not counted by that.

    Whole hours come from the counts, the parts of an hour at both ends from the time's index.
    """
    given = {each.name: getattr(wanted, each.name) for each in fields(wanted)}
    asked: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    decided = _DECIDED.get(asked.pop("decision", ""))
    since, until = asked.pop("since", None), asked.pop("until", None)
    name, value = next(iter(asked.items()), ("all", ""))
    if decided is None or len(asked) > 1:
        return None
    if name == "session" and decided == "events" and since is None and until is None:
        return of_session(connection, value)
    if name not in _DIMENSIONS:
        return None
    span = (since or 0, _LAST if until is None else until)
    first, behind = -(-span[0] // HOUR_NS), (span[1] + 1) // HOUR_NS
    if first >= behind:
        return _between(connection, wanted, span)
    sql = (
        f"SELECT sum({decided}) FROM event_hours WHERE dimension = ? AND value = ?"  # noqa: S608
        " AND hour >= ? AND hour < ?"
    )
    whole = connection.execute(sql, (name, value, first, behind)).fetchone()[0] or 0
    before = _between(connection, wanted, (span[0], first * HOUR_NS - 1))
    return int(whole) + before + _between(connection, wanted, (behind * HOUR_NS, span[1]))


def of_session(connection: sqlite3.Connection, session: str) -> int:
    """Return how many events a session has."""
    sql = "SELECT events FROM sessions WHERE session = ?"
    row = connection.execute(sql, (session,)).fetchone()
    return 0 if row is None else int(row[0])


def _between(connection: sqlite3.Connection, wanted: Filter, span: tuple[int, int]) -> int:
    """Return how many match in a part of an hour; both ends are of it."""
    if span[0] > span[1]:
        return 0
    where, values = conditions_of(replace(wanted, since=None, until=None))
    where.append("received_ns BETWEEN :first AND :last")
    sql = f"SELECT count(*) FROM events INDEXED BY events_by_time WHERE {' AND '.join(where)}"  # noqa: S608
    given = {**values, "first": span[0], "last": span[1]}
    return int(connection.execute(sql, given).fetchone()[0])
