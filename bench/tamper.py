"""Whether each of five hands on a large ledger is named for what it is."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from bench.figures import BenchError, Figure, rounded
from bench.rig import Effort, rig
from bench.throughput import records_of
from pointsman.store import chain
from pointsman.store.beside import beside_file
from pointsman.store.ledger import Ledger
from pointsman.store.record import Record
from pointsman.store.verdict import Trust, verify

Hand = Callable[[sqlite3.Connection], object]


def tamper(effort: Effort) -> list[Figure]:
    """Let each hand change a copy, and have it verified."""
    size = effort.of(100_000, 5_000)
    middle, tail = size // 2, size - size // 10
    with rig() as made:
        made.places.state.mkdir(mode=0o700)
        ledger = made.places.ledger
        _fill(ledger, records_of(made), size)
        seconds = {"untouched": _judged(ledger, None, None)}
        for fault, (hand, first) in _hands(middle, tail).items():
            copy = made.folder / f"{fault}.db"
            shutil.copy(ledger, copy)
            shutil.copy(beside_file(ledger), beside_file(copy))
            with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
                for (name,) in connection.execute(_TRIGGERS).fetchall():
                    connection.execute(f"DROP TRIGGER {name}")
                connection.execute("BEGIN")
                hand(connection)
                connection.execute("COMMIT")
            seconds[fault] = _judged(copy, fault, first)
            copy.unlink()
    return [
        Figure(
            name="tampering named, of 5",
            what=f"edit, deletion, truncation, reorder and rewrite of {size} records, each named",
            unit="",
            value=float(len(seconds) - 1),
            goal=5.0,
            at_least=True,
            detail={f"{fault}_s": rounded(took) for fault, took in seconds.items()},
        )
    ]


_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"


def _fill(ledger: Path, records: Sequence[Record], size: int) -> None:
    writer = Ledger.open(ledger)
    for first in range(0, size, 1000):
        writer.append([records[(first + n) % len(records)] for n in range(1000)])
    writer.close()


def _judged(ledger: Path, fault: str | None, first: int | None) -> float:
    started = time.perf_counter()
    found = verify(ledger, Trust())
    if (found.fault, found.first_bad) != (fault, first):
        told = f"{found.fault} from {found.first_bad} ({found.words})"
        raise BenchError(f"{fault} from {first} was named {told}")
    return time.perf_counter() - started


def _hands(middle: int, tail: int) -> dict[str, tuple[Hand, int]]:
    tables = ("events", "bodies", "hook_runs")

    def cut(connection: sqlite3.Connection) -> None:
        for table in tables:
            connection.execute(f"DELETE FROM {table} WHERE seq > {tail}")
        connection.execute(f"DELETE FROM chain WHERE kind = 1 AND ref > {tail}")
        connection.execute(f"DELETE FROM checkpoints WHERE last > {tail}")

    def out(connection: sqlite3.Connection) -> None:
        for table in tables:
            connection.execute(f"DELETE FROM {table} WHERE seq = {middle}")
        connection.execute(f"DELETE FROM chain WHERE kind = 1 AND ref = {middle}")

    def swapped(connection: sqlite3.Connection) -> None:
        other = middle + 7
        for table in tables:
            for was, to in ((middle, -1), (other, middle), (-1, other)):
                connection.execute(f"UPDATE {table} SET seq = {to} WHERE seq = {was}")

    return {
        "edit": (lambda c: c.execute(f"UPDATE events SET cwd = '/' WHERE seq = {middle}"), middle),
        "deletion": (out, middle),
        "truncation": (cut, tail + 1),
        "reorder": (swapped, middle),
        # From the checkpoint before it on: nobody knows which of the records behind it.
        "rewrite": (lambda c: _rewrite(c, middle), _rewritten_from(middle)),
    }


def _rewritten_from(middle: int) -> int:
    # A batch of a thousand, and the act with which the chain began.
    return (middle - 1) // 1000 * 1000 + 1


def _rewrite(connection: sqlite3.Connection, middle: int) -> None:
    """Change one record and make all that follows fit, as who has the file can."""
    connection.execute(f"UPDATE events SET cwd = '/' WHERE seq = {middle}")
    rows = connection.execute("SELECT n, kind, ref, low, high, digest, salt FROM chain ORDER BY n")
    head = chain.START
    for n, kind, ref, low, high, digest, salt in rows.fetchall():
        if kind == chain.EVENT and ref == middle:
            digest = _digest(connection, ref, salt)  # noqa: PLW2901 - it is another one now
        head = chain.link(head, kind, ref, (low, high), digest)
        connection.execute("UPDATE chain SET digest = ?, hash = ? WHERE n = ?", (digest, head, n))


def _digest(connection: sqlite3.Connection, seq: int, salt: bytes) -> bytes:
    row = connection.execute(
        f"SELECT {chain.EVENT_COLUMNS} FROM events WHERE seq = ?", (seq,)
    ).fetchone()
    body = connection.execute(
        "SELECT payload, stdout, stderr FROM bodies WHERE seq = ?", (seq,)
    ).fetchone()
    runs = connection.execute(
        f"SELECT seq, {chain.RUN_COLUMNS} FROM hook_runs WHERE seq = ? ORDER BY n", (seq,)
    ).fetchall()
    return chain.event_digest(row, chain.body_digest(salt, *body), runs)
