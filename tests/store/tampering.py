"""Hands that change a ledger behind its writer's back, and a ledger for them."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from pointsman.model.decision import deny
from pointsman.store import chain, checkpoints
from pointsman.store.beside import beside_file
from pointsman.store.ledger import Ledger
from pointsman.store.merkle import Frontier
from pointsman.store.sealing import Sealing

from .records import record, run

EVERY = 50
"""Entries between two checkpoints of the ledgers here."""


def opened(path: Path) -> Ledger:
    sealing = Sealing.of(path)
    sealing.every = EVERY
    return Ledger.open(path, sealing=sealing)


def filled(path: Path, rows: int = 200) -> Path:
    """Make a ledger of so many events: with runs, derived rows, late runs and notes."""
    ledger = opened(path)
    for first in range(0, rows, 10):
        family = [
            record(
                f"call{n}",
                at=1_000_000_000 * n,
                session=f"s{n // 50}",
                payload=b'{"n": %d}' % n,
                runs=(run("scope"), run("secrets", duration_ns=n)) if n % 3 == 0 else (),
                decision=deny(f"no {n}", rule="r") if n % 7 == 0 else record().decision,
            )
            for n in range(first, first + 9)
        ]
        child = record(f"child{first}", transport="derived", payload=b"", runs=(run("proof"),))
        seqs = ledger.append([*family[:-1], _with(family[-1], child)])
        ledger.append_runs(seqs[0], 5, [run("watcher")])
        ledger.note("round", f"number {first}", first=first)
    ledger.close()
    return path


def _with(parent: Any, child: Any) -> Any:
    from dataclasses import replace

    return replace(parent, derived=(child,))


def copied(path: Path, target: Path, *, beside: bool = True) -> Path:
    """Copy a closed ledger, with its key and with or without the checkpoints beside it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)
    if beside:
        shutil.copy(beside_file(path), beside_file(target))
    return target


def by_hand(path: Path, *statements: str, values: tuple[Any, ...] = ()) -> None:
    """Change a ledger as somebody does who has the file: without its triggers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        names = connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
        triggers = names.fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement, values)
        for _, sql in triggers:
            connection.execute(sql)


def swapped(path: Path, table: str, column: str, one: int, other: int) -> None:
    """Give two rows one another's number."""
    by_hand(
        path,
        *(
            f"UPDATE {table} SET {column} = {to} WHERE {column} = {was}"
            for was, to in ((one, -1), (other, one), (-1, other))
        ),
    )


def recomputed(path: Path, change: Callable[[sqlite3.Connection], None]) -> None:
    """Change a ledger and make its chain fit, as the writer would have: all but the signatures."""

    def rewrite(connection: sqlite3.Connection) -> None:
        change(connection)
        head, hashes = chain.START, []
        rows = connection.execute("SELECT n, kind, ref, low, high, salt FROM chain ORDER BY n")
        for n, kind, ref, low, high, salt in rows.fetchall():
            digest = _digest(connection, kind, ref, (low, high), salt)
            head = chain.link(head, kind, ref, (low, high), digest)
            hashes.append(head)
            connection.execute(
                "UPDATE chain SET digest = ?, hash = ? WHERE n = ?", (digest, head, n)
            )

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        rewrite(connection)


def resigned(path: Path, ledger_key: Any, behind: int = 0) -> None:
    """Sign every checkpoint behind a number anew, over the tree that there is now."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        hashes = [bytes(h) for (h,) in connection.execute("SELECT hash FROM chain ORDER BY n")]
        before = checkpoints.FIRST
        for old in list(checkpoints.stored(connection)):
            if old.seq <= behind:
                before = old.hash
                continue
            tree = Frontier().grown(hashes[: old.tree_size])
            new = checkpoints.Checkpoint(
                old.seq, old.log, old.tree_size, tree.root, before, old.ns, old.last
            ).signed(ledger_key)
            before = new.hash
            connection.execute("DELETE FROM checkpoints WHERE seq = ?", (old.seq,))
            connection.execute(checkpoints.INSERT, new.row(tree.packed()))


def _digest(
    connection: sqlite3.Connection, kind: int, ref: int, span: tuple[int, int], salt: bytes | None
) -> bytes:
    runs = connection.execute(
        f"SELECT seq, {chain.RUN_COLUMNS} FROM hook_runs WHERE seq = ? AND n >= ? AND n < ?"
        " ORDER BY n", (ref, *span),
    ).fetchall()  # fmt: skip
    if kind == chain.EVENT:
        row = connection.execute(
            f"SELECT {chain.EVENT_COLUMNS} FROM events WHERE seq = ?", (ref,)
        ).fetchone()
        body = connection.execute(
            "SELECT payload, stdout, stderr FROM bodies WHERE seq = ?", (ref,)
        ).fetchone()
        return chain.event_digest(row, chain.body_digest(salt, *body) if salt else None, runs)
    if kind == chain.RUNS:
        return chain.runs_digest(runs)
    table, columns = ("notes", "ns, kind, text, data") if kind == chain.NOTE else (
        "acts", "ns, what, data")  # fmt: skip
    row = connection.execute(f"SELECT {columns} FROM {table} WHERE n = ?", (ref,)).fetchone()
    return chain.row_digest(row)
