"""What the record says of one session: whose a call is, and what became of the session's events.

Each question is bounded: by the session's index, or by so many of the newest events.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.store.query import iso

LOOKED_AT = 100_000
"""The newest so many events hold the call that asks: it is under way."""
MOST = 100
_OVER = ("PostToolUse", "PostToolUseFailure", "PermissionDenied")
_MOST_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCall:
    """A call that is on record as begun and not as ended, and whose it is."""

    seq: int
    received_ns: int
    host: str
    session: str
    agent_id: str | None
    agent_type: str | None
    parent: str | None
    prompt_id: str | None
    tool_use_id: str
    tool: str
    cwd: str
    repository: str | None


_CALLER = ", ".join(OpenCall.__dataclass_fields__)


def open_calls(connection: sqlite3.Connection, call: str) -> list[OpenCall]:
    """Return the calls with this id that have begun, were let pass, and are not over yet."""
    sql = (
        f"SELECT {_CALLER}, decision, event FROM events"
        " WHERE seq > (SELECT coalesce(max(seq), 0) - ? FROM events) AND tool_use_id = ?"
        " AND (event != 'PreToolUse' OR transport = 'hook') ORDER BY seq"
    )
    begun: dict[str, OpenCall] = {}
    for row in connection.execute(sql, (LOOKED_AT, call)):
        if row["event"] == "PreToolUse" and row["decision"] != "deny":
            begun[row["session"]] = OpenCall(**{name: row[name] for name in row.keys()[:-2]})
        elif row["event"] in _OVER or row["event"] == "PreToolUse":
            begun.pop(row["session"], None)
    return list(begun.values())


def is_live(connection: sqlite3.Connection, session: str) -> bool:
    """Whether a session is on record and has not ended."""
    rows = connection.execute(
        "SELECT event FROM events WHERE session = ? ORDER BY seq DESC LIMIT 20", (session,)
    ).fetchall()
    # Behind its end come what observers and hooks of the end had to do.
    return bool(rows) and all(row["event"] != "SessionEnd" for row in rows)


def denied(connection: sqlite3.Connection, session: str) -> int:
    """Return how many calls of a session were denied."""
    row = connection.execute(
        "SELECT count(*) AS n FROM events WHERE session = ? AND event = 'PreToolUse'"
        " AND decision = 'deny'",
        (session,),
    ).fetchone()
    return int(row["n"])


def stopped(
    connection: sqlite3.Connection, session: str, agents: Sequence[str | None] | None, limit: int
) -> list[dict[str, Any]]:
    """Return what hooks have denied, put to a person or changed in a session, the newest first.

    ``agents`` are ids (``None`` the main thread); without any, all of the session's.
    """
    where, values = _whose(agents)
    sql = (
        "SELECT seq, received_ns, event, agent_id, agent_type, tool, path, tool_use_id, decision,"
        f" rule, reason, hook, cause FROM events WHERE session = ?{where}"
        " AND decision IN ('deny', 'ask', 'modify') AND derived_from IS NULL"
        " ORDER BY seq DESC LIMIT ?"
    )
    rows = connection.execute(sql, (session, *values, min(limit, MOST)))
    return [_said(row) for row in rows]


def hooks(connection: sqlite3.Connection, session: str) -> list[dict[str, Any]]:
    """Return each hook of a session with how often it ran and how its runs ended."""
    sql = (
        "SELECT r.hook, r.role, r.outcome, count(*) AS runs, max(r.seq) AS seq"
        " FROM events e JOIN hook_runs r ON r.seq = e.seq WHERE e.session = ?"
        " GROUP BY r.hook, r.role, r.outcome ORDER BY r.hook"
    )
    return [dict(row) for row in connection.execute(sql, (session,))]


def reason_of(connection: sqlite3.Connection, seq: int, hook: str, outcome: str) -> str:
    """Return why a hook's run ended as it did."""
    row = connection.execute(
        "SELECT substr(reason, 1, ?) AS reason FROM hook_runs"
        " WHERE seq = ? AND hook = ? AND outcome = ? LIMIT 1",
        (_MOST_TEXT, seq, hook, outcome),
    ).fetchone()
    return row["reason"] if row else ""


def findings(
    connection: sqlite3.Connection, session: str, agents: Sequence[str | None] | None, limit: int
) -> list[dict[str, Any]]:
    """Return what the detectors have found in a session, the newest first."""
    where, values = _whose(agents, "e.")
    sql = (
        "SELECT e.seq, e.received_ns, e.agent_id, e.agent_type, e.rule, e.reason, b.payload"
        " FROM events e LEFT JOIN bodies b ON b.seq = e.seq"
        f" WHERE e.session = ?{where} AND e.event = 'WatchFinding' ORDER BY e.seq DESC LIMIT ?"
    )
    rows = connection.execute(sql, (session, *values, min(limit, MOST)))
    return [_finding(row) for row in rows]


def latest_findings(connection: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """Return what the detectors have found lately in any session, the newest first."""
    sql = (
        "SELECT e.seq, e.received_ns, e.session, e.agent_id, e.agent_type, e.rule, e.reason,"
        " b.payload FROM events e LEFT JOIN bodies b ON b.seq = e.seq"
        " WHERE e.seq > (SELECT coalesce(max(seq), 0) - ? FROM events)"
        " AND e.event = 'WatchFinding' ORDER BY e.seq DESC LIMIT ?"
    )
    rows = connection.execute(sql, (LOOKED_AT, min(limit, MOST)))
    return [{"session": row["session"], **_finding(row)} for row in rows]


def read_until(connection: sqlite3.Connection, session: str) -> int | None:
    """Return the time (ns) of the newest message of a session that is on record."""
    row = connection.execute(
        "SELECT max(at_ns) AS at FROM usage WHERE session = ?", (session,)
    ).fetchone()
    return None if row["at"] is None else int(row["at"])


def over(connection: sqlite3.Connection, session: str) -> set[str]:
    """Return the ids of a session's subagents that have come to their end."""
    rows = connection.execute(
        "SELECT agent_id FROM events WHERE session = ? AND event = 'SubagentStop'"
        " AND decision != 'deny' AND agent_id IS NOT NULL",
        (session,),
    )
    return {row["agent_id"] for row in rows}


def _whose(agents: Sequence[str | None] | None, of: str = "") -> tuple[str, tuple[str, ...]]:
    if agents is None:
        return "", ()
    named = tuple(each for each in agents if each is not None)
    either = [f"{of}agent_id IS NULL"] if len(named) < len(agents) else []
    if named:
        either.append(f"{of}agent_id IN ({', '.join('?' * len(named))})")
    return f" AND ({' OR '.join(either) or '0'})", named


def _said(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "seq": row["seq"],
        "time": iso(row["received_ns"]),
        "agent": _agent(row),
        "agent_id": row["agent_id"],
        "event": row["event"],
        "tool": row["tool"],
        "path": row["path"],
        "tool_use_id": row["tool_use_id"],
        "decision": row["decision"],
        "rule": row["rule"],
        "reason": row["reason"][:_MOST_TEXT],
        "hook": row["hook"],
        "cause": row["cause"],
    }


def _finding(row: sqlite3.Row) -> dict[str, Any]:
    try:
        said = json.loads(row["payload"] or b"{}")
    except ValueError:
        said = {}
    # What a purged body no longer says, the row still does.
    return {
        "seq": row["seq"],
        "time": iso(row["received_ns"]),
        "agent": _agent(row),
        "agent_id": row["agent_id"],
        "detector": row["rule"].removeprefix("watch."),
        "severity": str(said.get("severity", "unknown")),
        "summary": row["reason"][:_MOST_TEXT],
        "figures": said.get("figures") or {},
    }


def _agent(row: sqlite3.Row) -> str:
    return row["agent_type"] or ("main" if row["agent_id"] is None else row["agent_id"])
