"""Following the ledger from outside: its entries in order, from a number on, in bounded batches.

The chain is what is followed: it has events, hook runs that ended later and notes in the order
in which they were recorded. What waits to be read is the ledger itself: nothing is copied.
"""

import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from pointsman.model.telemetry import Batch, Entry
from pointsman.model.usage import AMOUNT_FIELDS, Amount, amount
from pointsman.store.chain import EVENT, NOTE, RUNS

MOST = 500
_MOST_BYTES = 8 * 1024 * 1024
"""Bytes of payloads after which a batch ends early."""
_REMEMBERED = 4096
_METERED_NS = 3 * 10**9
"""How long an agent's end is held back: so long its last message may not have been read yet."""
_SUMS = ", ".join(f"sum({name})" for name in AMOUNT_FIELDS)
_AGENT_ENDS = ("SubagentStop", "SessionEnd")
_BEGINS = {"PreToolUse": "tool_use_id", "SubagentStart": "agent_id", "SessionStart": "session"}
_ENDS = {
    "PostToolUse": "PreToolUse",
    "PostToolUseFailure": "PreToolUse",
    "SubagentStop": "SubagentStart",
}
_CHAIN = "SELECT n, kind, ref, low, high, hash FROM chain WHERE n > ? ORDER BY n LIMIT ?"


class Follower:
    """Reads on; remembers when calls and agents began, which their ends are told with.

    With ``usage`` an agent's end is told with what it has used.
    """

    def __init__(
        self,
        *,
        payloads: bool = False,
        usage: bool = False,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._payloads, self._usage, self._clock = payloads, usage, clock
        self._began: OrderedDict[tuple[str, ...], int] = OrderedDict()

    def read(self, connection: sqlite3.Connection, after: int, most: int = MOST) -> Batch:
        """Return what comes behind an entry of the chain."""
        connection.row_factory = sqlite3.Row
        rows = connection.execute(_CHAIN, (after, most)).fetchall()
        if not rows:
            return Batch(last=after)
        told = [row for row in rows if row["kind"] in {EVENT, RUNS}]
        events = _by_key(connection, "SELECT * FROM events WHERE seq", {r["ref"] for r in told})
        notes = _by_key(
            connection, "SELECT * FROM notes WHERE n", {r["ref"] for r in rows if r["kind"] == NOTE}
        )
        entries: list[Entry] = []
        lost = size = 0
        last: sqlite3.Row | None = rows[-1]
        for place, row in enumerate(rows):
            if row["kind"] == EVENT and self._too_young(events.get(row["ref"])):
                last = rows[place - 1] if place else None
                break
            if row["kind"] == NOTE and row["ref"] in notes:
                entries.append(Entry(n=row["n"], note=dict(notes[row["ref"]])))
            elif row["kind"] in {EVENT, RUNS}:
                event = events.get(row["ref"])
                if event is not None:
                    entries.append(self._entry(connection, row, dict(event)))
                    size += len(entries[-1].payload)
                lost += event is None and row["kind"] == EVENT
                if size > _MOST_BYTES:
                    last = row
                    break
        if last is None:
            return Batch(last=after)
        return Batch(
            entries=tuple(entries), last=last["n"], mark=bytes(last["hash"]).hex(), lost=lost
        )

    def _too_young(self, event: sqlite3.Row | None) -> bool:
        if not self._usage or event is None or event["event"] not in _AGENT_ENDS:
            return False
        age: int = self._clock() - event["received_ns"]
        return 0 <= age < _METERED_NS

    def _entry(
        self, connection: sqlite3.Connection, row: sqlite3.Row, event: dict[str, Any]
    ) -> Entry:
        late = row["kind"] == RUNS
        runs = connection.execute(
            "SELECT * FROM hook_runs WHERE seq = ? AND n >= ? AND n < ? ORDER BY n",
            (row["ref"], row["low"], row["high"]),
        ).fetchall()
        payload = b""
        if self._payloads and not late:
            body = connection.execute(
                "SELECT payload FROM bodies WHERE seq = ?", (row["ref"],)
            ).fetchone()
            payload = bytes(body[0]) if body else b""
        return Entry(
            n=row["n"],
            event=event,
            runs=tuple(map(dict, runs)),
            late=late,
            started_ns=0 if late else self._start(connection, event),
            used=_used(connection, event) if self._usage and not late else None,
            payload=payload,
        )

    def _start(self, connection: sqlite3.Connection, event: dict[str, Any]) -> int:
        kind, session = event["event"], event["session"]
        if kind in _BEGINS and event["derived_from"] is None:
            self._began.setdefault((kind, session, str(event[_BEGINS[kind]])), event["received_ns"])
            while len(self._began) > _REMEMBERED:
                self._began.popitem(last=False)
            return 0
        if kind == "SessionEnd":
            row = connection.execute(
                "SELECT first_ns FROM sessions WHERE session = ?", (session,)
            ).fetchone()
            return int(row[0]) if row else 0
        begin = _ENDS.get(kind)
        if begin is None:
            return 0
        column = _BEGINS[begin]
        known = self._began.pop((begin, session, str(event[column])), 0)
        return known or _looked_up(connection, begin, session, column, event[column])


def newest(connection: sqlite3.Connection) -> tuple[int, str]:
    """Return number and hash of the last entry; -1 where there is none."""
    row = connection.execute("SELECT n, hash FROM chain ORDER BY n DESC LIMIT 1").fetchone()
    return (int(row[0]), bytes(row[1]).hex()) if row else (-1, "")


def mark_of(connection: sqlite3.Connection, n: int) -> str:
    """Return the hash of an entry, the empty string where there is none of that number."""
    row = connection.execute("SELECT hash FROM chain WHERE n = ?", (n,)).fetchone()
    return bytes(row[0]).hex() if row else ""


def before(connection: sqlite3.Connection, since_ns: int) -> int:
    """Return the entry in front of the first event that was received since a time."""
    row = connection.execute(
        "SELECT min(seq) FROM events INDEXED BY events_by_time WHERE received_ns >= ?", (since_ns,)
    ).fetchone()
    if row[0] is None:
        return newest(connection)[0]
    found = connection.execute(
        f"SELECT n FROM chain WHERE kind = {EVENT} AND ref >= ? ORDER BY n LIMIT 1", (row[0],)
    ).fetchone()
    return int(found[0]) - 1 if found else newest(connection)[0]


def waiting(connection: sqlite3.Connection, after: int) -> int:
    """Return how many entries there are behind a number: the chain has no gaps."""
    return max(0, newest(connection)[0] - after)


def _used(connection: sqlite3.Connection, event: dict[str, Any]) -> Amount | None:
    """Return what the agent that ends with an event has used itself."""
    if event["event"] not in _AGENT_ENDS:
        return None
    row = connection.execute(
        f"SELECT {_SUMS} FROM usage WHERE session = ? AND agent_id IS ?",
        (event["session"], event["agent_id"]),
    ).fetchone()
    return amount(*row) if row[0] is not None else None


def _looked_up(
    connection: sqlite3.Connection, kind: str, session: str, column: str, value: object
) -> int:
    """Return when something began that was read by a process before this one."""
    sql = (
        f"SELECT received_ns FROM events WHERE session = ? AND event = ? AND {column} = ?"
        " AND derived_from IS NULL ORDER BY seq LIMIT 1"
    )
    row = connection.execute(sql, (session, kind, value)).fetchone()
    return int(row[0]) if row else 0


def _by_key(connection: sqlite3.Connection, sql: str, keys: Iterable[int]) -> dict[int, Any]:
    wanted = sorted(keys)
    marks = ",".join("?" * len(wanted))
    rows = connection.execute(f"{sql} IN ({marks})", wanted).fetchall()
    return {row[0]: row for row in rows}
