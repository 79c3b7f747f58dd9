"""Who changed a file: for each change on record the agent, its task, the prompt, what it said."""

import ast
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman.model.team import SPAWNING_TOOLS
from pointsman.store.query import is_about, iso, opened

Files = Callable[[str, str, bytes, str], tuple[str, ...]]
"""From host, event, payload and directory of a call to the files that it changes, if known."""

_COLUMNS = (
    "e.seq, e.received_ns, e.host, e.event, e.session, e.agent_id, e.agent_type, e.parent,"
    " e.prompt_id, e.tool_use_id, e.tool, e.path, e.cwd, e.repository, e.decision, e.rule,"
    " e.reason, e.hook, e.derived_from"
)
_EDITS = f"SELECT {_COLUMNS} FROM events e WHERE e.event = 'PreEdit' ORDER BY e.seq"
_PROVEN = (
    f"SELECT {_COLUMNS}, r.lines FROM hook_runs r JOIN events e ON e.seq = r.seq"
    " WHERE r.hook = 'proof' AND r.lines IS NOT NULL ORDER BY e.seq, r.n"
)
_CALL = "SELECT payload FROM bodies WHERE seq = ?"
_AFTER = (
    "SELECT event FROM events WHERE session = ? AND tool_use_id = ? AND seq > ?"
    " AND event IN ('PostToolUse', 'PostToolUseFailure') ORDER BY seq LIMIT 1"
)
_PROMPT = (
    "SELECT b.payload FROM events e JOIN bodies b ON b.seq = e.seq WHERE e.session = ?"
    " AND e.event = 'UserPromptSubmit' AND e.seq <= ? AND (e.prompt_id = ? OR ? IS NULL)"
    " ORDER BY e.seq DESC LIMIT 1"
)
_SPAWNS = (
    "SELECT e.event, e.seq, e.agent_id, b.payload FROM events e JOIN bodies b ON b.seq = e.seq"
    " WHERE e.session = ? AND e.event IN ('PreToolUse', 'PostToolUse')"
    f" AND e.tool IN ({', '.join(map(repr, sorted(SPAWNING_TOOLS)))}) ORDER BY e.seq"
)
_FIRST = "SELECT min(seq) FROM events WHERE session = ? AND agent_id = ?"
_PATH = re.compile(r"^(.*?) path=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\") what=")
_OPEN = re.compile(r"[*?\[$`~]")
"""What may stand for any name in a command."""
_DONE = {"PostToolUse": "done", "PostToolUseFailure": "failed"}
_MOST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class _Why:
    """What was said of a call: by the call itself, by who made its agent, by the person."""

    stated: str
    task: str
    prompt: str

    def reason(self) -> tuple[str, str]:
        """Return the nearest of them, and whose word it is."""
        named = (("call", self.stated), ("task", self.task), ("prompt", self.prompt))
        return next(((text, name) for name, text in named if text), ("", ""))


def who(ledger: Path, wanted: str, files: Files) -> Iterator[dict[str, Any]]:
    """Yield each change of a file on record, or of what is below a directory, the newest last.

    ``files`` reads a call again: a command may change more files than its row names.

    Raises:
        LedgerError: there is no ledger, or it cannot be read.
    """
    with opened(ledger) as connection:
        edits = _edits(connection, wanted, files)
        proven = _proven(connection, wanted)
        yield from _merged(edits, proven)


def _merged(*sources: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield from several sources in the order of their numbers."""
    heads = {index: row for index, source in enumerate(sources) if (row := next(source, None))}
    while heads:
        index = min(heads, key=lambda each: (heads[each]["seq"], each))
        yield heads.pop(index)
        row = next(sources[index], None)
        if row:
            heads[index] = row


def _edits(connection: sqlite3.Connection, wanted: str, files: Files) -> Iterator[dict[str, Any]]:
    for row in connection.execute(_EDITS):
        call = row["derived_from"] or row["seq"]
        named = is_about(wanted, row["path"], row["cwd"], row["repository"])
        path = row["path"] if named else ""
        if not path:
            # The row names the first file alone.
            payload = _payload(connection, call)
            may = payload and _may_mean(payload, wanted)
            known = files(row["host"], "PreToolUse", payload, row["cwd"]) if may else ()
            path = next((each for each in known if _hit(wanted, each, row)), "")
        if path:
            yield _row(connection, row, path, _outcome(connection, row))


def _may_mean(payload: bytes, wanted: str) -> bool:
    """Whether it is worth while to read a call again: it names a part of the path, or anything."""
    given = _parsed(payload).get("tool_input")
    text = json.dumps(given, ensure_ascii=False)
    return any(part in text for part in Path(wanted).parts[1:]) or bool(_OPEN.search(text))


def _hit(wanted: str, path: str, row: sqlite3.Row) -> bool:
    return is_about(wanted, path, row["cwd"], row["repository"])


def _proven(connection: sqlite3.Connection, wanted: str) -> Iterator[dict[str, Any]]:
    """Yield what was found to have changed outside a contract, and what became of that."""
    for row in connection.execute(_PROVEN):
        for line in json.loads(row["lines"]):
            found = _PATH.match(line)
            if found is None:
                continue
            path = str(Path(row["repository"] or "/", str(ast.literal_eval(found[2]))))
            if _hit(wanted, path, row):
                yield _row(connection, row, path, found[1]) | {"found_by": "proof"}


def _outcome(connection: sqlite3.Connection, row: sqlite3.Row) -> str:
    """Return what became of a call: denied, done, failed, or that nothing says so."""
    if row["decision"] == "deny":
        return "denied"
    after = (row["session"], row["tool_use_id"], row["seq"])
    found = connection.execute(_AFTER, after).fetchone() if row["tool_use_id"] else None
    return _DONE[found["event"]] if found else "not known"


def _row(
    connection: sqlite3.Connection, row: sqlite3.Row, path: str, outcome: str
) -> dict[str, Any]:
    call = row["derived_from"] or row["seq"]
    given = _parsed(_payload(connection, call)).get("tool_input")
    why = _Why(
        stated=_text(given, "description"),
        task=_task(connection, row),
        prompt=_prompt(connection, row),
    )
    reason, said_by = why.reason()
    agent = row["agent_type"] or ("main" if row["agent_id"] is None else row["agent_id"])
    return {
        "seq": call,
        "time": iso(row["received_ns"]),
        "path": path,
        "agent": agent,
        "agent_id": row["agent_id"],
        "parent": row["parent"],
        "session": row["session"],
        "tool": row["tool"],
        "tool_use_id": row["tool_use_id"],
        "command": _text(given, "command"),
        "task": why.task,
        "prompt_id": row["prompt_id"],
        "prompt": why.prompt,
        "reason": reason,
        "reason_from": said_by,
        "decision": row["decision"],
        "rule": row["rule"],
        "decision_reason": row["reason"],
        "outcome": outcome,
        "found_by": "call",
    }


def _prompt(connection: sqlite3.Connection, row: sqlite3.Row) -> str:
    """Return what the person had asked for: by the prompt's id, else the last one before."""
    for known in dict.fromkeys((row["prompt_id"], None)):
        values = (row["session"], row["seq"], known, known)
        found = connection.execute(_PROMPT, values).fetchone()
        if found:
            return _text(_parsed(found["payload"]), "prompt")
    return ""


def _task(connection: sqlite3.Connection, row: sqlite3.Row) -> str:
    """Return what an agent was started for, by the call that did so: its own, or the likeliest.

    The call's result names the agent's id; before it has come, it is the last call for that type
    before the agent showed itself.
    """
    agent = row["agent_id"]
    if agent is None:
        return ""
    first = connection.execute(_FIRST, (row["session"], agent)).fetchone()[0]
    likely = ""
    for spawn in connection.execute(_SPAWNS, (row["session"],)):
        payload = _parsed(spawn["payload"])
        given = payload.get("tool_input")
        said = _text(given, "prompt") or _text(given, "description")
        if spawn["event"] == "PostToolUse":
            if _text(payload.get("tool_response"), "agentId") == agent:
                return said
        elif spawn["seq"] < first and _text(given, "subagent_type") in {row["agent_type"], ""}:
            likely = said
    return likely


def _payload(connection: sqlite3.Connection, seq: int) -> bytes:
    found = connection.execute(_CALL, (seq,)).fetchone()
    return bytes(found["payload"]) if found else b""


def _parsed(payload: bytes) -> dict[str, Any]:
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found[:_MOST_TEXT] if isinstance(found, str) else ""
