"""Group commit."""

import asyncio
from collections.abc import Sequence

import pytest

from pointsman.model.errors import LedgerError
from pointsman.model.hook import HookRun
from pointsman.store.record import Record
from pointsman.store.recorder import Recorder, append_each

from .records import record, run


class FakeJournal:
    """Counts batches; refuses what it is told to."""

    def __init__(self, *, full: bool = False, bad: str = "") -> None:
        self.batches: list[list[str | None]] = []
        self.runs: list[tuple[int, int, int]] = []
        self.full = full
        self.bad = bad

    def append(self, records: Sequence[Record]) -> list[int]:
        names = [one.event.identity.tool_use_id for one in records]
        if self.full:
            raise LedgerError("full", fix="free space")
        if self.bad in names:
            raise OverflowError(self.bad)
        start = sum(len(batch) for batch in self.batches)
        self.batches.append(names)
        return list(range(start + 1, start + 1 + len(names)))

    def append_runs(self, seq: int, first: int, runs: Sequence[HookRun]) -> None:
        self.runs.append((seq, first, len(runs)))


def test_what_comes_in_one_turn_is_one_batch() -> None:
    journal = FakeJournal()

    async def main() -> list[int]:
        recorder = Recorder(journal)
        return await asyncio.gather(*(recorder.record(record(f"c{n}")) for n in range(5)))

    assert asyncio.run(main()) == [1, 2, 3, 4, 5]
    assert [len(batch) for batch in journal.batches] == [5]


def test_the_next_turn_is_the_next_batch() -> None:
    journal = FakeJournal()

    async def main() -> None:
        recorder = Recorder(journal)
        await recorder.record(record("a"))
        await recorder.record(record("b"))

    asyncio.run(main())
    assert journal.batches == [["a"], ["b"]]


def test_nobody_is_told_of_a_record_that_is_not_there() -> None:
    async def main() -> list[object]:
        recorder = Recorder(FakeJournal(full=True))
        both = (recorder.record(record("a")), recorder.record(record("b")))
        return list(await asyncio.gather(*both, return_exceptions=True))

    assert [type(result) for result in asyncio.run(main())] == [LedgerError, LedgerError]


def test_one_that_cannot_be_held_costs_only_itself() -> None:
    journal = FakeJournal(bad="b")
    results = append_each(journal, [record("a"), record("b"), record("c")])
    assert [type(result) for result in results] == [int, OverflowError, int]
    assert journal.batches == [["a"], ["c"]]


def test_a_caller_that_has_gone_costs_the_others_nothing() -> None:
    journal = FakeJournal()

    async def main() -> int:
        recorder = Recorder(journal)
        gone = asyncio.ensure_future(recorder.record(record("gone")))
        stays = asyncio.ensure_future(recorder.record(record("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await stays

    assert asyncio.run(main()) == 2
    assert journal.batches == [["gone", "stays"]], "what was decided is on record all the same"


def test_runs_go_straight_through() -> None:
    journal = FakeJournal()
    Recorder(journal).record_runs(4, 1, [run(), run()])
    assert journal.runs == [(4, 1, 2)]
