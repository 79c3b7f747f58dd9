"""Counts that are kept while events are written, so that no page has to go through them all.

They are part of the writer's transaction: no event is on record that they do not hold, and what
retention deletes they give back. Each dimension has its own narrow rows, by hour; a hook's runs
are a histogram by day. Only whole numbers and ``ON CONFLICT … DO UPDATE``: any SQL store has them.

Hours count rows, as a query does. Sessions and agents count calls: what became of one is counted
once, however many events were derived from it.
"""

import sqlite3
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from operator import add, itemgetter
from typing import Any, TypeVar

from pointsman.model.hook_runs import length_bucket
from pointsman.store import agent_days
from pointsman.store.agent_days import COUNTS, DAY_NS, UNNAMED
from pointsman.store.record import NO_DECISION

HOUR_NS = 3600 * 10**9
DIMENSIONS = ("all", "host", "event", "tool", "agent", "repository", "rule")
"""What events are counted by; ``all`` has the one value ``""``."""
_ACTIONS = {"allow": 2, "deny": 3, "ask": 4, "modify": 5}
_ENDS = frozenset({"SessionEnd", "SubagentStop"})
"""Events that say that an agent is over."""
_FAILURES = frozenset({"PostToolUseFailure", "StopFailure"})
_DERIVED = "derived"
"""The transport of what no host has delivered."""
_Key = TypeVar("_Key", bound=Hashable)
Row = Sequence[Any]
Statement = tuple[str, Sequence[Row]]


def _upsert(table: str, keys: str, more: str, counted: Sequence[str], kept: str = "") -> str:
    names = ", ".join((keys, *([more] if more else []), *counted))
    marks = ", ".join("?" * len(names.split(", ")))
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in counted)
    return (
        f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own
        f" ON CONFLICT ({keys}) DO UPDATE SET {added}{kept}"
    )


def _further(table: str, name: str, side: str) -> str:
    # Not min() or max(): of two values that is a function in one store, and an error in the next.
    return (
        f", {name} = CASE WHEN excluded.{name} {side} {table}.{name}"
        f" THEN excluded.{name} ELSE {table}.{name} END"
    )


def _first_known(table: str, name: str) -> str:
    return f", {name} = CASE WHEN {table}.{name} = '' THEN excluded.{name} ELSE {table}.{name} END"


_HOURS = _upsert("event_hours", "dimension, hour, value", "", COUNTS)
_SESSIONS = _upsert(
    "sessions", "session", "host, repository, first_ns, last_ns, last_seq", COUNTS,
    _further("sessions", "first_ns", "<") + _further("sessions", "last_ns", ">")
    + _further("sessions", "last_seq", ">") + _first_known("sessions", "repository"),
)  # fmt: skip
_AGENTS = _upsert(
    "agent_runs", "session, agent_id",
    "counted, agent_type, parent, repository, model, role, first_ns, last_ns, ended_seq", COUNTS,
    _further("agent_runs", "first_ns", "<") + _further("agent_runs", "last_ns", ">")
    + _further("agent_runs", "ended_seq", ">") + ", counted = 1"
    + "".join(_first_known("agent_runs", each) for each in ("agent_type", "parent", "repository")),
)  # fmt: skip
_SEQS = (
    "INSERT INTO hour_seqs (hour, first_seq, last_seq) VALUES (?, ?, ?)"  # noqa: S608 - ours
    " ON CONFLICT (hour) DO UPDATE SET hour = hour_seqs.hour"
    + _further("hour_seqs", "first_seq", "<") + _further("hour_seqs", "last_seq", ">")
)  # fmt: skip
_ANSWERS = _upsert("answer_hours", "hour, bucket", "", ("answers", "duration_ns"))
_HOOKS = _upsert(
    "hook_days", "day, hook, event, role, outcome, budget_ms, bucket", "", ("runs", "duration_ns")
)
_DECISIONS = _upsert("hook_decisions", "day, hook, event, decision", "", ("runs",))
_EMPTIED = (
    "DELETE FROM event_hours WHERE events <= 0",
    "DELETE FROM sessions WHERE events <= 0",
    "DELETE FROM agent_runs WHERE events <= 0",
    agent_days.EMPTIED,
    "DELETE FROM answer_hours WHERE answers <= 0",
    "DELETE FROM hook_days WHERE runs <= 0",
    "DELETE FROM hook_decisions WHERE runs <= 0",
)


def statements(events: Sequence[Row], runs: Sequence[Row], sign: int = 1) -> list[Statement]:
    """Return what adds these rows to the counts; with ``sign`` -1, what takes them away.

    Rows are those of ``store/record.py``, in the order of their tables' columns.
    """
    alike = _alike(events)
    agents = _agents(alike, sign)
    return [
        (_HOURS, _hours(alike, sign)),
        (_SEQS, _seqs(events) if sign > 0 else []),
        (_SESSIONS, _sessions(alike, sign)),
        *agent_days.around(agents, [(_AGENTS, agents)]),
        (_ANSWERS, _answers(events, sign)),
        (_HOOKS, _hooks(runs, sign)),
        (_DECISIONS, _decided(runs, sign)),
    ]


def carry_out(connection: sqlite3.Connection, these: Iterable[Statement]) -> None:
    """Carry out statements, each for all of its rows."""
    for statement, rows in these:
        if rows:
            connection.executemany(statement, rows)


def give_back(
    connection: sqlite3.Connection, seqs: Sequence[Sequence[int]], *, last: bool
) -> list[Statement]:
    """Take the events of these numbers, which are about to be deleted, from the counts.

    With the ``last`` of them the rows that count nothing any more are taken away: that goes
    through them all. Returns the statements that took them.
    """
    events, runs = [], []
    for seq in seqs:
        events += connection.execute("SELECT * FROM events WHERE seq = ?", seq).fetchall()
        runs += connection.execute("SELECT * FROM hook_runs WHERE seq = ?", seq).fetchall()
    taken = statements(events, runs, sign=-1)
    carry_out(connection, taken)
    for emptied in _EMPTIED if last else ():
        connection.execute(emptied)
    return taken


@dataclass(slots=True)
class _Alike:
    """Events that all counts but the histograms take for the same: those of a batch are few."""

    hour: int
    host: str
    event: str
    session: str
    agent_id: str | None
    agent_type: str | None
    parent: str | None
    tool: str
    repository: str | None
    decision: str
    rule: str
    transport: str
    first_ns: int = 0
    last_ns: int = 0
    last_seq: int = 0
    number: int = 0
    duration_ns: int = 0

    def counts(self, sign: int) -> list[int]:
        """Return what they add to each of ``COUNTS``."""
        n = sign * self.number
        counts = [n, 0, 0, 0, 0, 0, 0, sign * self.duration_ns]
        if self.event == "PreToolUse":
            counts[1] = n
        place = _ACTIONS.get(self.decision)
        if place is not None:
            counts[place] = n
        if self.event in _FAILURES:
            counts[6] = n
        return counts

    def called(self, sign: int) -> list[int]:
        """Return what they add to the counts of their agent: decisions are those about calls."""
        counts = self.counts(sign)
        if not self._are_calls:
            counts[2:6] = [0, 0, 0, 0]
        return counts

    def undue(self, sign: int) -> list[int]:
        """Return what older counts have too much of them."""
        decided = [0] * 4 if self._are_calls else self.counts(sign)[2:6]
        return [0, 0, *decided, 0, 0]

    @property
    def _are_calls(self) -> bool:
        """Whether they are calls: an edit that was denied with one, and a finding, are none."""
        return self.event == "PreToolUse" and self.transport != _DERIVED


_Count = Callable[[_Alike, int], list[int]]
_SAME = itemgetter(2, 3, 4, 5, 6, 7, 10, 13, 15, 16, 23)
"""The columns of an event that tell which of ``_Alike`` it is, beside its hour."""


def corrected(events: Sequence[Row], runs: Sequence[Row]) -> list[Statement]:
    """Return what brings older counts of these rows to what is counted today.

    Before schema 6 decisions about what was derived from a call counted like that about the call,
    findings counted as answers, and nothing told what hooks decided, or which numbers an hour has.
    """
    wrong = [one for one in _alike(events) if any(one.undue(1))]
    agents = _agents(wrong, -1, _Alike.undue)
    found = [row for row in events if row[23] == _DERIVED and row[27] is None]
    return [
        (_SEQS, _seqs(events)),
        (_SESSIONS, _sessions(wrong, -1, _Alike.undue)),
        *agent_days.around(agents, [(_AGENTS, agents)]),
        (_ANSWERS, _lengths(found, -1)),
        (_DECISIONS, _decided(runs, 1)),
    ]


def _alike(events: Iterable[Row]) -> list[_Alike]:
    found: dict[tuple[Any, ...], _Alike] = {}
    for row in events:
        seq, received = row[0], row[1]
        key: tuple[Any, ...] = (received // HOUR_NS, *_SAME(row))
        group = found.get(key)
        if group is None:
            group = found[key] = _Alike(*key)
            group.first_ns = group.last_ns = received
        # The clock may have gone back: the first row need not be the earliest.
        elif received < group.first_ns:
            group.first_ns = received
        elif received > group.last_ns:
            group.last_ns = received
        group.last_seq = max(group.last_seq, seq)
        group.number += 1
        group.duration_ns += row[21]
    return list(found.values())


def _hours(events: Iterable[_Alike], sign: int) -> list[Row]:
    counted: dict[tuple[str, int, str], list[int]] = {}
    for one in events:
        counts, hour = one.counts(sign), one.hour
        agent = one.agent_type or ("main" if one.agent_id is None else UNNAMED)
        for dimension, value in (
            ("all", ""), ("host", one.host), ("event", one.event), ("tool", one.tool),
            ("agent", agent), ("repository", one.repository), ("rule", one.rule),
        ):  # fmt: skip
            if value or dimension == "all":
                _add(counted, (dimension, hour, value or ""), counts)
    return [(*key, *counts) for key, counts in counted.items()]


def _seqs(events: Iterable[Row]) -> list[Row]:
    found: dict[int, list[int]] = {}
    for row in events:
        known = found.setdefault(row[1] // HOUR_NS, [row[0], row[0]])
        known[0], known[1] = min(known[0], row[0]), max(known[1], row[0])
    return [(hour, *known) for hour, known in found.items()]


def _sessions(events: Iterable[_Alike], sign: int, count: _Count = _Alike.called) -> list[Row]:
    counted: dict[str, list[int]] = {}
    about: dict[str, list[Any]] = {}
    for one in events:
        session = one.session
        if not session:
            continue
        spread = (one.first_ns, one.last_ns, one.last_seq)
        known = about.setdefault(session, [one.host, one.repository or "", *spread])
        known[1] = known[1] or one.repository or ""
        known[2], known[3] = min(known[2], one.first_ns), max(known[3], one.last_ns)
        known[4] = max(known[4], one.last_seq)
        _add(counted, session, count(one, sign))
    return [(session, *about[session], *counts) for session, counts in counted.items()]


def _agents(events: Iterable[_Alike], sign: int, count: _Count = _Alike.called) -> list[Row]:
    counted: dict[tuple[str, str], list[int]] = {}
    about: dict[tuple[str, str], list[Any]] = {}
    for one in events:
        key = (one.session, one.agent_id or "")
        if not key[0]:
            continue
        texts = [one.agent_type or "", one.parent or "", one.repository or ""]
        known = about.setdefault(key, [1, *texts, "", "", one.first_ns, one.last_ns, 0])
        known[1:4] = [was or now for was, now in zip(known[1:], texts, strict=False)]
        known[6], known[7] = min(known[6], one.first_ns), max(known[7], one.last_ns)
        if one.event in _ENDS:
            known[8] = max(known[8], one.last_seq)
        _add(counted, key, count(one, sign))
    return [(*key, *about[key], *counts) for key, counts in counted.items()]


def _answers(events: Iterable[Row], sign: int) -> list[Row]:
    """Return how long answers took: what is derived from an event had none."""
    return _lengths([row for row in events if row[23] != _DERIVED], sign)


def _lengths(events: Iterable[Row], sign: int) -> list[Row]:
    counted: dict[tuple[int, int], list[int]] = {}
    for row in events:
        key = (row[1] // HOUR_NS, length_bucket(row[21]))
        _add(counted, key, (sign, sign * row[21]))
    return [(*key, *counts) for key, counts in counted.items()]


def _hooks(runs: Iterable[Row], sign: int) -> list[Row]:
    counted: dict[tuple[Any, ...], list[int]] = {}
    for row in runs:
        _seq, _n, hook, role, event, started, duration, outcome, budget = row[:9]
        key = (started // DAY_NS, hook, event, role, outcome, budget, length_bucket(duration))
        _add(counted, key, (sign, sign * duration))
    return [(*key, *counts) for key, counts in counted.items()]


def _decided(runs: Iterable[Row], sign: int) -> list[Row]:
    counted: dict[tuple[Any, ...], list[int]] = {}
    for row in runs:
        if row[10] != NO_DECISION:
            _add(counted, (row[5] // DAY_NS, row[2], row[4], row[10]), (sign,))
    return [(*key, *counts) for key, counts in counted.items()]


def _add(totals: dict[_Key, list[int]], key: _Key, counts: Sequence[int]) -> None:
    total = totals.get(key)
    if total is None:
        totals[key] = list(counts)
    else:
        totals[key] = list(map(add, total, counts))
