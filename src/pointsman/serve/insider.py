"""Whether a process runs inside an agent's session that is on record: it answers no alert."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pointsman.model.errors import AlertError, LedgerError
from pointsman.model.places import Places
from pointsman.serve.asker import ancestors
from pointsman.store.query import opened

_SESSION = b"CLAUDE_CODE_SESSION_ID="
_MOST_ENVIRON = 1024 * 1024


def refuse_insider(places: Places, pid: int, session: str = "") -> None:
    """Make sure that a person answers: neither ``pid`` nor what it descends from is in a session.

    ``session`` is the session that the process says it runs in, empty where it says nothing.

    Raises:
        AlertError: it is in one that is on record.
    """
    named = {session, *_sessions(pid)} - {""}
    if named and _is_known(places, named):
        raise AlertError(
            "this runs inside an agent's session; an agent answers no alert and lets nobody go on",
            fix="type it in a terminal of your own",
        )


def _sessions(pid: int) -> Iterator[str]:
    """Yield the sessions that the environment of a process and of its ancestors names."""
    for each in ancestors(pid):
        try:
            with Path(f"/proc/{each}/environ").open("rb") as file:
                words = file.read(_MOST_ENVIRON).split(b"\0")
        except OSError:
            continue  # Another user's: nothing of ours runs in it.
        for word in words:
            if word.startswith(_SESSION):
                yield word[len(_SESSION) :].decode("utf-8", "replace")


def _is_known(places: Places, sessions: set[str]) -> bool:
    if not places.ledger.exists():
        return False
    try:
        with opened(places.ledger) as connection:
            return any(_has(connection, each) for each in sessions)
    except LedgerError:
        # Who cannot tell lets nobody pass that says of itself to be in a session.
        return True


def _has(connection: sqlite3.Connection, session: str) -> bool:
    sql = "SELECT 1 FROM events WHERE session = ? LIMIT 1"
    return connection.execute(sql, (session,)).fetchone() is not None
