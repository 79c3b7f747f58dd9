"""The state of the chain in the open ledger, and the making of checkpoints."""

import json
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.store import checkpoints
from pointsman.store.beside import Beside, beside_file
from pointsman.store.chain import ACT, FORMAT, START, Growth, Tip
from pointsman.store.checkpoints import Checkpoint
from pointsman.store.merkle import Frontier
from pointsman.store.signing import Keys

EVERY = 1000
"""Entries after which a checkpoint is made, unless the settings say otherwise."""
BEGUN, ADOPTED, RETENTION, PURGED, REDACTED = (
    "begun", "adopted", "retention", "purged", "redacted",
)  # fmt: skip
"""What the record does to itself."""

_PAUSE = 10.0
_ACT = "INSERT INTO acts VALUES (?,?,?,?)"


def key_file(ledger: Path) -> Path:
    """Return where the key of a ledger is, unless the settings say otherwise.

    Its name is one that command safety knows for that of a secret: who reads it can sign.
    """
    return ledger.parent / "keys" / "ledger-private-key.pem"


@dataclass(slots=True)
class Sealing:
    """With which key checkpoints are signed, how often, and who gets to see them.

    ``sent`` is called on the way of events: it must only keep what it is given.
    """

    keys: Keys
    beside: Path
    every: int = EVERY
    sent: Callable[[Checkpoint], None] = field(default=lambda _checkpoint: None)

    @classmethod
    def of(cls, ledger: Path) -> "Sealing":
        """Return what a ledger does by itself: its checkpoints go into the file beside it."""
        beside = Beside(beside_file(ledger))
        return cls(Keys(key_file(ledger)), beside.path, sent=beside.write)


class Chain:
    """Where the chain of an open ledger stands. Only its writer has one."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        sealing: Sealing,
        before: Checkpoint | None = None,
    ) -> None:
        self.sealing = sealing
        self.log = begun(connection).get("log", "")
        self.last = _newest(connection)
        self.tip = _tip(connection, self.last)
        self.next_note = _highest(connection, "notes", "n") + 1
        self.sealed = self.last.tree_size if self.last else 0
        self.sealed_at = 0.0
        self._not_before = 0.0
        self.cut: Checkpoint | None = None
        """What was vouched for and is not there."""
        for known in (before, checkpoints.newest_of(sealing.beside)):
            self._go_on_behind(known)

    def _go_on_behind(self, sent: Checkpoint | None) -> None:
        """Number checkpoints behind what was sent, also from a file before this one."""
        if sent is None or (self.last is not None and sent.seq <= self.last.seq):
            return
        if sent.log == self.log and sent.tree_size > self.tip.tree.size:
            self.cut = sent
        self.last = sent

    @property
    def due(self) -> bool:
        """Whether so many entries have come that a checkpoint is owed."""
        if self.tip.tree.size - self.sealed < self.sealing.every:
            return False
        return time.monotonic() >= self._not_before

    def postpone(self) -> None:
        """Owe none for a while: what failed is not tried again with each event."""
        self._not_before = time.monotonic() + _PAUSE

    def growth(self) -> "Change":
        """Begin to add entries."""
        return Change(self)

    def checkpoint(self, tip: Tip, ns: int) -> Checkpoint:
        """Return a signed checkpoint of this tip.

        Raises:
            LedgerError: the key cannot be used.
        """
        signer = self.sealing.keys.signer()
        before = self.last
        return Checkpoint(
            seq=before.seq + 1 if before else 1,
            log=self.log,
            tree_size=tip.tree.size,
            root=tip.tree.root,
            previous=before.hash if before else checkpoints.FIRST,
            ns=ns,
            last=tip.event,
        ).signed(signer)

    def frontier(self, tip: Tip) -> bytes:
        """Return what a checkpoint of this tip keeps of the tree: nothing where nothing came."""
        quiet = self.last is not None and self.sealed == tip.tree.size
        return b"" if quiet else tip.tree.packed()


class Change(Growth):
    """What one transaction adds to a chain, with the checkpoint it may end in."""

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain.tip)
        self._chain = chain
        self.next_note = chain.next_note
        self.acts: list[tuple[Any, ...]] = []
        self.made: Checkpoint | None = None

    def acted(self, what: str, ns: int, data: dict[str, Any]) -> int:
        """Put an act on record; return its number."""
        row = (ns, what, json.dumps(data, separators=(",", ":")))
        number = self.act(row)
        self.acts.append((number, *row))
        return number

    def noted(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Add a note of these columns; return its row."""
        number = self.next_note
        self.note(number, row)
        self.next_note += 1
        return (number, *row)

    def write(self, connection: sqlite3.Connection, insert: str) -> None:
        """Write the entries, inside a transaction that the caller has begun."""
        if self.acts:
            connection.executemany(_ACT, self.acts)
        if self.rows:
            connection.executemany(insert, self.rows)

    def seal(self, connection: sqlite3.Connection, ns: int) -> None:
        """Write a checkpoint behind the entries.

        Raises:
            LedgerError: the key cannot be used.
        """
        tip = self.tip()
        self.made = self._chain.checkpoint(tip, ns)
        connection.execute(checkpoints.INSERT, self.made.row(self._chain.frontier(tip)))

    def take(self) -> None:
        """Go on from here: what was written is committed."""
        chain = self._chain
        chain.tip, chain.next_note = self.tip(), self.next_note
        if self.made is not None:
            chain.last, chain.sealed = self.made, self.made.tree_size
            chain.sealed_at = time.monotonic()
            chain.sealing.sent(self.made)


def begin(connection: sqlite3.Connection, chain: Chain, ns: int) -> Change | None:
    """Return the first act of a chain that has none; it says what was there before it."""
    if chain.tip.number:
        return None
    chain.log = os.urandom(16).hex()
    change = chain.growth()
    given = {
        "log": chain.log,
        "format": FORMAT,
        "every": chain.sealing.every,
        "events": _highest(connection, "events", "seq"),
        "notes": _highest(connection, "notes", "n"),
        "checkpoint": chain.last.seq if chain.last else 0,
    }
    change.acted(BEGUN, ns, given)
    return change


def begun(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return what the first act of a chain says; nothing where it cannot be read."""
    row = connection.execute(
        "SELECT a.data FROM acts a JOIN chain c ON c.n = a.n"
        " WHERE c.n = 0 AND c.kind = ? AND a.what = ?",
        (ACT, BEGUN),
    ).fetchone()
    try:
        found = json.loads(row[0]) if row else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _newest(connection: sqlite3.Connection) -> Checkpoint | None:
    sql = f"SELECT {checkpoints.COLUMNS} FROM checkpoints ORDER BY seq DESC LIMIT 1"  # noqa: S608
    row = connection.execute(sql).fetchone()
    return checkpoints.of_row(row) if row else None


def _tip(connection: sqlite3.Connection, last: Checkpoint | None) -> Tip:
    """Return where the chain ends, from the newest checkpoint on that keeps the tree."""
    tree = _kept(connection, last) if last else Frontier()
    head, event = START, _highest(connection, "events", "seq")
    number = _highest(connection, "chain", "n") + 1 if _any(connection) else 0
    row = connection.execute("SELECT hash FROM chain WHERE n = ?", (tree.size - 1,)).fetchone()
    if row:
        head = bytes(row[0])
    rows = connection.execute("SELECT hash FROM chain WHERE n >= ? ORDER BY n", (tree.size,))
    while some := rows.fetchmany(1000):
        tree = tree.grown(row[0] for row in some)
        head = bytes(some[-1][0])
    return Tip(head, tree, event, number)


def _any(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM chain LIMIT 1").fetchone() is not None


def _kept(connection: sqlite3.Connection, last: Checkpoint) -> Frontier:
    """Return the tree of the newest checkpoint; an empty one where it does not fit its root."""
    row = connection.execute(
        "SELECT frontier FROM checkpoints WHERE tree_size = ? AND frontier != x'' ORDER BY seq"
        " DESC LIMIT 1", (last.tree_size,),
    ).fetchone()  # fmt: skip
    found = Frontier.unpacked(last.tree_size, row[0]) if row else None
    ends = connection.execute("SELECT max(n) FROM chain").fetchone()[0]
    if found is None or found.root != last.root or ends is None or ends + 1 < found.size:
        return Frontier()
    return found


def _highest(connection: sqlite3.Connection, table: str, column: str) -> int:
    sql = f"SELECT coalesce(max({column}), 0) FROM {table}"  # noqa: S608 - our own names
    return int(connection.execute(sql).fetchone()[0])
