"""What was used, by anything: from the record, with what the transcripts hold beyond it."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from pointsman.cost.allocate import Part, parts, shared
from pointsman.cost.posting import Book, Booked, Posting
from pointsman.meter.meter import known
from pointsman.meter.reading import is_unread, read_next, read_whole, unread, with_subagents
from pointsman.model.usage import TOKEN_FIELDS, Amount, Cost, HostTotal, Usage, role_of
from pointsman.store import usage_query, usage_rows
from pointsman.store.usage_query import Chosen, Sums
from pointsman.store.usage_rows import DIMENSIONS, dimension_values

BY = (
    "session", "agent", "subagent", "task", "repository", "branch", "model", "role", "day",
    "tool", "call", "total",
)  # fmt: skip
"""What usage can be grouped by."""
ALLOCATED = frozenset({"tool", "call"})
"""Groups whose figures are an allocation (``cost/allocate.py``); all others are measured."""
_EPOCH = date(1970, 1, 1)

_Agents = dict[str | None, tuple[str | None, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """How messages of transcripts are seen: their price, and whatever else the record would say.

    ``place`` returns a message with what no transcript says of it (its role); by default as where
    no role is declared.
    """

    price: Callable[[Usage], Cost]
    place: Callable[[Usage], Usage] = lambda usage: replace(usage, role=role_of(usage, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One group: its key, what it has used, and what else is known of it."""

    key: str | None
    amount: Amount
    more: dict[str, Any] = field(default_factory=dict)

    def as_dict(self, by: str) -> dict[str, Any]:
        """Return it as one flat JSON object."""
        figures = {name: getattr(self.amount, name) for name in TOKEN_FIELDS}
        return {
            by: self.key,
            **self.more,
            **figures,
            "cost_usd": self.amount.usd,
            "calls": self.amount.calls,
            "priced_usd": self.amount.usd_nano / 1e9,
            "unpriced_calls": self.amount.unpriced,
            "basis": "allocated" if by in ALLOCATED else "measured",
        }


@dataclass(frozen=True, slots=True)
class _Call:
    """A tool call as a group: several messages never ask for the same one."""

    tool: str
    session: str


def of_ledger(connection: sqlite3.Connection, by: str, chosen: Chosen, lens: Lens) -> list[Row]:
    """Return the groups that are on record, and what the transcripts say beyond it.

    ``connection`` reads; it must be within one transaction, so that record and positions agree.
    """
    postings = [each for each in beyond(connection, lens)[0] if _takes(chosen, each.usage)]
    if by == "call" or (by == "tool" and chosen.session is not None):
        return _calls(by, usage_query.messages(connection, chosen), postings)
    if by == "tool":
        found = usage_query.hourly(connection, by, chosen)
        for edge in usage_query.edges(chosen):
            _add_calls(found, usage_query.messages(connection, edge))
        return _rows(by, found, _tool_sums(postings))
    sums = usage_query.sums(connection, by, chosen)
    rows = _rows(by, sums, _value_sums(by, postings))
    return _known(connection, by, rows, _agents(postings))


def of_files(paths: Sequence[str], by: str, chosen: Chosen, lens: Lens) -> list[Row]:
    """Return the groups of what these transcripts, and those of their subagents, say.

    Raises:
        OSError: one of them cannot be read.
    """
    book = Book(lens.price, lambda _usage: None)
    for path in with_subagents(paths):
        for learned in read_whole(path):
            book.add(map(lens.place, learned.usages))
    postings = [_posted(each) for each in book.messages() if _takes(chosen, each.usage)]
    if by == "call":
        return _calls(by, (), postings)
    if by == "tool":
        return _rows(by, {}, _tool_sums(postings))
    rows = _rows(by, {}, _value_sums(by, postings))
    return [_with_agent(row, _agents(postings)) for row in rows] if by == "subagent" else rows


def _posted(booked: Booked) -> Posting:
    cost = Cost(usd=None, prices="")
    given = parts(booked.usage, booked.amount)
    return Posting(usage=booked.usage, amount=booked.amount, cost=cost, parts=given)


def of_hours(connection: sqlite3.Connection, by: str, chosen: Chosen, most: int) -> list[Row]:
    """Return the dearest so many groups of whole hours, as far as they are on record."""
    return _known(connection, by, _rows(by, usage_query.hourly(connection, by, chosen, most), {}))


def total(rows: Iterable[Row]) -> Amount:
    """Return what some groups come to."""
    whole = Amount()
    for row in rows:
        whole += row.amount
    return whole


def beyond(connection: sqlite3.Connection, lens: Lens) -> tuple[list[Posting], list[HostTotal]]:
    """Return what the known transcripts hold that is not on record yet."""
    readings = {each.path: each for each in usage_rows.readings(connection)}
    book = Book(lens.price, lambda usage: known(connection, usage))
    found: list[Posting] = []
    totals: list[HostTotal] = []
    for path in with_subagents(list(readings)):
        reading = readings.get(path) or unread(path)
        more = is_unread(reading)
        while more:
            try:
                learned = read_next(reading)
            except OSError:
                break  # It is gone: the host removes what is old.
            found += book.add(map(lens.place, learned.usages))
            totals += learned.totals
            reading, more = learned.reading, learned.more
    return found, totals


def _known(
    connection: sqlite3.Connection, by: str, rows: list[Row], of: _Agents | None = None
) -> list[Row]:
    """Return the same rows; those of subagents with what is known of them."""
    if by != "subagent":
        return rows
    known = {**(of or {})}
    known.update(usage_query.subagents(connection, (row.key for row in rows if row.key)))
    return [_with_agent(row, known) for row in rows]


def _takes(chosen: Chosen, usage: Usage) -> bool:
    return chosen.takes(usage.session, usage.repository, usage.at_ns)


def _value_sums(by: str, postings: Iterable[Posting]) -> Sums:
    sums: Sums = {}
    for posting in postings:
        value = _value(by, posting.usage)
        sums[value] = sums.get(value, Amount()) + posting.amount
    return sums


def _value(by: str, usage: Usage) -> str:
    if by == "day":
        return str(usage.at_ns // (usage_rows.HOUR_NS * usage_query.DAY_HOURS))
    return dimension_values(usage)[by] if by in DIMENSIONS else ""


def _tool_sums(postings: Iterable[Posting]) -> Sums:
    sums: Sums = {}
    for posting in postings:
        for part in posting.parts:
            sums[part.tool] = sums.get(part.tool, Amount()) + part.amount
    return sums


def _add_calls(sums: Sums, messages: Iterable[usage_query.Message]) -> None:
    for message in messages:
        for part in shared(message.calls, message.amount):
            sums[part.tool] = sums.get(part.tool, Amount()) + part.amount


def _calls(
    by: str, messages: Iterable[usage_query.Message], postings: Iterable[Posting]
) -> list[Row]:
    """Return the groups by tool call, or by its tool, from whole messages."""
    sums: dict[str, Amount] = {}
    about: dict[str, _Call] = {}

    def add(part: Part, session: str) -> None:
        key = part.call if by == "call" else part.tool
        sums[key] = sums.get(key, Amount()) + part.amount
        about.setdefault(key, _Call(part.tool, session))

    for message in messages:
        for part in shared(message.calls, message.amount):
            add(part, message.session)
    for posting in postings:
        for part in posting.parts:
            add(part, posting.usage.session)
    rows = _rows(by, sums, {})
    if by == "tool":
        return rows
    return [
        Row(key=row.key, amount=row.amount, more=_of_call(about[row.key or ""], row.key))
        for row in rows
    ]


def _of_call(call: _Call, key: str | None) -> dict[str, Any]:
    # What was used for no call is that of many sessions.
    return {"tool": call.tool or None, "session": call.session if key else None}


def _agents(postings: Iterable[Posting]) -> _Agents:
    return {each.usage.agent_id: (each.usage.agent_type, each.usage.session) for each in postings}


def _with_agent(row: Row, of: _Agents) -> Row:
    agent, session = of.get(row.key, (row.key if row.key == usage_rows.MAIN else None, None))
    return Row(key=row.key, amount=row.amount, more={"agent": agent, "session": session})


def _rows(by: str, sums: Sums, more: Sums) -> list[Row]:
    """Return the groups: days in their order, all others the dearest first."""
    whole = dict(sums)
    for value, figures in more.items():
        whole[value] = whole.get(value, Amount()) + figures
    rows = [Row(key=_shown(by, value), amount=each) for value, each in whole.items() if each]
    if by == "day":
        return sorted(rows, key=lambda row: row.key or "")
    return sorted(rows, key=_weight)


def _weight(row: Row) -> tuple[Any, ...]:
    return -row.amount.usd_nano, -row.amount.tokens, row.key or ""


def _shown(by: str, value: str) -> str | None:
    if by == "day":
        return (_EPOCH + timedelta(days=int(value))).isoformat()
    if by == "total":
        return "total"
    return value or None
