"""What the record knows of calls and of time that passed, for a process that was not there yet."""

import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from pointsman.model.limit import Deed, Priced
from pointsman.store.query import opened

_MOST_ROWS = 500_000
_SQL = (
    "SELECT e.received_ns, e.event, e.session, e.agent_id, e.agent_type, e.repository,"
    " e.prompt_id, e.tool, e.decision, b.payload FROM events e"
    # Of a few kinds alone the payload says what has to be known.
    " LEFT JOIN bodies b ON b.seq = e.seq AND (e.tool = 'TaskUpdate' OR"
    " e.event IN ('TaskCompleted', 'Notification', 'Stop', 'SubagentStop'))"
    " WHERE {where} AND e.transport IN ('hook', 'exec') AND e.event != 'MessageDisplay'"
    " ORDER BY e.seq LIMIT ?"
)
_OF_SESSION = _SQL.format(where="e.session = ? AND e.received_ns < ?")
_SINCE = _SQL.format(where="e.received_ns >= ? AND e.received_ns < ?")
_RESTING = frozenset({"Stop", "StopFailure", "SessionEnd", "SubagentStop", "TeammateIdle"})
_OPENING = frozenset({"UserPromptSubmit", "SessionStart"})


class PastSpent:
    """Reads the ledger (``model.limit.PastDeeds``)."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger

    def of_session(self, session: str, before_ns: int) -> tuple[Sequence[Deed], Sequence[Priced]]:
        """Return everything of a session, the oldest first.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return self._read(_OF_SESSION, (session, before_ns)), ()

    def since(self, since_ns: int, before_ns: int) -> tuple[Sequence[Deed], Sequence[Priced]]:
        """Return everything from one time to another, the oldest first.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return self._read(_SINCE, (since_ns, before_ns)), ()

    def _read(self, sql: str, values: tuple[object, ...]) -> list[Deed]:
        if not os.path.lexists(self._ledger):
            return []  # Nothing has ever been put on record.
        with opened(self._ledger) as connection:
            return [_deed(row) for row in connection.execute(sql, (*values, _MOST_ROWS))]


def _deed(row: sqlite3.Row) -> Deed:
    kind, said = row["event"], _payload(row["payload"])
    rests = kind in _RESTING and not said.get("background_tasks")
    return Deed(
        at_ns=row["received_ns"],
        session=row["session"],
        agent_id=row["agent_id"],
        agent_type=row["agent_type"],
        repository=row["repository"],
        prompt_id=row["prompt_id"] or "",
        is_call=kind == "PreToolUse" and row["decision"] != "deny",
        task=_task(kind, row["tool"], said),
        rests=rests or said.get("notification_type") == "idle_prompt",
        opens=kind in _OPENING and row["agent_id"] is None,
    )


def _task(kind: str, tool: str, said: dict[str, object]) -> tuple[str, str]:
    if kind == "TaskCompleted":
        return str(said.get("task_id") or ""), "completed"
    given = said.get("tool_input")
    if kind != "PostToolUse" or tool != "TaskUpdate" or not isinstance(given, dict):
        return "", ""
    task, status = given.get("taskId"), given.get("status")
    return (task, status) if isinstance(task, str) and isinstance(status, str) else ("", "")


def _payload(data: bytes | None) -> dict[str, object]:
    try:
        value = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
