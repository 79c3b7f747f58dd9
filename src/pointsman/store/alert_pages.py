"""What went wrong with runs, for a page: the escalations and findings on record, put together."""

import json
import sqlite3
from typing import Any

KINDS = ("ErrorEscalation", "WatchFinding")
"""Events that say that something is wrong; ``rule`` names what has found it."""
EVENTS = 50_000
"""The newest events, of which those are looked at."""
_MOST_READ = 3000
_MOST_ROWS = 200
_MOST_SEQS = 50


def alerts(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return one row for each cause, session and agent, the critical first, then the newest.

    ``first`` and ``last`` are in ms since the epoch, ``count`` how often it was raised, ``seq`` the
    newest event that says so, ``seqs`` those that show it.
    """
    marks = ", ".join("?" * len(KINDS))
    rows = connection.execute(
        "SELECT e.seq, e.event, e.rule, e.reason, e.session, e.agent_id, e.agent_type,"  # noqa: S608
        " e.repository, e.received_ns, b.payload FROM events e LEFT JOIN bodies b ON b.seq = e.seq"
        f" WHERE e.seq > (SELECT max(seq) FROM events) - ? AND e.event IN ({marks})"
        " ORDER BY e.seq DESC LIMIT ?",
        (EVENTS, *KINDS, _MOST_READ),
    )
    found: dict[tuple[str, str, str | None], dict[str, Any]] = {}
    for row in rows:
        at = row["received_ns"] // 10**6
        one = found.get((row["rule"], row["session"], row["agent_id"]))
        if one is None:
            found[row["rule"], row["session"], row["agent_id"]] = _alert(row, at)
        else:
            one["first"] = at
            one["count"] += 1
    ordered = sorted(found.values(), key=lambda one: (one["severity"] != "critical", -one["last"]))
    return ordered[:_MOST_ROWS]


def _alert(row: sqlite3.Row, at: int) -> dict[str, Any]:
    said = _said(row["payload"])
    seqs = said.get("seqs")
    main = "main" if row["agent_id"] is None else row["agent_id"]
    return {
        "seq": row["seq"],
        "cause": row["rule"],
        "severity": "critical" if said.get("severity") == "critical" else "warning",
        "summary": row["reason"],
        "session": row["session"],
        "agent": row["agent_type"] or main,
        "repository": row["repository"],
        "first": at,
        "last": at,
        "count": 1,
        "seqs": seqs[:_MOST_SEQS] if isinstance(seqs, list) else [],
    }


def _said(payload: bytes | None) -> dict[str, Any]:
    """Return what a payload says; one that was purged says nothing."""
    try:
        value = json.loads(payload or b"")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
