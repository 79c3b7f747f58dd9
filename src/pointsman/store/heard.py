"""What the ledger has of a session's calls: whether a hook of ours has been asked about each."""

import json
from collections import Counter
from collections.abc import Iterable
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
            gate = connection.execute(_JUDGED, (name,))
            judged = Counter(_command(row["payload"]) for row in gate)
            if rows or judged:
                found[name] = Heard(answered=frozenset(asked), judged=judged, any=bool(rows))
    return found


def _command(payload: bytes) -> str:
    try:
        command = json.loads(payload)["tool_input"]["command"]
    except (ValueError, KeyError, TypeError):
        return ""
    return command if isinstance(command, str) else ""
