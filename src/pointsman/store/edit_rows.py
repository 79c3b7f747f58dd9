"""The calls of sessions that were told, or not told, what their edits hang on."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MOST_PAYLOAD = 256 * 1024
_RUNS = (
    "SELECT DISTINCT e.session, r.lines FROM hook_runs r JOIN events e ON e.seq = r.seq"
    " WHERE r.hook = ? AND r.lines IS NOT NULL AND e.received_ns >= ?"
)
_CALLS = (
    "SELECT e.seq, e.event, e.tool, e.path, e.decision, substr(b.payload, 1, ?) AS payload"
    " FROM events e JOIN bodies b ON b.seq = e.seq"
    " WHERE e.session = ? AND e.event IN ('PostToolUse', 'PostToolUseFailure') ORDER BY e.seq"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that has ended: its tool, the file it names, its input, and what it gave back."""

    seq: int
    tool: str
    path: str
    failed: bool
    given: dict[str, Any] = field(default_factory=dict)
    output: str = ""


def sides(connection: sqlite3.Connection, hook: str, since: int) -> dict[str, str]:
    """Return by session on which side of the comparison it was, as its edits' records say."""
    found: dict[str, str] = {}
    for session, lines in connection.execute(_RUNS, (hook, since)):
        for line in json.loads(lines):
            for side in ("with", "without"):
                if line == f"arm arm={side!r}":
                    found[session] = side
    return found


def calls_of(connection: sqlite3.Connection, session: str) -> Iterator[Call]:
    """Yield the calls of a session in their order."""
    for row in connection.execute(_CALLS, (MOST_PAYLOAD, session)):
        payload = _payload(row["payload"])
        given, response = payload.get("tool_input"), payload.get("tool_response")
        output = response if isinstance(response, str) else json.dumps(response)
        yield Call(
            row["seq"],
            row["tool"],
            row["path"],
            row["event"] == "PostToolUseFailure",
            given if isinstance(given, dict) else {},
            f"{output}\n{payload.get('error', '')}",
        )


def _payload(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
