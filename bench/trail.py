"""What the chain costs, and how fast a ledger is verified."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from bench.figures import BenchError, Figure, median, ratio, rounded
from bench.rig import Effort, Rig, rig
from bench.throughput import WIDTH, records_of
from pointsman.store.chain import Growth, Tip
from pointsman.store.ledger import Ledger
from pointsman.store.record import Record, event_row, run_row
from pointsman.store.sealing import Sealing
from pointsman.store.verdict import Trust, verify

_GOAL = 20_000.0
_SIZES = (10_000, 100_000)


def trail(effort: Effort) -> list[Figure]:
    """Append with every checkpoint on the disk, then read what was written and prove it."""
    with rig() as made:
        made.places.state.mkdir(mode=0o700)
        records = records_of(made)
        chain = _chain(records, effort.of(60, 5))
        durable = _durable(made, records, effort.of(100_000, 5_000), chain)
    return [durable, *_verified(records, _SIZES if not effort.quick else _SIZES[:1])]


def _chain(records: Sequence[Record], rounds: int) -> float:
    """Return the processor time in µs that the chain takes for one event, without the database."""
    rows = [(event_row(1, None, each), each) for each in records]
    spent = []
    for _ in range(rounds):
        started = time.process_time()
        growth = Growth(Tip())
        for row, each in rows:
            runs = [run_row(1, n, run) for n, run in enumerate(each.runs)]
            growth.event(1, row[1:], (each.payload, each.answer.stdout, each.answer.stderr), runs)
        growth.tip()
        spent.append((time.process_time() - started) / len(rows) * 1e6)
    return median(spent)


def _durable(made: Rig, records: Sequence[Record], events: int, chain: float) -> Figure:
    """Append batches; what a checkpoint vouches for is synced before the next one."""
    path = made.places.ledger
    sealing = Sealing.of(path)
    beside = sealing.sent
    made_of: list[int] = []

    def sent(checkpoint: object) -> None:
        _sync(path)
        made_of.append(1)
        beside(checkpoint)  # type: ignore[arg-type]  # as it came

    sealing.sent = sent
    ledger = Ledger.open(path, sealing=sealing)
    batch = [records[number % len(records)] for number in range(WIDTH)]
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(events // WIDTH):
        ledger.append(batch)
    ledger.seal()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    ledger.close()
    found = made.recorded("SELECT count(*) FROM events")[0][0]
    return Figure(
        name="events/s, chained and durable",
        what="the same, with a signed checkpoint every 1000 entries, on the disk when it is made",
        unit="/s",
        value=found / seconds,
        goal=_GOAL,
        at_least=True,
        detail={
            "events": found,
            "checkpoints": len(made_of),
            "cpu_us_each": rounded(cpu / found * 1e6),
            "chain_cpu_us_each": rounded(chain),
        },
    )


def _sync(path: Path) -> None:
    descriptor = os.open(f"{path}-wal", os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _verified(records: Sequence[Record], sizes: Sequence[int]) -> list[Figure]:
    rates = {}
    for size in sizes:
        with rig() as made:
            made.places.state.mkdir(mode=0o700)
            ledger = Ledger.open(made.places.ledger)
            for first in range(0, size, 1000):
                ledger.append([records[(first + n) % len(records)] for n in range(1000)])
            ledger.close()
            started = time.perf_counter()
            found = verify(made.places.ledger, Trust())
            seconds = time.perf_counter() - started
        if not found.ok or found.records != size:
            raise BenchError(f"{size} records: {found.fault} {found.words}, {found.records} read")
        rates[size] = size / seconds
    largest, smallest = sizes[-1], sizes[0]
    return [
        Figure(
            name="verify, records/s",
            what=f"`ledger verify` of {largest} records and its checkpoints",
            unit="/s",
            value=rates[largest],
            detail={
                **{f"{size}_records_per_s": rounded(rate) for size, rate in rates.items()},
                "smallest_to_largest": rounded(ratio(rates[smallest], rates[largest])),
            },
        )
    ]
