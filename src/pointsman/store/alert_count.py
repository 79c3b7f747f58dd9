"""How many alerts are open, for who looks again and again: no store is opened for that."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from pointsman.model.alerting import OPEN, State
from pointsman.store.ledger_file import read_only

CRITICAL = (State.CRITICAL, State.ESCALATED)
"""States in which somebody should look now."""


def open_in(path: Path, states: Iterable[State] = tuple(OPEN)) -> int | None:
    """Return how many alerts of this file are in one of these states, by default open.

    ``None`` where it cannot be read.
    """
    if not path.exists():
        return 0
    wanted = [state.value for state in states]
    sql = f"SELECT count(*) FROM alerts WHERE state IN ({', '.join('?' * len(wanted))})"  # noqa: S608
    try:
        with closing(read_only(path)) as connection:
            return int(connection.execute(sql, wanted).fetchone()[0])
    except sqlite3.Error:
        return None
