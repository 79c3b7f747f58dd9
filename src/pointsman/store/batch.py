"""Records that are written together, as rows of their tables and entries of the chain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.store import rollups
from pointsman.store.chain import Growth
from pointsman.store.record import Record, event_row, run_row
from pointsman.store.rollups import Statement


def _insert(table: str, columns: int) -> str:
    return f"INSERT INTO {table} VALUES ({','.join('?' * columns)})"  # noqa: S608 - question marks


EVENT, BODY = _insert("events", 28), _insert("bodies", 4)
RUN, NOTE = _insert("hook_runs", 13), _insert("notes", 5)


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of some records, the number that each record got, and the next free one."""

    statements: tuple[Statement, ...]
    seqs: list[int]
    next: int


def batch_of(records: Sequence[Record], first: int, growth: Growth) -> Batch:
    """Return the rows of these records, numbered from ``first``, and add them to the chain."""
    events: list[tuple[Any, ...]] = []
    bodies: list[tuple[Any, ...]] = []
    runs: list[tuple[Any, ...]] = []
    seqs = []
    seq = first
    for record in records:
        seqs.append(seq)
        for one, derived_from in _with_derived(record, seq):
            row = event_row(seq, derived_from, one)
            said = [run_row(seq, n, run) for n, run in enumerate(one.runs)]
            body = (one.payload, one.answer.stdout, one.answer.stderr)
            growth.event(seq, row[1:], body if any(body) else None, said)
            events.append(row)
            runs += said
            if any(body):
                bodies.append((seq, *body))
            seq += 1
    rows: tuple[Statement, ...] = ((EVENT, events), (BODY, bodies), (RUN, runs))
    return Batch((*rows, *rollups.statements(events, runs)), seqs, seq)


def _with_derived(record: Record, parent: int) -> Iterator[tuple[Record, int | None]]:
    yield record, None
    for derived in record.derived:
        yield derived, parent
