"""Following the messages of models from outside: each once, when it is whole.

The postings are what is followed, by their numbers. A message that is told of while it is under
way comes when it is whole; what it grows by, moves or gets a price for after that comes no more.
"""

import sqlite3
from typing import Any

from pointsman.model.telemetry import Batch, Entry
from pointsman.model.usage import AMOUNT_FIELDS, amount

MOST = 500
_SUMS = ", ".join(f"sum({name})" for name in AMOUNT_FIELDS)
_LAST = "SELECT max(n) FROM (SELECT n FROM usage WHERE n > ? ORDER BY n LIMIT ?)"
_WHOLE = (
    "SELECT n, key, host, message, at_ns, session, agent_id, agent_type, role, repository, model,"
    " NULL AS prompt_id FROM usage u WHERE n > ? AND n <= ? AND final = 1 AND NOT EXISTS"
    " (SELECT 1 FROM usage b WHERE b.key = u.key AND b.n < u.n AND b.final = 1) ORDER BY n"
)


class Follower:
    """Reads on; an entry's ``event`` has the columns of a message, ``used`` what it comes to."""

    def read(self, connection: sqlite3.Connection, after: int, most: int = MOST) -> Batch:
        """Return what comes behind a posting."""
        last = connection.execute(_LAST, (after, most)).fetchone()[0]
        if last is None:
            return Batch(last=after)
        cursor = connection.execute(_WHOLE, (after, last))
        columns = [each[0] for each in cursor.description]
        found = [dict(zip(columns, row, strict=True)) for row in map(tuple, cursor.fetchall())]
        entries = tuple(_entry(connection, each) for each in found)
        return Batch(entries=entries, last=last, mark=mark_of(connection, last))


def _entry(connection: sqlite3.Connection, message: dict[str, Any]) -> Entry:
    sql = f"SELECT {_SUMS} FROM usage WHERE key = ?"  # noqa: S608 - our own names
    sums = connection.execute(sql, (message["key"],)).fetchone()
    return Entry(n=message["n"], event=message, used=amount(*tuple(sums)))


def newest(connection: sqlite3.Connection) -> int:
    """Return the number of the last posting; -1 where there is none."""
    found = connection.execute("SELECT max(n) FROM usage").fetchone()[0]
    return -1 if found is None else int(found)


def mark_of(connection: sqlite3.Connection, n: int) -> str:  # noqa: ARG001 - as of other streams
    """Return the hash of the ledger's first entry: postings have none, and retention takes them."""
    row = connection.execute("SELECT hash FROM chain ORDER BY n LIMIT 1").fetchone()
    return bytes(row[0]).hex() if row else ""


def before(connection: sqlite3.Connection, since_ns: int) -> int:
    """Return the posting in front of the first message that came since a time."""
    sql = "SELECT min(n) FROM usage INDEXED BY usage_by_time WHERE at_ns >= ?"
    found = connection.execute(sql, (since_ns,)).fetchone()[0]
    return newest(connection) if found is None else int(found) - 1


def waiting(connection: sqlite3.Connection, after: int) -> int:
    """Return how many numbers there are behind one: at most so many postings wait."""
    return max(0, newest(connection) - after)
