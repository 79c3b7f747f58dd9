"""Counts that are kept while events are written, so that no page has to go through them all.

They are part of the writer's transaction: no event is on record that they do not hold, and what
retention deletes they give back. Each dimension has its own narrow rows, by hour; a hook's runs
are a histogram by day. Only whole numbers and ``ON CONFLICT … DO UPDATE``: any SQL store has them.

Hours count rows, as a query does. Sessions and agents count calls: what became of one is counted
once, however many events were derived from it.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

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
Row = Sequence[Any]
_Count = Callable[[Row], list[int]]
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
    agents = _agents(events, sign)
    return [
        (_HOURS, _hours(events, sign)),
        (_SEQS, _seqs(events) if sign > 0 else []),
        (_SESSIONS, _sessions(events, sign)),
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


def _counted(row: Row) -> list[int]:
    """Return what one event adds to each of ``COUNTS``."""
    event = row[3]
    counts = [1, int(event == "PreToolUse"), 0, 0, 0, 0, int(event in _FAILURES), row[21]]
    place = _ACTIONS.get(row[15])
    if place is not None:
        counts[place] = 1
    return counts


def _called(row: Row) -> list[int]:
    """Return what one event adds to the counts of its agent: decisions are those about calls."""
    counts = _counted(row)
    if not _is_call(row):
        counts[2:6] = [0, 0, 0, 0]
    return counts


def _undue(row: Row) -> list[int]:
    """Return what older counts have too much of one event."""
    counts = _counted(row)
    return [0, 0, *([0] * 4 if _is_call(row) else counts[2:6]), 0, 0]


def _is_call(row: Row) -> bool:
    """Whether it is a call itself: an edit that was denied with it, and a finding, are none."""
    return bool(row[3] == "PreToolUse" and row[23] != _DERIVED)


def corrected(events: Sequence[Row], runs: Sequence[Row]) -> list[Statement]:
    """Return what brings older counts of these rows to what is counted today.

    Before schema 6 decisions about what was derived from a call counted like that about the call,
    findings counted as answers, and nothing told what hooks decided, or which numbers an hour has.
    """
    wrong = [row for row in events if any(_undue(row))]
    agents = _agents(wrong, -1, _undue)
    found = [row for row in events if row[23] == _DERIVED and row[27] is None]
    return [
        (_SEQS, _seqs(events)),
        (_SESSIONS, _sessions(wrong, -1, _undue)),
        *agent_days.around(agents, [(_AGENTS, agents)]),
        (_ANSWERS, _lengths(found, -1)),
        (_DECISIONS, _decided(runs, 1)),
    ]


def _hours(events: Iterable[Row], sign: int) -> list[Row]:
    counted: dict[tuple[str, int, str], list[int]] = {}
    for row in events:
        counts, hour = _counted(row), row[1] // HOUR_NS
        agent = row[6] or ("main" if row[5] is None else UNNAMED)
        for dimension, value in (
            ("all", ""), ("host", row[2]), ("event", row[3]), ("tool", row[10]), ("agent", agent),
            ("repository", row[13]), ("rule", row[16]),
        ):  # fmt: skip
            if value or dimension == "all":
                _add(counted.setdefault((dimension, hour, value), [0] * 8), counts, sign)
    return [(*key, *counts) for key, counts in counted.items()]


def _seqs(events: Iterable[Row]) -> list[Row]:
    found: dict[int, list[int]] = {}
    for row in events:
        known = found.setdefault(row[1] // HOUR_NS, [row[0], row[0]])
        known[0], known[1] = min(known[0], row[0]), max(known[1], row[0])
    return [(hour, *known) for hour, known in found.items()]


def _sessions(events: Iterable[Row], sign: int, count: _Count = _called) -> list[Row]:
    counted: dict[str, list[int]] = {}
    about: dict[str, list[Any]] = {}
    for row in events:
        session, received, seq = row[4], row[1], row[0]
        if not session:
            continue
        known = about.setdefault(session, [row[2], row[13] or "", received, received, seq])
        known[1] = known[1] or row[13] or ""
        # The clock may have gone back: the first row need not be the earliest.
        known[2], known[3] = min(known[2], received), max(known[3], received)
        known[4] = max(known[4], seq)
        _add(counted.setdefault(session, [0] * 8), count(row), sign)
    return [(session, *about[session], *counts) for session, counts in counted.items()]


def _agents(events: Iterable[Row], sign: int, count: _Count = _called) -> list[Row]:
    counted: dict[tuple[str, str], list[int]] = {}
    about: dict[tuple[str, str], list[Any]] = {}
    for row in events:
        key, received = (row[4], row[5] or ""), row[1]
        if not key[0]:
            continue
        texts = [row[6] or "", row[7] or "", row[13] or ""]
        known = about.setdefault(key, [1, *texts, "", "", received, received, 0])
        known[1:4] = [was or now for was, now in zip(known[1:], texts, strict=False)]
        known[6], known[7] = min(known[6], received), max(known[7], received)
        if row[3] in _ENDS:
            known[8] = max(known[8], row[0])
        _add(counted.setdefault(key, [0] * 8), count(row), sign)
    return [(*key, *about[key], *counts) for key, counts in counted.items()]


def _answers(events: Iterable[Row], sign: int) -> list[Row]:
    """Return how long answers took: what is derived from an event had none."""
    return _lengths([row for row in events if row[23] != _DERIVED], sign)


def _lengths(events: Iterable[Row], sign: int) -> list[Row]:
    counted: dict[tuple[int, int], list[int]] = {}
    for row in events:
        key = (row[1] // HOUR_NS, length_bucket(row[21]))
        _add(counted.setdefault(key, [0, 0]), (1, row[21]), sign)
    return [(*key, *counts) for key, counts in counted.items()]


def _hooks(runs: Iterable[Row], sign: int) -> list[Row]:
    counted: Counter[tuple[Any, ...]] = Counter()
    lengths: Counter[tuple[Any, ...]] = Counter()
    for row in runs:
        _seq, _n, hook, role, event, started, duration, outcome, budget = row[:9]
        key = (started // DAY_NS, hook, event, role, outcome, budget, length_bucket(duration))
        counted[key] += sign
        lengths[key] += sign * duration
    return [(*key, n, lengths[key]) for key, n in counted.items()]


def _decided(runs: Iterable[Row], sign: int) -> list[Row]:
    counted: Counter[tuple[Any, ...]] = Counter()
    for row in runs:
        if row[10] != NO_DECISION:
            counted[row[5] // DAY_NS, row[2], row[4], row[10]] += sign
    return [(*key, n) for key, n in counted.items()]


def _add(total: list[int], counts: Sequence[int], sign: int) -> None:
    for place, count in enumerate(counts):
        total[place] += sign * count
