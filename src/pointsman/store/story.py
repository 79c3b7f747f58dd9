"""What is on record of one session, as a hand-off wants it: so much of each kind, and no more."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from pointsman.model.handoff import Happening, Story

_TOLD = "'Bash', 'TaskCreate', 'TaskUpdate', 'TodoWrite', 'AskUserQuestion'"
_WANTED = (
    ("event = 'UserPromptSubmit'", "ASC", 5),
    ("event = 'UserPromptSubmit'", "DESC", 20),
    ("event IN ('TaskCreated', 'TaskCompleted')", "DESC", 200),
    ("event IN ('Stop', 'StopFailure')", "DESC", 20),
    ("event IN ('PreCompact', 'WatchFinding')", "DESC", 100),
    ("event = 'PostToolUseFailure'", "DESC", 100),
    ("event = 'PreToolUse' AND decision = 'deny'", "DESC", 100),
    (f"event = 'PostToolUse' AND tool IN ({_TOLD})", "DESC", 300),
)
"""Which events, from which end, at most how many."""
_SELECT = (
    "SELECT e.seq, e.event, e.tool, e.path, e.decision, e.rule, e.reason, e.agent_id,"
    " CASE WHEN length(b.payload) <= ? THEN b.payload END AS payload"
    " FROM events e LEFT JOIN bodies b ON b.seq = e.seq WHERE e.session = ?"
)
_MOST_BODY = 256 * 1024
_MOST_FILES = 50
_CLEARED_NS = 120 * 10**9
"""A session that follows on ``/clear`` begins at once; what was cleared earlier is another's."""


def story_of(connection: sqlite3.Connection, session: str) -> Story | None:
    """Return what is on record of a session, ``None`` where nothing is."""
    last = connection.execute(
        "SELECT e.cwd, b.payload FROM events e LEFT JOIN bodies b ON b.seq = e.seq"
        " WHERE e.session = ? AND e.transport != 'derived' AND e.agent_id IS NULL"
        " ORDER BY e.seq DESC LIMIT 1",
        (session,),
    ).fetchone()
    if last is None:
        return None
    found: dict[int, Happening] = {}
    for condition, order, most in _WANTED:
        sql = f"{_SELECT} AND {condition} ORDER BY e.seq {order} LIMIT ?"
        for row in connection.execute(sql, (_MOST_BODY, session, most)):
            found[row["seq"]] = _happening(row)
    tokens, model = _context(connection, session)
    native = _object(last["payload"])
    path = native.get("transcript_path")
    return Story(
        session=session,
        cwd=last["cwd"],
        happenings=tuple(found[seq] for seq in sorted(found)),
        files=_files(connection, session),
        tokens=tokens,
        model=model,
        transcript=path if isinstance(path, str) else "",
    )


def just_cleared(connection: sqlite3.Connection, cwd: str, now_ns: int) -> list[tuple[str, int]]:
    """Return the sessions that were cleared lately in a directory and when, the newest first."""
    sql = (
        "SELECT e.session, e.received_ns, b.payload FROM events e INDEXED BY events_by_time"
        " JOIN bodies b ON b.seq = e.seq WHERE e.received_ns >= ? AND e.event = 'SessionEnd'"
        " AND e.cwd = ? ORDER BY e.received_ns DESC LIMIT 20"
    )
    rows = connection.execute(sql, (now_ns - _CLEARED_NS, cwd))
    return [(row["session"], row["received_ns"]) for row in rows
            if _object(row["payload"]).get("reason") == "clear"]  # fmt: skip


def _happening(row: sqlite3.Row) -> Happening:
    return Happening(
        seq=row["seq"],
        event=row["event"],
        tool=row["tool"],
        path=row["path"],
        decision=row["decision"],
        rule=row["rule"],
        reason=row["reason"],
        agent_id=row["agent_id"],
        native=_object(row["payload"]),
    )


def _files(connection: sqlite3.Connection, session: str) -> tuple[tuple[str, int], ...]:
    sql = (
        "SELECT path, count(*) AS times FROM events WHERE session = ? AND event = 'PreEdit'"
        " AND decision != 'deny' AND path != '' GROUP BY path ORDER BY max(seq) DESC LIMIT ?"
    )
    return tuple(
        (row["path"], row["times"]) for row in connection.execute(sql, (session, _MOST_FILES))
    )


def _context(connection: sqlite3.Connection, session: str) -> tuple[int, str]:
    """Return the size of the main thread's context at its last message, and its model."""
    sql = (
        "SELECT sum(input_tokens + cache_read_tokens + cache_write_5m_tokens"
        " + cache_write_1h_tokens) AS tokens, max(model) AS model FROM usage"
        " WHERE session = ? AND agent_id IS NULL GROUP BY key ORDER BY max(at_ns) DESC, max(n) DESC"
        " LIMIT 1"
    )
    row = connection.execute(sql, (session,)).fetchone()
    return (max(0, int(row["tokens"] or 0)), str(row["model"])) if row else (0, "")


def _object(payload: bytes | None) -> Mapping[str, Any]:
    try:
        value = json.loads(payload or b"{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
