"""Sessions by the beginning of their names."""

import sqlite3
from contextlib import closing
from pathlib import Path

from pointsman.store.query import opened

_LAST = "\U0010ffff"


def named(ledger: Path, beginning: str, most: int = 5) -> list[str]:
    """Return the sessions on record whose names begin so, at most ``most``; the name itself alone.

    Raises:
        LedgerError: there is no ledger, or it cannot be read.
    """
    with opened(ledger) as connection:
        return _found(connection, beginning, most)


def _found(connection: sqlite3.Connection, beginning: str, most: int) -> list[str]:
    whole = "SELECT session FROM events WHERE session = ? LIMIT 1"
    if connection.execute(whole, (beginning,)).fetchone():
        return [beginning]
    # A step of the index for each session, however many events they have.
    following = "SELECT min(session) FROM events WHERE session > ? AND session < ?"
    found: list[str] = []
    last = beginning
    while len(found) < most:
        with closing(connection.execute(following, (last, beginning + _LAST))) as rows:
            (name,) = rows.fetchone()
        if name is None:
            break
        found.append(name)
        last = name
    return found
