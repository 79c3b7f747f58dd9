"""Which numbers the events of a time have, from what is kept of each hour."""

import sqlite3
from dataclasses import dataclass

from pointsman.store.recount import are_hours_known
from pointsman.store.rollups import HOUR_NS

_BY_TIME = "FROM events INDEXED BY events_by_time WHERE received_ns"


@dataclass(frozen=True, slots=True)
class Reach:
    """No event of a time has a lower number than ``first``, or a higher one than ``last``.

    ``first`` is above ``last`` where there is none.
    """

    first: int
    last: int


def reach(connection: sqlite3.Connection, since: int | None, until: int | None) -> Reach:
    """Return which numbers events have that were received between two times; ``None`` is any.

    The clock may have gone back: among these numbers there may be others' too.
    """
    if not are_hours_known(connection):
        return _looked_up(connection, since, until)
    where, given = ["1 = 1"], {}
    if since is not None:
        where.append("hour >= :first")
        given["first"] = since // HOUR_NS
    if until is not None:
        where.append("hour <= :last")
        given["last"] = until // HOUR_NS
    sql = f"SELECT min(first_seq), max(last_seq) FROM hour_seqs WHERE {' AND '.join(where)}"  # noqa: S608
    first, last = connection.execute(sql, given).fetchone()
    return Reach(1, 0) if last is None else Reach(first, last)


def _looked_up(connection: sqlite3.Connection, since: int | None, until: int | None) -> Reach:
    first: int | None = 1
    last: int | None
    if since is not None:
        sql = f"SELECT min(seq) {_BY_TIME} >= ?"
        first = connection.execute(sql, (since,)).fetchone()[0]
    if until is not None:
        sql = f"SELECT max(seq) {_BY_TIME} <= ?"
        last = connection.execute(sql, (until,)).fetchone()[0]
        if last is None:
            return Reach(1, 0)
    else:
        last = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
    return Reach(1, 0) if first is None else Reach(int(first), int(last))
