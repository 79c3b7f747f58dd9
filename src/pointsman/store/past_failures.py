"""What went wrong with a file before: calls that were refused or failed, the newest first."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from pointsman.model.bundle import Failure
from pointsman.model.errors import LedgerError
from pointsman.store.query import opened

_MOST_TEXT = 300
# The derived PreEdit has the same denial as the call it is derived from.
_SQL = (
    "SELECT seq, received_ns, event, tool, reason FROM events"
    " WHERE path != '' AND (decision = 'deny' OR event = 'PostToolUseFailure')"
    " AND path = ? AND event != 'PreEdit' ORDER BY seq DESC LIMIT ?"
)


def failures_in(ledger: Path) -> Callable[[str, int], Sequence[Failure]]:
    """Return what tells of a file's failures; a ledger that cannot be read knows of none."""

    def failures(path: str, most: int) -> Sequence[Failure]:
        try:
            with opened(ledger) as connection:
                rows = connection.execute(_SQL, (path, most)).fetchall()
                return [_failure(connection, row) for row in rows]
        except (LedgerError, sqlite3.Error):
            return ()

    return failures


def _failure(connection: sqlite3.Connection, row: sqlite3.Row) -> Failure:
    seq, tool = row["seq"], row["tool"] or row["event"]
    if row["event"] != "PostToolUseFailure":
        return Failure(row["received_ns"], f"{tool} refused", row["reason"][:_MOST_TEXT], seq)
    body = connection.execute("SELECT payload FROM bodies WHERE seq = ?", (seq,)).fetchone()
    return Failure(row["received_ns"], f"{tool} failed", _error(body), seq)


def _error(body: sqlite3.Row | None) -> str:
    try:
        said = json.loads(body["payload"]).get("error", "") if body is not None else ""
    except (ValueError, AttributeError):
        said = ""
    return str(said)[:_MOST_TEXT] or "no error is on record"
