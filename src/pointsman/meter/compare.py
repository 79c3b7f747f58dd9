"""Our sums beside the host's own: what it counts that stands in no transcript shows here."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman.cost.posting import Book
from pointsman.meter.reading import read_whole, with_subagents
from pointsman.meter.report import Lens, beyond
from pointsman.model.usage import TOKEN_FIELDS, Amount, HostTotal, amount
from pointsman.store import query, usage_query
from pointsman.store.usage_query import Chosen

_Sums = dict[tuple[str, str], Amount]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One session and model: by its messages, by the host's word."""

    session: str
    model: str
    ours: Amount
    theirs: Amount

    @property
    def rest(self) -> Amount:
        """What the host counts and no message does: compaction, titles, what a fork began with."""
        return self.theirs - self.ours

    def as_dict(self) -> dict[str, Any]:
        """Return it as one flat JSON object."""
        row: dict[str, Any] = {"session": self.session, "model": self.model}
        for name in TOKEN_FIELDS:
            row[name] = getattr(self.ours, name)
            row[f"host_{name}"] = getattr(self.theirs, name)
        return {**row, "cost_usd": self.ours.usd, "host_usd": self.theirs.usd}


def compared(
    ledger: Path, transcripts: Sequence[str], chosen: Chosen, lens: Lens
) -> Iterator[Comparison]:
    """Yield every session and model that the host has summed up.

    The host sums up when a session ends; one that was killed, or goes on, has no sum yet.

    Raises:
        LedgerError: there is no record, or it cannot be read.
        OSError: a transcript cannot be read.
    """
    if transcripts:
        ours, theirs = _of_files(transcripts, lens)
    else:
        with query.opened(ledger) as connection:
            usage_query.begin(connection)
            ours, theirs = _of_ledger(connection, lens)
    for (session, model), figures in sorted(theirs.items()):
        if chosen.session in {None, session}:
            mine = ours.get((session, model), Amount())
            yield Comparison(session=session, model=model, ours=mine, theirs=figures)


def _of_ledger(connection: sqlite3.Connection, lens: Lens) -> tuple[_Sums, _Sums]:
    theirs = usage_query.host_totals(connection)
    postings, totals = beyond(connection, lens)
    theirs.update(_stated(totals))
    ours = usage_query.by_session_and_model(connection)
    for each in postings:
        at = (each.usage.session, each.usage.model)
        ours[at] = ours.get(at, Amount()) + each.amount
    return ours, theirs


def _of_files(transcripts: Sequence[str], lens: Lens) -> tuple[_Sums, _Sums]:
    book, theirs = Book(lens.price, lambda _key: None), _Sums()
    for path in with_subagents(transcripts):
        for learned in read_whole(path):
            book.add(map(lens.place, learned.usages))
            theirs.update(_stated(learned.totals))
    ours: _Sums = {}
    for each in book.messages():
        at = (each.usage.session, each.usage.model)
        ours[at] = ours.get(at, Amount()) + each.amount
    return ours, theirs


def _stated(totals: Sequence[HostTotal]) -> _Sums:
    return {
        (each.session, each.model): amount(
            *(getattr(each, name) for name in TOKEN_FIELDS), round(each.usd * 1e9), 0, 0
        )
        for each in totals
    }
