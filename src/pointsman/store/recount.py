"""What is on record already is counted as today's rows are: piece by piece, beside the events.

A ledger of before schema 6 opens at once; until a piece has had its turn, the pages answer from
the rows themselves. Nothing of this is part of the chain: counts say nothing that the rows do not.
"""

import sqlite3

from pointsman.store import agent_days, rollups

_STANDS = "SELECT next_seq, last_seq FROM recounts WHERE what = 'calls'"


def step(connection: sqlite3.Connection, batch: int) -> int:
    """Count the next rows inside the writer's transaction; return how many, 0 at the end."""
    return _calls(connection, batch) or _runs(connection, batch)


def is_done(connection: sqlite3.Connection) -> bool:
    """Whether everything on record is counted."""
    return are_hours_known(connection) and are_runs_counted(connection)


def are_hours_known(connection: sqlite3.Connection) -> bool:
    """Whether every hour tells which numbers its events have."""
    return connection.execute(_STANDS).fetchone() is None


def are_runs_counted(connection: sqlite3.Connection) -> bool:
    """Whether every run of an agent is in the sums by day."""
    return connection.execute(agent_days.UNCOUNTED, (1,)).fetchone() is None


def _calls(connection: sqlite3.Connection, batch: int) -> int:
    stands = connection.execute(_STANDS).fetchone()
    if stands is None:
        return 0
    first, last = stands
    sql = "SELECT * FROM events WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT ?"
    rows = connection.execute(sql, (first, last, batch)).fetchall()
    sql = "SELECT * FROM hook_runs WHERE seq >= ? AND seq <= ? AND decision <> 'none'"
    runs = connection.execute(sql, (first, rows[-1][0])).fetchall() if rows else []
    rollups.carry_out(connection, rollups.corrected(rows, runs))
    if len(rows) < batch:
        connection.execute("DELETE FROM recounts WHERE what = 'calls'")
    else:
        sql = "UPDATE recounts SET next_seq = ? WHERE what = 'calls'"
        connection.execute(sql, (rows[-1][0] + 1,))
    return max(len(rows), 1)


def _runs(connection: sqlite3.Connection, batch: int) -> int:
    keys = [tuple(row) for row in connection.execute(agent_days.UNCOUNTED, (batch,))]
    rollups.carry_out(connection, agent_days.around(keys, [(agent_days.COUNTED, keys)]))
    return len(keys)
