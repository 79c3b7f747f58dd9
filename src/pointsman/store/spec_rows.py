"""Which sessions have carried a spec: in a prompt, in an agent's task, or as a file they edited."""

import sqlite3
from typing import Any

from pointsman.store.own import LOOKED_AT

_KINDS = {"UserPromptSubmit": "prompts", "PreToolUse": "agents", "PostToolUse": "edits"}
_SQL = (
    "SELECT e.session, e.event, count(*) AS n FROM events e LEFT JOIN bodies b ON b.seq = e.seq"
    " WHERE e.seq > (SELECT coalesce(max(seq), 0) - :most FROM events)"
    " AND e.derived_from IS NULL AND e.transport = 'hook' AND ("
    " (e.event = 'PostToolUse' AND e.path = :path AND e.tool IN ('Edit', 'Write', 'MultiEdit'))"
    " OR ((e.event = 'UserPromptSubmit'"
    "      OR (e.event = 'PreToolUse' AND e.tool IN ('Agent', 'Task') AND e.decision != 'deny'))"
    "     AND (instr(b.payload, CAST(:path AS BLOB)) > 0"
    "          OR ((e.repository = :root OR e.cwd = :root)"
    "              AND instr(b.payload, CAST(:name AS BLOB)) > 0))))"
    " GROUP BY e.session, e.event ORDER BY min(e.seq)"
)


def carried(
    connection: sqlite3.Connection, path: str, name: str, root: str
) -> list[dict[str, Any]]:
    """Return by session how many prompts, agents and edits carry the spec, the oldest first.

    ``name`` is its path in the repository ``root``: it counts in sessions of that repository.
    Only the newest ``LOOKED_AT`` events are read, and of those only ones with a payload.
    """
    given = {"most": LOOKED_AT, "path": path, "name": name, "root": root}
    found: dict[str, dict[str, Any]] = {}
    for row in connection.execute(_SQL, given):
        fresh = {"session": row["session"], "prompts": 0, "agents": 0, "edits": 0}
        found.setdefault(row["session"], fresh)[_KINDS[row["event"]]] += row["n"]
    return list(found.values())
