"""What the record knows of what was done and used, for a process that was not there yet."""

import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from pointsman.model.limit import Deed, Spend
from pointsman.store.query import opened

_MOST_ROWS = 500_000
_SQL = (
    "SELECT e.received_ns, e.event, e.session, e.agent_id, e.agent_type, e.repository,"
    " e.prompt_id, e.tool, e.decision, b.payload FROM events e"
    # Of a few kinds alone the payload says what has to be known.
    " LEFT JOIN bodies b ON b.seq = e.seq AND (e.tool = 'TaskUpdate' OR"
    " e.event IN ('TaskCompleted', 'Notification', 'Stop', 'SubagentStop'))"
    " WHERE {where} AND e.transport IN ('hook', 'exec') AND e.event != 'MessageDisplay'"
    " ORDER BY e.received_ns, e.seq LIMIT :most"
)
_USED = (
    "SELECT at_ns, session, key, agent_id, agent_type, repository, input_tokens + output_tokens"
    " + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens AS tokens, usd_nano,"
    " unpriced FROM usage WHERE {where} ORDER BY at_ns, n LIMIT :most"
)
_BETWEEN = "{0} >= :since AND {1} < :before"
# The plus keeps the index of times out: a session's events are few, those before now are all.
_IN_SESSION = "session = :session AND +{0} >= :since AND +{1} < :before"
_EVENTS, _MESSAGES = ("received_ns", "received_ns"), ("at_ns", "recorded_ns")
"""When something happened, and when it was put on record."""
_RESTING = frozenset({"Stop", "StopFailure", "SessionEnd", "SubagentStop", "TeammateIdle"})
_OPENING = frozenset({"UserPromptSubmit", "SessionStart"})


class PastSpent:
    """Reads the ledger (``model.limit.PastDeeds``)."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger

    def deeds(self, since_ns: int, before_ns: int, session: str | None = None) -> Sequence[Deed]:
        """Return what was done since a time, in a session or in all.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return [_deed(row) for row in self._rows(_SQL, _EVENTS, (since_ns, before_ns, session))]

    def spends(self, since_ns: int, before_ns: int, session: str | None = None) -> Sequence[Spend]:
        """Return what was used since a time, in a session or in all.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return [_spend(row) for row in self._rows(_USED, _MESSAGES, (since_ns, before_ns, session))]

    def _rows(
        self, sql: str, times: tuple[str, str], values: tuple[int, int, str | None]
    ) -> list[sqlite3.Row]:
        if not os.path.lexists(self._ledger):
            return []  # Nothing has ever been put on record.
        since, before, session = values
        where = (_BETWEEN if session is None else _IN_SESSION).format(*times)
        named = {"since": since, "before": before, "session": session, "most": _MOST_ROWS}
        with opened(self._ledger) as connection:
            return connection.execute(sql.format(where=where), named).fetchall()


def _spend(row: sqlite3.Row) -> Spend:
    return Spend(
        at_ns=row["at_ns"],
        session=row["session"],
        message=row["key"],
        agent_id=row["agent_id"],
        agent_type=row["agent_type"],
        repository=row["repository"],
        tokens=row["tokens"],
        usd=row["usd_nano"] / 1e9,
        unpriced=row["unpriced"],
    )


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
