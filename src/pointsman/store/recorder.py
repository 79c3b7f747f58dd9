"""Group commit: everything that is decided in one turn of the event loop is one transaction."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from pointsman.model.errors import LedgerError
from pointsman.model.hook import HookRun
from pointsman.store.record import Record


class Journal(Protocol):
    """Where batches go."""

    def append(self, records: Sequence[Record]) -> list[int]:
        """Record these, all or none; return the sequence number of each."""

    def append_runs(self, seq: int, first: int, runs: Sequence[HookRun]) -> None:
        """Add hook runs that ended after the answer was out."""


class Recorder:
    """Collects records and writes them together; ``record`` returns when its own is durable."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[tuple[Record, asyncio.Future[int]]] = []

    async def record(self, record: Record) -> int:
        """Put one on record and return its sequence number once it is durable.

        Raises:
            LedgerError: nothing was recorded; the caller must not answer as if it were.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._waiting.append((record, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._flush)
        return await future

    def record_runs(self, seq: int, first: int, runs: Sequence[HookRun]) -> None:
        """Add the runs of observers to an event that is on record already."""
        self._journal.append_runs(seq, first, runs)

    def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        results = append_each(self._journal, [record for record, _ in batch])
        for result, (_, future) in zip(results, batch, strict=True):
            # Whoever waited was cancelled meanwhile; the row is on record all the same.
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


def append_each(journal: Journal, records: Sequence[Record]) -> list[int | Exception]:
    """Record these in one transaction; return for each its number, or why it is not on record.

    A record that the ledger cannot hold costs only itself: the others are then written one by one.
    """
    try:
        return list(journal.append(records))
    except LedgerError as error:
        # It is the ledger's trouble, not one record's: one by one they would only meet it again.
        return [error] * len(records)
    except Exception as error:  # noqa: BLE001 - a bug of ours in one record must not cost the others
        if len(records) == 1:
            return [error]
    return [result for record in records for result in append_each(journal, [record])]
