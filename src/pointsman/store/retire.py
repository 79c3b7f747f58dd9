"""What leaves the record by our own hand, and what it leaves behind: an act on the chain.

Each function runs inside a transaction of the ledger, with the gate open that its triggers ask
for. What an act names is what verification takes for granted to be gone.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.store import given_back, rollups
from pointsman.store.chain import EVENT, PURGED, body_digest
from pointsman.store.sealing import PURGED as PURGE
from pointsman.store.sealing import REDACTED, RETENTION, Change

_BODIES = (
    "SELECT c.n, c.ref, c.salt, b.payload, b.stdout, b.stderr FROM chain c"
    " JOIN events e ON e.seq = c.ref JOIN bodies b ON b.seq = c.ref"
    f" WHERE c.kind = {EVENT} AND c.n >= :from_n"
)


@dataclass(frozen=True, slots=True)
class Which:
    """Which events: conditions on their columns with the values they name, and in words."""

    conditions: Sequence[str] = ()
    values: Mapping[str, Any] | None = None
    words: str = "all"


@dataclass(frozen=True, slots=True)
class Step:
    """What one batch has done, and with which entry the next one begins; ``None``: it is done."""

    count: int
    next_n: int | None


def prune(
    connection: sqlite3.Connection, change: Change, before_ns: int, now_ns: int, batch: int
) -> int:
    """Remove events received before a time, at most ``batch``, and checkpoints made before it.

    Returns how many events. What stays of them are the digests in the chain.
    """
    sql = "SELECT seq FROM events WHERE received_ns < ? ORDER BY seq LIMIT ?"
    found = connection.execute(sql, (before_ns, batch)).fetchall()
    # The newest stays, however old it is: the next one names it.
    sql = (
        "SELECT seq FROM checkpoints WHERE ns < ? AND seq < (SELECT max(seq) FROM checkpoints)"
        " ORDER BY seq LIMIT ?"
    )
    old = connection.execute(sql, (before_ns, batch)).fetchall()
    if not found and not old:
        return 0
    given_back.keep(connection, rollups.give_back(connection, found, last=len(found) < batch))
    connection.execute("INSERT INTO retention_gate VALUES (1)")
    for table in ("bodies", "hook_runs", "gone", "events"):
        connection.executemany(f"DELETE FROM {table} WHERE seq = ?", found)
    connection.executemany("DELETE FROM checkpoints WHERE seq = ?", old)
    connection.execute("DELETE FROM retention_gate")
    data: dict[str, Any] = {"events": spans(seq for (seq,) in found), "before_ns": before_ns}
    if old:
        data["checkpoints"] = old[-1][0]
    change.acted(RETENTION, now_ns, data)
    return len(found)


def purge(
    connection: sqlite3.Connection, change: Change, which: Which, now_ns: int, span: tuple[int, int]
) -> Step:
    """Remove the bodies of events, at most so many from an entry on (``span``)."""
    rows, step = _chosen(connection, which, span)
    if rows:
        act = change.acted(
            PURGE, now_ns, {"events": spans(sorted(row[1] for row in rows)), "asked": which.words}
        )
        connection.execute("INSERT INTO retention_gate VALUES (1)")
        for n, seq, salt, *body in rows:
            _replace(connection, n, (seq, act, _before(connection, seq, salt, body)))
            connection.execute("DELETE FROM bodies WHERE seq = ?", (seq,))
        connection.execute("DELETE FROM retention_gate")
    return step


def redact(
    connection: sqlite3.Connection,
    change: Change,
    chosen: tuple[Which, tuple[int, int], int],
    cover: Callable[[bytes], bytes],
) -> Step:
    """Cover what is found in the bodies of events; ``chosen`` is which, the span, the time in ns.

    The step counts the bodies that have changed.
    """
    which, span, now_ns = chosen
    rows, step = _chosen(connection, which, span)
    found = []
    for n, seq, salt, *body in rows:
        covered = [cover(bytes(part)) if part else b"" for part in body]
        if covered != list(body):
            fresh = os.urandom(16)
            kept = body_digest(fresh, *covered)
            found.append((n, seq, _before(connection, seq, salt, body), covered, (fresh, kept)))
    if found:
        told = [[seq, kept.hex()] for _, seq, _, _, (_, kept) in found]
        act = change.acted(REDACTED, now_ns, {"bodies": told, "asked": which.words})
        connection.execute("INSERT INTO retention_gate VALUES (1)")
        for n, seq, digest, covered, now in found:
            _replace(connection, n, (seq, act, digest), now)
            connection.execute("DELETE FROM bodies WHERE seq = ?", (seq,))
            connection.execute("INSERT INTO bodies VALUES (?,?,?,?)", (seq, *covered))
        connection.execute("DELETE FROM retention_gate")
    return Step(len(found), step.next_n)


def _chosen(
    connection: sqlite3.Connection, which: Which, span: tuple[int, int]
) -> tuple[list[tuple[Any, ...]], Step]:
    from_n, batch = span
    where = "".join(f" AND {condition}" for condition in which.conditions)
    values = {"from_n": from_n, "batch": batch, **(which.values or {})}
    sql = f"{_BODIES}{where} ORDER BY c.n LIMIT :batch"
    rows = connection.execute(sql, values).fetchall()
    return rows, Step(len(rows), rows[-1][0] + 1 if len(rows) == batch else None)


def _before(
    connection: sqlite3.Connection, seq: int, salt: bytes | None, body: Sequence[bytes]
) -> bytes:
    """Return the digest with which a body is in the chain."""
    if salt:
        return body_digest(salt, *body)
    row = connection.execute("SELECT digest FROM gone WHERE seq = ?", (seq,)).fetchone()
    return bytes(row[0]) if row else b""


def _replace(
    connection: sqlite3.Connection,
    n: int,
    gone: tuple[int, int, bytes],
    now: tuple[bytes, bytes] | None = None,
) -> None:
    """Put down what a body was, ``gone`` its number, act and digest, and what it is now."""
    salt, kept = now or (None, None)
    connection.execute("DELETE FROM gone WHERE seq = ?", gone[:1])
    connection.execute("INSERT INTO gone VALUES (?,?,?,?,?)", (*gone, salt, kept))
    # Without its salt the digest tells nobody, by trying, what the body was.
    connection.execute("UPDATE chain SET salt = ? WHERE n = ?", (PURGED, n))


def spans(numbers: Iterable[int]) -> str:
    """Return ascending numbers as text: ``1-500,502``."""
    out: list[list[int]] = []
    for number in numbers:
        if out and number == out[-1][1] + 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


def read_spans(text: object) -> Iterator[tuple[int, int]]:
    """Yield the first and the last number of each span; what is none is left out."""
    for part in str(text).split(",") if text else ():
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            yield int(first), int(last or first)
