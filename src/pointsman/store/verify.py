"""Does the record still say what it said? Read once, in the order of its chain.

Memory does not grow with the ledger: each entry is built anew from the rows it stands for,
compared, and forgotten. What is wrong is named by ``faults.py``.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsman.store import chain
from pointsman.store.chain import ACT, EVENT, NOTE, PURGED, RUNS, START
from pointsman.store.merkle import Frontier
from pointsman.store.retire import read_spans
from pointsman.store.sealing import ADOPTED, RETENTION, begun
from pointsman.store.witness_stream import Stream

GAP, MISSING, CONTENT, LINK = "gap", "missing", "content", "link"
"""What can be wrong with an entry: it is gone, its rows are, they say something else, or its place
is another one's."""

_ENTRIES = (
    "SELECT c.n, c.kind, c.ref, c.low, c.high, c.digest, c.hash, c.salt, b.payload, b.stdout,"
    " b.stderr, e.seq, " + ", ".join(f"e.{name.strip()}" for name in chain.EVENT_COLUMNS.split(","))
    + f" FROM chain c LEFT JOIN events e ON c.kind = {EVENT} AND e.seq = c.ref"
    f" LEFT JOIN bodies b ON c.kind = {EVENT} AND b.seq = c.ref ORDER BY c.n"
)  # fmt: skip
_RUN_ROWS = (
    "SELECT c.n, r.seq, " + ", ".join(f"r.{name.strip()}" for name in chain.RUN_COLUMNS.split(","))
    + f" FROM chain c CROSS JOIN hook_runs r WHERE c.kind IN ({EVENT}, {RUNS}) AND r.seq = c.ref"
    " AND r.n >= c.low AND r.n < c.high ORDER BY c.n, r.n"
)  # fmt: skip
_TABLES = ("events", "bodies", "hook_runs", "notes", "acts", "gone", "late")
MOST_BAD = 4096
"""Events with something wrong that are kept in mind, the first of them."""
_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One entry that is not as it was recorded. ``seq`` is the event it is, or follows."""

    n: int
    what: str
    kind: int
    ref: int
    seq: int
    words: str


@dataclass(slots=True)
class Found:
    """What one reading has found out."""

    entries: int = 0
    next_n: int = 0
    event: int = 0
    """The highest number of an event that is there."""
    chained: int = 0
    """The highest number of an event in the chain."""
    live: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_TABLES, 0))
    removed: int = 0
    first: dict[str, Anomaly] = field(default_factory=dict)
    broken: list[int] = field(default_factory=list)
    """Entries that do not follow on the one before them, the first two."""
    bad: list[int] = field(default_factory=list)
    """Events that say something else, the first of them."""
    ends_missing: Anomaly | None = None
    """The first event that is gone, where every later one is, too."""
    gap_from: int = 0
    """The number of the first entry that is missing in the chain; 0 also where none is."""
    uncovered: int = 0

    @property
    def records(self) -> int:
        """How many records hold: events, notes, and hook runs that came after an answer."""
        return self.live["events"] + self.live["notes"] + self.live["late"]


class Reading:
    """One pass over a ledger on a connection that sees one state of it throughout."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        streams: Sequence[Stream],
        tell: Callable[[int], None] = lambda _entries: None,
    ) -> None:
        self.connection = connection
        self.found = Found()
        self._tell = tell
        self._streams = streams
        self._retired = Retired(connection)
        self._pending: list[bytes] = []
        self._tree = Frontier()
        self._head = START
        self._stop = 0
        self._runs = Runs(connection.execute(_RUN_ROWS))
        self._before_chain = _before_chain(connection)

    def run(self) -> Found:
        """Read it all."""
        found = self.found
        self._meet()
        for row in self.connection.execute(_ENTRIES):
            self._entry(row)
            found.entries += 1
            self._pending.append(row[6])
            if found.entries == self._stop or len(self._pending) >= _AT_ONCE:
                self._meet()
        self._meet()
        for stream in self._streams:
            stream.end()
        self._count_uncovered()
        return found

    def _meet(self) -> None:
        self._tree = self._tree.grown(self._pending)
        self._pending.clear()
        self._tell(self.found.entries)
        due = [stream for stream in self._streams if stream.next_size() == self._tree.size]
        if due:
            root = self._tree.root
            for stream in due:
                stream.meet(self._tree, root, self.found.chained)
        self._stop = min((size for size in map(Stream.next_size, self._streams) if size), default=0)

    def _entry(self, row: Sequence[Any]) -> None:
        n, kind, ref, low, high, digest, stored, salt = row[:8]
        found = self.found
        if n != found.next_n:
            found.gap_from = found.gap_from or found.next_n
            self._bad(GAP, row, f"entries {found.next_n} to {n - 1} of the chain are gone")
        if chain.link(self._head, kind, ref, (low, high), digest) != stored:
            self._bad(LINK, row, f"entry {n} does not follow on the one before it")
        if kind != EVENT and salt is not None:
            self._bad(CONTENT, row, f"entry {n} has a salt, and nothing that needs one")
        found.next_n, self._head = n + 1, stored
        _CHECKS.get(kind, Reading._unknown)(self, row)
        if kind == EVENT:
            found.chained = max(found.chained, ref)

    def _bad(self, what: str, row: Sequence[Any], words: str) -> None:
        n, kind, ref = row[:3]
        seq = ref if kind in {EVENT, RUNS} else self.found.chained
        if what == GAP:
            # Where an event was among them, it is the next one; a note has no number of an event.
            seq = self.found.chained + (kind != EVENT or ref > self.found.chained + 1)
        self.found.first.setdefault(what, Anomaly(n, what, kind, ref, max(seq, 1), words))
        if what == LINK and len(self.found.broken) < 2:
            self.found.broken.append(n)
        if what in {CONTENT, MISSING} and kind == EVENT and len(self.found.bad) < MOST_BAD:
            self.found.bad.append(ref)

    def _event(self, row: Sequence[Any]) -> None:
        n, _, seq, low, high, digest, _, salt = row[:8]
        runs = self._runs.of(n)
        if row[11] is None:
            self._no_event(row, runs)
            return
        self._count("events", len(runs))
        self.found.event, self.found.ends_missing = max(self.found.event, seq), None
        body = row[8:11] if row[8] is not None else None
        known = self._body(seq, salt, body)
        if known is None:
            gone = body is None
            words = f"the body of event {seq} is " + ("gone" if gone else "another one")
            self._bad(MISSING if gone else CONTENT, row, words)
        elif chain.event_digest(row[12:], known or None, runs) != digest:
            # Adopted events may have numbers between their runs that never were any.
            short = len(runs) < high - low and seq > self._before_chain
            words = f"event {seq} " + ("lacks hook runs" if short else "is not what was recorded")
            self._bad(MISSING if short else CONTENT, row, words)

    def _no_event(self, row: Sequence[Any], runs: Sequence[Any]) -> None:
        seq = row[2]
        self.found.live["hook_runs"] += len(runs)
        if seq in self._retired:
            self.found.removed += 1
            return
        self._bad(MISSING, row, f"event {seq} is gone")
        if self.found.ends_missing is None:
            self.found.ends_missing = Anomaly(row[0], MISSING, EVENT, seq, seq, "")

    def _body(self, seq: int, salt: bytes | None, body: Sequence[bytes] | None) -> bytes | None:
        """Return the digest that a body had when it was recorded, empty where there was none.

        ``None`` where nothing on record explains what is there now, or that nothing is.
        """
        if body is not None:
            self.found.live["bodies"] += 1
        if salt is None:
            return None if body is not None else b""
        if salt != PURGED:
            return None if body is None else chain.body_digest(salt, *body)
        row = self.connection.execute("SELECT * FROM gone WHERE seq = ?", (seq,)).fetchone()
        if row is None or not self._retired.explains(row, body):
            return None
        self.found.live["gone"] += 1
        return bytes(row[2])

    def _late(self, row: Sequence[Any]) -> None:
        n, _, seq, low, high, digest = row[:6]
        runs = self._runs.of(n)
        if not runs and seq in self._retired:
            return
        self._count("late", len(runs))
        if chain.runs_digest(runs) != digest:
            short = len(runs) < high - low
            what = "are gone" if short else "are not what was recorded"
            self._bad(MISSING if short else CONTENT, row, f"hook runs of event {seq} {what}")

    def _note(self, row: Sequence[Any]) -> None:
        self._row(row, "notes", "SELECT ns, kind, text, data FROM notes WHERE n = ?", "note")

    def _act(self, row: Sequence[Any]) -> None:
        self._row(row, "acts", "SELECT ns, what, data FROM acts WHERE n = ?", "act")

    def _row(self, row: Sequence[Any], table: str, sql: str, name: str) -> None:
        found = self.connection.execute(sql, (row[2],)).fetchone()
        if found is None:
            self._bad(MISSING, row, f"{name} {row[2]} is gone")
            return
        self._count(table)
        if chain.row_digest(found) != row[5]:
            self._bad(CONTENT, row, f"{name} {row[2]} is not what was recorded")

    def _unknown(self, row: Sequence[Any]) -> None:
        self._bad(CONTENT, row, f"entry {row[0]} is of a kind that there is not: {row[1]}")

    def _count(self, table: str, runs: int = 0) -> None:
        self.found.live[table] += 1
        self.found.live["hook_runs"] += runs

    def _count_uncovered(self) -> None:
        sql = "SELECT coalesce(max(ref), 0) FROM chain WHERE kind = ? AND ref <= ?"
        for tables, column, kind, most in _pending(self.connection):
            (done,) = self.connection.execute(sql, (kind, most)).fetchone()
            for table in tables:
                count = f"SELECT count(*) FROM {table} WHERE {column} > ? AND {column} <= ?"
                (waiting,) = self.connection.execute(count, (done, most)).fetchone()
                self.found.live[f"{table} waiting"] = waiting
            self.found.uncovered += self.found.live[f"{tables[0]} waiting"]


_CHECKS = {EVENT: Reading._event, RUNS: Reading._late, NOTE: Reading._note, ACT: Reading._act}


class Runs:
    """Rows of hook runs in the order of the entries that they belong to."""

    def __init__(self, rows: Iterator[Sequence[Any]]) -> None:
        self._rows = rows
        self._next: Sequence[Any] | None = next(rows, None)

    def of(self, n: int) -> list[Sequence[Any]]:
        """Return the rows of one entry."""
        out = []
        while self._next is not None and self._next[0] <= n:
            if self._next[0] == n:
                out.append(self._next[1:])
            self._next = next(self._rows, None)
        return out


class Retired:
    """What acts in the chain, under a checkpoint, say to be gone by the record's own hand."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        row = connection.execute("SELECT max(tree_size) FROM checkpoints").fetchone()
        self._signed = row[0] or 0
        self.checkpoints = 0
        """The highest number of a checkpoint that retention has removed."""
        self._spans: list[tuple[int, int]] = []
        self._cached: tuple[int, dict[str, Any]] = (0, {})
        for data in self._acts(RETENTION):
            self.checkpoints = max(self.checkpoints, _number(data.get("checkpoints")))
            for span in read_spans(data.get("events")):
                _join(self._spans, span)

    def __contains__(self, seq: int) -> bool:
        low, high = 0, len(self._spans)
        while low < high:
            middle = (low + high) // 2
            if self._spans[middle][1] < seq:
                low = middle + 1
            else:
                high = middle
        return low < len(self._spans) and self._spans[low][0] <= seq

    def explains(self, gone: Sequence[Any], body: Sequence[bytes] | None) -> bool:
        """Whether an act removed or redacted the body of an event; ``gone`` is the row of it."""
        seq, act, _, salt, kept = gone
        if act != self._cached[0]:
            self._cached = (act, next(self._acts(act=act), {}))
        data = self._cached[1]
        if body is None:
            return any(first <= seq <= last for first, last in read_spans(data.get("events")))
        if salt is None or kept is None or chain.body_digest(salt, *body) != kept:
            return False
        return [seq, kept.hex()] in data.get("bodies", [])

    def _acts(self, what: str | None = None, act: int | None = None) -> Iterator[dict[str, Any]]:
        sql = (
            "SELECT a.data FROM acts a JOIN chain c ON c.n = a.n WHERE c.kind = ? AND a.n < ? AND "
        )
        sql += "a.what = ?" if act is None else "a.n = ?"
        values = (ACT, self._signed, what if act is None else act)
        for (text,) in self._connection.execute(sql, values):
            yield _read(text)


def _join(spans: list[tuple[int, int]], span: tuple[int, int]) -> None:
    if spans and spans[-1][0] <= span[0] <= spans[-1][1] + 1:
        spans[-1] = (spans[-1][0], max(span[1], spans[-1][1]))
        return
    spans.append(span)
    if len(spans) > 1 and spans[-2] > span:
        spans.sort()


def _before_chain(connection: sqlite3.Connection) -> int:
    return _number(begun(connection).get("events"))


def _pending(
    connection: sqlite3.Connection,
) -> Iterator[tuple[tuple[str, ...], str, int, int]]:
    """Yield the tables of which older rows still wait to be taken into the chain."""
    if connection.execute("SELECT 1 FROM acts WHERE what = ?", (ADOPTED,)).fetchone():
        return
    said = begun(connection)
    yield ("events", "bodies", "hook_runs"), "seq", EVENT, _number(said.get("events"))
    yield ("notes",), "n", NOTE, _number(said.get("notes"))


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: object) -> int:
    return value if type(value) is int else 0
