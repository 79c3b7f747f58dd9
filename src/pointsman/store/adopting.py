"""Rows from before there was a chain: taken into it bit by bit, beside the events of the day."""

import sqlite3
from typing import Any

from pointsman.store.chain import EVENT, EVENT_COLUMNS, NOTE, RUN_COLUMNS
from pointsman.store.sealing import ADOPTED, Change, begun

_EVENTS = f"SELECT seq, {EVENT_COLUMNS} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
_NOTES = "SELECT n, ns, kind, text, data FROM notes WHERE n > ? AND n <= ? ORDER BY n LIMIT ?"
_BODY = "SELECT payload, stdout, stderr FROM bodies WHERE seq = ?"
_RUNS = f"SELECT seq, {RUN_COLUMNS} FROM hook_runs WHERE seq = ? ORDER BY n"


class Adoption:
    """How far the rows are taken in that stood there before the chain began."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        said = begun(connection)
        self._events, self._notes = int(said.get("events", 0)), int(said.get("notes", 0))
        self._event = self._note = 0
        self.done = not (self._events or self._notes) or _is_done(connection)
        if not self.done:
            self._event = _highest(connection, EVENT, self._events)
            self._note = _highest(connection, NOTE, self._notes)

    def step(
        self, connection: sqlite3.Connection, change: Change, now_ns: int, batch: int
    ) -> "Taken":
        """Add the next rows to the chain; at the end an act that says how many they were."""
        events = connection.execute(_EVENTS, (self._event, self._events, batch)).fetchall()
        for row in events:
            body = connection.execute(_BODY, row[:1]).fetchone()
            runs = connection.execute(_RUNS, row[:1]).fetchall()
            change.event(row[0], row[1:], body, runs)
        notes: list[Any] = []
        if not events:
            notes = connection.execute(_NOTES, (self._note, self._notes, batch)).fetchall()
            for row in notes:
                change.note(row[0], row[1:])
        if not events and not notes:
            change.acted(ADOPTED, now_ns, {"events": self._events, "notes": self._notes})
        return Taken(
            events[-1][0] if events else self._event, notes[-1][0] if notes else self._note,
            len(events) + len(notes),
        )  # fmt: skip

    def took(self, taken: "Taken") -> None:
        """Go on behind these: they are committed."""
        self._event, self._note, self.done = taken.event, taken.note, not taken.count


class Taken:
    """How far one step came."""

    def __init__(self, event: int, note: int, count: int) -> None:
        self.event, self.note, self.count = event, note, count


def _is_done(connection: sqlite3.Connection) -> bool:
    sql = "SELECT 1 FROM acts WHERE what = ?"
    return connection.execute(sql, (ADOPTED,)).fetchone() is not None


def _highest(connection: sqlite3.Connection, kind: int, most: int) -> int:
    sql = "SELECT coalesce(max(ref), 0) FROM chain WHERE kind = ? AND ref <= ?"
    return int(connection.execute(sql, (kind, most)).fetchone()[0])
