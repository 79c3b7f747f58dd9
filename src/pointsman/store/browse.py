"""Pages of the audit trail for a reader that comes again and again: each one bounded.

What is long is cut, what is many is paged by sequence number, and a text is looked for in so many
events at a time: the answer says where to go on.
"""

import json
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.store.query import Filter, conditions_of, iso

MOST_ROWS = 5000
MOST_SCANNED = 20_000
"""Events of which one request reads the bodies."""
_MOST_SAID = 240
_MOST_BODY = 64 * 1024
_BODY = "CAST(b.payload AS TEXT)"
_SAID = ("command", "file_path", "pattern", "url", "query", "description", "prompt")
_SHOWN = ", ".join(f"json_extract({_BODY}, '$.tool_input.{name}')" for name in _SAID)
# What is no JSON, or very long, says nothing: SQLite would give up on the whole page.
_WHAT = (
    f"CASE WHEN length(b.payload) <= {_MOST_BODY} AND json_valid({_BODY})"
    f" THEN substr(coalesce({_SHOWN}, json_extract({_BODY}, '$.prompt'),"
    f" json_extract({_BODY}, '$.message'), ''), 1, {_MOST_SAID}) ELSE '' END"
)
_COLUMNS = (
    "e.seq, e.received_ns, e.event, e.session, e.agent_id, e.agent_type, e.parent, e.prompt_id,"
    " e.tool_use_id, e.tool, e.path, e.repository, e.decision, e.rule,"
    f" substr(e.reason, 1, {_MOST_SAID}) AS reason, e.hook, e.cause, e.duration_ns, e.transport,"
    f" e.derived_from, {_WHAT} AS what"
)
_FROM = (
    # Named anew: the conditions of a filter say `seq`, and mean that of the event.
    "FROM events e LEFT JOIN (SELECT seq AS body_of, payload FROM bodies) b ON b.body_of = e.seq"
)
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_MOST_WORDS = 12
_SEARCHED = ("e.reason", "e.path", "e.tool", "e.rule", "e.event", "e.session", _BODY)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, the newest first; ``next`` is where the following page begins, ``None`` at the end."""

    rows: list[dict[str, Any]]
    next: int | None
    scanned: int | None = None
    """The oldest event that was looked at, where not all of them were."""


def newest(connection: sqlite3.Connection) -> int:
    """Return the highest sequence number, 0 where there is no event."""
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])


def oldest(connection: sqlite3.Connection) -> int:
    """Return the lowest sequence number, 0 where there is no event."""
    return int(connection.execute("SELECT coalesce(min(seq), 0) FROM events").fetchone()[0])


def after(connection: sqlite3.Connection, seq: int, limit: int) -> list[dict[str, Any]]:
    """Return events behind a number, in order."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE e.seq > ? ORDER BY e.seq LIMIT ?"
    return [compact(row) for row in connection.execute(sql, (seq, min(limit, MOST_ROWS)))]


def page(
    connection: sqlite3.Connection, wanted: Filter, text: str, before: int | None, limit: int
) -> Page:
    """Return events that match, the newest first.

    ``text`` are words that must all occur in an event or its payload, whatever their case; what
    stands between quotation marks is one of them.
    """
    where, values = conditions_of(wanted)
    top = before if before is not None else newest(connection) + 1
    where.append("e.seq < :before")
    values["before"] = top
    words = words_of(text)
    bottom = 0
    if words:
        bottom = _bottom(connection, where, values)
        where.append("e.seq >= :bottom")
        values["bottom"] = bottom
        searched, more = _search(words)
        where.append(searched)
        values |= more
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE {' AND '.join(where)} ORDER BY e.seq DESC LIMIT :limit"
    limit = max(1, min(limit, MOST_ROWS))
    rows = [compact(row) for row in connection.execute(sql, {**values, "limit": limit})]
    if len(rows) == limit:
        return Page(rows, rows[-1]["seq"])
    return Page(rows, bottom, bottom) if bottom > oldest(connection) else Page(rows, None)


def words_of(text: str) -> list[str]:
    """Return the words and quoted phrases of a search, at most so many."""
    return [found[1] or found[2] for found in _WORD.finditer(text)][:_MOST_WORDS]


def count(connection: sqlite3.Connection, wanted: Filter) -> int:
    """Return how many events match, as ``pointsman ledger query`` would print."""
    where, values = conditions_of(wanted)
    rest = f" WHERE {' AND '.join(where)}" if where else ""
    row = connection.execute(f"SELECT count(*) FROM events e{rest}", values)  # noqa: S608 - ours
    return int(row.fetchone()[0])


def related(connection: sqlite3.Connection, seq: int) -> list[dict[str, Any]]:
    """Return the events of the same call, and those derived from it, in order."""
    row = connection.execute(
        "SELECT session, tool_use_id, derived_from FROM events WHERE seq = ?", (seq,)
    ).fetchone()
    if row is None or not row["tool_use_id"]:
        return []
    # By the session's index: there is none on the call's id.
    sql = (
        f"SELECT {_COLUMNS} {_FROM} WHERE e.session = ? AND e.tool_use_id = ?"
        " ORDER BY e.seq LIMIT 50"
    )
    return [compact(each) for each in connection.execute(sql, tuple(row)[:2])]


def compact(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row as the pages take it: without what is empty."""
    agent = row["agent_type"] or ("main" if row["agent_id"] is None else row["agent_id"])
    return {
        "seq": row["seq"],
        "at": row["received_ns"] // 1_000_000,
        "agent": agent,
        "ms": round(row["duration_ns"] / 1e6, 3),
    } | {key: row[key] for key in _KEPT if row[key] not in (None, "")}


_KEPT = (
    "event", "session", "agent_id", "agent_type", "parent", "prompt_id", "tool_use_id", "tool",
    "path", "repository", "decision", "rule", "reason", "hook", "cause", "transport",
    "derived_from", "what",
)  # fmt: skip


def _bottom(connection: sqlite3.Connection, where: Sequence[str], values: dict[str, Any]) -> int:
    """Return the oldest of those events that one request reads."""
    sql = (
        f"SELECT min(seq) FROM (SELECT e.seq FROM events e WHERE {' AND '.join(where)}"  # noqa: S608
        f" ORDER BY e.seq DESC LIMIT {MOST_SCANNED})"
    )
    return int(connection.execute(sql, values).fetchone()[0] or 0)


def _search(words: Sequence[str]) -> tuple[str, dict[str, str]]:
    conditions, values = [], {}
    for number, word in enumerate(words):
        values[f"word{number}"] = _like(word)
        # In the payload a text stands as JSON spells it.
        values[f"json{number}"] = _like(json.dumps(word, ensure_ascii=False)[1:-1])
        each = [
            f"{column} LIKE :{'json' if column is _BODY else 'word'}{number} ESCAPE '\\'"
            for column in _SEARCHED
        ]
        conditions.append(f"({' OR '.join(each)})")
    return " AND ".join(conditions), values


def _like(text: str) -> str:
    return "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"


def sessions(connection: sqlite3.Connection, events: int, limit: int) -> list[dict[str, Any]]:
    """Return the sessions of the newest so many events, the one that was last heard of first."""
    sql = (
        "SELECT session, host, min(received_ns) AS first, max(received_ns) AS last, count(*) AS n,"
        " sum(event = 'PreToolUse') AS calls, sum(decision = 'deny') AS denied,"
        " sum(decision = 'ask') AS asked, sum(decision = 'modify') AS modified,"
        " count(DISTINCT coalesce(agent_id, 'main')) AS agents, max(repository) AS repository,"
        " max(CASE WHEN event = 'SessionEnd' THEN seq ELSE 0 END) AS ended, max(seq) AS seq"
        " FROM events WHERE seq > ? GROUP BY session ORDER BY max(seq) DESC LIMIT ?"
    )
    since = max(0, newest(connection) - events)
    found = connection.execute(sql, (since, min(limit, 1000))).fetchall()
    return [
        {
            **{key: row[key] for key in row.keys() if key not in {"first", "last", "ended"}},  # noqa: SIM118
            "first": iso(row["first"]),
            "last": iso(row["last"]),
            # Events may come behind it: hooks of the end, observers.
            "over": row["ended"] > 0 and row["seq"] - row["ended"] < 20,
        }
        for row in found
    ]


def session_agents(connection: sqlite3.Connection, session: str) -> list[dict[str, Any]]:
    """Return who acted in a session: each agent with its parent and its counts."""
    sql = (
        "SELECT agent_id, max(agent_type) AS agent_type, max(parent) AS parent,"
        " min(received_ns) AS first, max(received_ns) AS last, count(*) AS n,"
        " sum(event = 'PreToolUse') AS calls, sum(decision = 'deny') AS denied,"
        " sum(decision = 'ask') AS asked FROM events WHERE session = ?"
        " GROUP BY agent_id ORDER BY min(seq) LIMIT 2000"
    )
    return [
        {**dict(row), "first": row["first"] // 10**6, "last": row["last"] // 10**6}
        for row in connection.execute(sql, (session,))
    ]
