"""What the ledger refused is kept, and told as what it was: a failure of ours."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pointsman.model.decision import Cause, allow
from pointsman.model.errors import LedgerError
from pointsman.model.hook import HookRun
from pointsman.store import backlog as module
from pointsman.store.backlog import SPOOLED, Backlog
from pointsman.store.record import Record

from .records import record, run


class Disk:
    """A journal on a disk that can be full."""

    def __init__(self) -> None:
        self.full = True
        self.records: list[Record] = []
        self.runs = 0

    def append(self, records: Sequence[Record]) -> list[int]:
        if self.full:
            raise LedgerError("the disk is full", fix="free space")
        self.records += records
        return [len(self.records)] * len(records)

    def append_runs(self, seq: int, first: int, runs: Sequence[HookRun]) -> None:
        self.runs += len(runs)


@pytest.fixture
def disk() -> Disk:
    return Disk()


def refuse(backlog: Backlog, *records: Record) -> None:
    with pytest.raises(LedgerError, match="full"):
        backlog.append(records)


@pytest.mark.parametrize(("guard", "decision", "code"), [(True, "deny", 2), (False, None, 0)])
def test_it_is_recorded_later_as_what_was_answered(
    disk: Disk, guard: bool, decision: str | None, code: int
) -> None:
    backlog = Backlog(disk)
    refuse(backlog, record("a", guard=guard, decision=allow("fine")))
    assert (len(backlog), backlog.error) == (1, "the disk is full; free space")
    with pytest.raises(LedgerError):
        backlog.catch_up()
    disk.full = False
    assert backlog.catch_up() == 1
    (kept,) = disk.records
    assert kept.decision.action == decision
    assert kept.decision.cause is Cause.FAILURE
    assert "could not be put on record: the disk is full" in kept.decision.reason
    assert kept.answer.code == code
    assert (len(backlog), backlog.error, backlog.catch_up()) == (0, "", 0)


def test_the_derived_event_says_the_same(disk: Disk) -> None:
    backlog = Backlog(disk)
    refuse(backlog, replace(record("a"), derived=(record("a", decision=allow()),)))
    disk.full = False
    backlog.catch_up()
    assert disk.records[0].derived[0].decision == disk.records[0].decision


def test_what_lies_in_the_spool_is_not_kept_twice(disk: Disk) -> None:
    backlog = Backlog(disk)
    refuse(backlog, record("a", transport=SPOOLED))
    assert len(backlog) == 0


def test_memory_is_bounded(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_RECORDS", 3)
    monkeypatch.setattr(module, "_MOST_BYTES", 10)
    backlog = Backlog(disk)
    refuse(backlog, *(record(f"c{n}", payload=b"x" * 6) for n in range(5)))
    assert (len(backlog), backlog.lost) == (3, 2)
    disk.full = False
    backlog.catch_up()
    assert [len(one.payload) for one in disk.records] == [6, 0, 0]


def test_with_room_it_only_passes_on(disk: Disk) -> None:
    disk.full = False
    backlog = Backlog(disk)
    assert backlog.append([record("a")]) == [1]
    backlog.append_runs(1, 0, [run()])
    assert (disk.runs, len(backlog), backlog.error) == (1, 0, "")
