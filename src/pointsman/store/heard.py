"""What the ledger has of a session's calls: whether a hook of ours has been asked about each."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pointsman.model.coverage import Heard
from pointsman.store.query import opened

_ASKED = (
    "SELECT tool_use_id, event FROM events WHERE session = ? AND transport IN ('hook', 'spooled')"
)
_JUDGED = (
    "SELECT b.payload FROM events e JOIN bodies b ON b.seq = e.seq"
    " WHERE e.session = ? AND e.transport = 'exec'"
)


def sessions(ledger: Path, names: Iterable[str]) -> dict[str, Heard]:
    """Return by session what is on record of it; one without any event is not among them."""
    found: dict[str, Heard] = {}
    if not ledger.exists():
        return found  # Nobody has heard of anything: every call ran unguarded.
    with opened(ledger) as connection:
        for name in names:
            rows = connection.execute(_ASKED, (name,)).fetchall()
            asked = {row["tool_use_id"] for row in rows if row["event"] == "PreToolUse"}
            gate = judged(connection, name)
            if rows or gate:
                found[name] = Heard(answered=frozenset(asked), judged=gate, any=bool(rows))
    return found


def judged(connection: sqlite3.Connection, session: str) -> Counter[str]:
    """Return the commands of a session that the second gate has judged."""
    return Counter(_command(row["payload"]) for row in connection.execute(_JUDGED, (session,)))


def has_any(connection: sqlite3.Connection, session: str) -> bool:
    """Whether a hook has delivered anything of a session."""
    sql = "SELECT 1 FROM events WHERE session = ? AND transport IN ('hook', 'spooled') LIMIT 1"
    return connection.execute(sql, (session,)).fetchone() is not None


def _command(payload: bytes) -> str:
    try:
        command = json.loads(payload)["tool_input"]["command"]
    except (ValueError, KeyError, TypeError):
        return ""
    return command if isinstance(command, str) else ""


@dataclass(frozen=True, slots=True)
class News:
    """What has come on record of a session since a row: calls that were asked about, the last."""

    answered: tuple[str, ...]
    any: bool
    seq: int


def since(connection: sqlite3.Connection, session: str, seq: int) -> News:
    """Return what hooks have delivered of a session behind this row."""
    rows = connection.execute(
        "SELECT seq, tool_use_id, event FROM events WHERE session = ? AND seq > ?"
        " AND transport IN ('hook', 'spooled') ORDER BY seq",
        (session, seq),
    ).fetchall()
    asked = tuple(row["tool_use_id"] or "" for row in rows if row["event"] == "PreToolUse")
    return News(asked, bool(rows), rows[-1]["seq"] if rows else seq)


def is_known(connection: sqlite3.Connection, repository: str, since_ns: int) -> bool:
    """Whether a hook has delivered anything of a repository since a time."""
    found = connection.execute(
        "SELECT 1 FROM sessions WHERE last_ns >= ? AND repository = ? LIMIT 1",
        (since_ns, repository),
    )
    return found.fetchone() is not None


def first_seq(connection: sqlite3.Connection, since_ns: int) -> int:
    """Return the row before the first one since a time."""
    sql = "SELECT min(seq) FROM events WHERE received_ns >= ?"
    found = connection.execute(sql, (since_ns,)).fetchone()[0]
    return int(found) - 1 if found is not None else 0


def last_sign(connection: sqlite3.Connection, before_ns: int) -> int:
    """Return when a daemon last put anything on record before a time; 0 where none did."""
    newest = (
        ("SELECT received_ns FROM events WHERE received_ns < ? ORDER BY received_ns DESC LIMIT 1"),
        ("SELECT ns FROM notes WHERE ns < ? ORDER BY n DESC LIMIT 1"),
        ("SELECT ns FROM checkpoints WHERE ns < ? ORDER BY seq DESC LIMIT 1"),
    )
    rows = [connection.execute(sql, (before_ns,)).fetchone() for sql in newest]
    return max((int(row[0]) for row in rows if row is not None), default=0)
