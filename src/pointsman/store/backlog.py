"""What could not be put on record, kept until it can be: a full disk must leave a trace, too."""

from collections.abc import Sequence
from dataclasses import replace

from pointsman.model.answer import PASS, STOP, Answer
from pointsman.model.decision import Action, failure
from pointsman.model.errors import LedgerError
from pointsman.model.guard_events import GUARD_EVENTS
from pointsman.model.hook import HookRun
from pointsman.store.record import Record
from pointsman.store.recorder import Journal

SPOOLED = "spooled"
"""The transport of an event from the spool: its file stays there until it is on record."""

_MOST_RECORDS = 10_000
_MOST_BYTES = 32 * 1024 * 1024


class Backlog:
    """A journal in front of the ledger that remembers what the ledger refused.

    The events were answered as our own failure (a stop where somebody guards), and that is what
    goes on record of them once ``catch_up`` succeeds. Beyond 10,000 records they are only counted;
    beyond 32 MiB of payloads, kept without them.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._kept: list[Record] = []
        self._bytes = 0
        self.lost = 0
        self.error = ""

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._kept)

    def append(self, records: Sequence[Record]) -> list[int]:
        """Record these, all or none; return the sequence number of each.

        Raises:
            LedgerError: nothing is on record yet.
        """
        try:
            seqs = self._journal.append(records)
        except LedgerError as error:
            self.error = f"{error}; {error.fix}"
            for record in records:
                if record.transport != SPOOLED:
                    self._keep(_refused(record, error))
            raise
        # One success says little while others wait: the error stands until they are on record.
        if not self._kept:
            self.error = ""
        return seqs

    def append_runs(self, seq: int, first: int, runs: Sequence[HookRun]) -> None:
        """Add hook runs that ended after the answer was out."""
        self._journal.append_runs(seq, first, runs)

    def catch_up(self) -> int:
        """Put on record what waits; return how many events that were.

        Raises:
            LedgerError: it still cannot be; everything goes on waiting.
        """
        kept = self._kept
        if kept:
            # Past our own `append`, which would keep them once more where it fails.
            self._journal.append(kept)
            self._kept, self._bytes, self.error = [], 0, ""
        return len(kept)

    def _keep(self, record: Record) -> None:
        if len(self._kept) >= _MOST_RECORDS:
            self.lost += 1
            return
        if self._bytes + len(record.payload) > _MOST_BYTES:
            record = replace(record, payload=b"")
        self._bytes += len(record.payload)
        self._kept.append(record)


def _refused(record: Record, error: LedgerError) -> Record:
    """Return the record of what really became of the event: the client was told of a failure."""
    stopped = record.event.kind in GUARD_EVENTS
    given = replace(
        failure(f"it could not be put on record: {error}", rule="ledger.failed").by("ledger"),
        action=Action.DENY if stopped else None,
    )
    answer = Answer(STOP if stopped else PASS)
    derived = tuple(replace(one, decision=given) for one in record.derived)
    return replace(record, decision=given, answer=answer, derived=derived)
