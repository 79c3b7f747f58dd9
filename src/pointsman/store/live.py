"""What a view that is kept open reads: whole sessions once, and then only what has come since."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from pointsman.model.usage import TOKEN_FIELDS
from pointsman.store import agent_counts

_TOKENS = " + ".join(TOKEN_FIELDS)
MOST_SESSIONS = 200


@dataclass(frozen=True, slots=True)
class Spent:
    """What an agent of a session has used (``agent`` is empty for the main thread)."""

    session: str
    agent: str
    tokens: int
    usd_nano: int
    unpriced: int
    number: int
    """Its place in the record; 0 for a sum."""


def sessions_since(connection: sqlite3.Connection, since_ns: int) -> list[str]:
    """Return the sessions that were heard of since, the latest last."""
    rows = connection.execute(
        "SELECT session FROM sessions WHERE last_ns >= ? AND events > 0"
        " ORDER BY last_ns DESC LIMIT ?",
        (since_ns, MOST_SESSIONS),
    ).fetchall()
    return [row["session"] for row in reversed(rows)]


def agents_of(connection: sqlite3.Connection, session: str) -> list[dict[str, Any]]:
    """Return who acted in a session, each with its counts."""
    return agent_counts.of_session(connection, session)


def spent_in(connection: sqlite3.Connection, session: str) -> list[Spent]:
    """Return what each agent of a session has used."""
    sql = (
        f"SELECT session, coalesce(agent_id, '') AS agent, sum({_TOKENS}) AS tokens,"
        " sum(usd_nano) AS usd_nano, sum(unpriced) AS unpriced, 0 FROM usage"
        " WHERE session = ? GROUP BY agent"
    )
    return [Spent(*row) for row in map(tuple, connection.execute(sql, (session,)))]


def spent_after(connection: sqlite3.Connection, number: int, limit: int) -> list[Spent]:
    """Return what was added to the use of tokens and money behind a number, in order."""
    sql = (
        f"SELECT session, coalesce(agent_id, ''), {_TOKENS}, usd_nano, unpriced, n FROM usage"
        " WHERE n > ? ORDER BY n LIMIT ?"
    )
    return [Spent(*row) for row in map(tuple, connection.execute(sql, (number, limit)))]


def last_spent(connection: sqlite3.Connection) -> int:
    """Return the highest number in the record of what was used."""
    return int(connection.execute("SELECT coalesce(max(n), 0) FROM usage").fetchone()[0])
