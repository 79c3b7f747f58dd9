"""What is still to be told to whom: kept on disk, tried again, bounded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.store.alerts import AlertStore, count

MOST_WAITING = 500
"""Messages that wait for one sink; the oldest give way, and it is counted."""
OLDEST_S = 24 * 3600.0
"""Seconds after which a message that nobody took is news no more."""
PATIENT = 10
"""Tries of one message, about half an hour, in which those behind it wait."""
_FIRST_S, _LONGEST_S = 2.0, 900.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message to one sink; ``change`` is the number of the change that it tells."""

    number: int
    sink: str
    change: int
    body: Mapping[str, Any]
    tries: int


class Outbox:
    """The messages of one store.

    Raises:
        AlertError: from every method, where the file cannot be read or written.
    """

    def __init__(self, store: AlertStore) -> None:
        self._store = store

    def put(
        self, sink: str, change: int, body: Mapping[str, Any], now_ns: int, *, quiet: bool
    ) -> None:
        """Take a message; ``quiet`` has it wait until the quiet hours are over."""
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO outbox (sink, change, body, quiet, made_ns, next_ns)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (sink, change, json.dumps(dict(body)), int(quiet), now_ns, now_ns),
            )
            gone = db.execute(
                "DELETE FROM outbox WHERE sink = ? AND n <= (SELECT n FROM outbox"
                " WHERE sink = ? ORDER BY n DESC LIMIT 1 OFFSET ?)",
                (sink, sink, MOST_WAITING),
            ).rowcount
            if gone:
                count(db, _lost(sink), gone)

    def due(self, sink: str, now_ns: int, limit: int, *, quiet: bool) -> list[Parcel]:
        """Return what is to be sent now, in order; in quiet hours what does not wait for them.

        One that is tried again holds up those behind it, so that they come in their order; but no
        longer than ``PATIENT`` tries: it may be this one message that nobody takes.
        """
        held = " AND quiet = 0" if quiet else ""
        with self._store.reading() as db:
            rows = db.execute(
                f"SELECT * FROM outbox WHERE sink = ?{held} ORDER BY n LIMIT ?",  # noqa: S608
                (sink, MOST_WAITING),
            ).fetchall()
        due: list[Parcel] = []
        for row in rows:
            if row["next_ns"] <= now_ns:
                body = json.loads(row["body"])
                due.append(Parcel(row["n"], row["sink"], row["change"], body, row["tries"]))
            elif row["tries"] < PATIENT:
                break
        return due[:limit]

    def sent(self, number: int) -> None:
        """Say that one has arrived."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM outbox WHERE n = ?", (number,))

    def failed(self, parcel: Parcel, now_ns: int) -> None:
        """Say that one has not: it is tried again, later each time."""
        wait = min(_FIRST_S * 2**parcel.tries, _LONGEST_S)
        with self._store.transaction() as db:
            db.execute(
                "UPDATE outbox SET tries = min(tries + 1, 30), next_ns = ? WHERE n = ?",
                (now_ns + int(wait * 1e9), parcel.number),
            )

    def sweep(self, sinks: tuple[str, ...], now_ns: int) -> int:
        """Forget what is too old, and what is for nobody any more; return how many were lost."""
        marks = ", ".join("?" * len(sinks))
        lost = 0
        with self._store.transaction() as db:
            old = now_ns - int(OLDEST_S * 1e9)
            rows = db.execute(
                "SELECT sink, count(*) AS n FROM outbox WHERE made_ns < ? GROUP BY sink", (old,)
            ).fetchall()
            for row in rows:
                count(db, _lost(row["sink"]), row["n"])
                lost += row["n"]
            db.execute("DELETE FROM outbox WHERE made_ns < ?", (old,))
            db.execute(f"DELETE FROM outbox WHERE sink NOT IN ({marks})", sinks)  # noqa: S608
        return lost

    def waiting(self, sink: str) -> int:
        """Return how many wait for a sink."""
        with self._store.reading() as db:
            row = db.execute("SELECT count(*) AS n FROM outbox WHERE sink = ?", (sink,)).fetchone()
        return int(row["n"])

    def lost(self, sink: str) -> int:
        """Return how many a sink has never got."""
        return self._store.counter(_lost(sink))


def _lost(sink: str) -> str:
    return f"lost:{sink}"
