"""How long the pages' questions take on ledgers of a hundred thousand to ten million events."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench.figures import BenchError, Figure, median, rounded
from bench.rig import Effort, Rig, rig
from pointsman.model.decision import NO_OPINION, Action, Decision
from pointsman.model.event import Identity
from pointsman.model.events import PostToolUse, PreToolUse
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.store import query, summary
from pointsman.store.ledger import Ledger
from pointsman.store.query import Filter
from pointsman.store.record import Record
from pointsman.store.rollups import DAY_NS

SIZES = (100_000, 1_000_000, 10_000_000)
_GOAL = 50.0
"""Milliseconds in which each page answers, whatever the ledger's size."""
_DAY = 100_000
"""Events of one day: made one by one for the first, copied for the others."""
_SHIFTS = {
    "events": ("seq", {"seq": ":by", "received_ns": ":later"}),
    "hook_runs": ("seq", {"seq": ":by", "started_ns": ":later"}),
    "event_hours": ("hour - :hour", {"hour": ":hours"}),
    "sessions": ("last_seq", {"last_seq": ":by", "first_ns": ":later", "last_ns": ":later"}),
    "hook_days": ("day - :day", {"day": ":days"}),
}
"""By table: what counts the rows of the first day, and what a copy adds to which column."""
_FIRST = {"seq": _DAY, "last_seq": _DAY, "hour - :hour": 23, "day - :day": 0}
Ask = Callable[[Path, int], object]
PAGES: dict[str, Ask] = {
    "now, newest 100": lambda ledger, _now: list(query.query(ledger, Filter(), 100)),
    "one session": lambda ledger, _now: list(query.query(ledger, Filter(session="s-7"), 500)),
    "sessions, latest 100": lambda ledger, _now: summary.sessions(ledger),
    "agents, all time": lambda ledger, _now: summary.counts_by(ledger, "agent"),
    "rules, 7 days": lambda ledger, now: summary.counts_by(ledger, "rule", now - 7 * DAY_NS),
    "tools by hour, 7 days": lambda ledger, now: summary.series(ledger, "tool", now - 7 * DAY_NS),
    "hooks, 30 days": lambda ledger, now: summary.hook_runs(ledger, now - 30 * DAY_NS),
}
"""One question of each page, as the page asks it."""


def pages(effort: Effort) -> list[Figure]:
    """Ask each page's question of each ledger; the slowest one's median is the figure."""
    return [_measured(size, effort.of(9, 3)) for size in SIZES[: effort.of(3, 1)]]


def _measured(size: int, rounds: int) -> Figure:
    medians: dict[str, float] = {}
    with rig() as made:
        now = fill(made, size)
        for name, ask in PAGES.items():
            if not ask(made.places.ledger, now):
                raise BenchError(f"{name}: nothing was found in {size} events")
            medians[name] = median([_ms(ask, made.places.ledger, now) for _ in range(rounds)])
    slowest = max(medians, key=lambda name: medians[name])
    return Figure(
        name=f"pages at {size} events",
        what="the slowest page's question, median of several; the others' beside it",
        unit="ms",
        value=medians[slowest],
        goal=_GOAL,
        detail={"slowest": slowest, **{name: rounded(value) for name, value in medians.items()}},
    )


def _ms(ask: Ask, ledger: Path, now: int) -> float:
    started = time.perf_counter()
    ask(ledger, now)
    return (time.perf_counter() - started) * 1000


def fill(made: Rig, size: int) -> int:
    """Put so many events on record, ``_DAY`` of them a day; return the time of the last."""
    made.places.state.mkdir(mode=0o700)
    days = size // _DAY
    start = (time.time_ns() // DAY_NS - days) * DAY_NS
    ledger = Ledger.open(made.places.ledger)
    for first in range(0, _DAY, 500):
        ledger.append([_record(made, n, start) for n in range(first, first + 500)])
    ledger.close()
    with closing(sqlite3.connect(made.places.ledger, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for copy in range(1, days):
            _copy(connection, copy, start)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return start + days * DAY_NS


def _copy(connection: sqlite3.Connection, copy: int, start: int) -> None:
    """Have the first day once more, so many days later, with sessions of its own."""
    given = {
        "by": copy * _DAY, "later": copy * DAY_NS, "hours": 24 * copy, "days": copy,
        "hour": start // (DAY_NS // 24), "day": start // DAY_NS, "copy": f"-{copy}",
    }  # fmt: skip
    connection.execute("BEGIN")
    for table, (counted, shifts) in _SHIFTS.items():
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        values = [f"{name} + {shifts[name]}" if name in shifts else name for name in names]
        shown = ", ".join("session || :copy" if each == "session" else each for each in values)
        connection.execute(
            f"INSERT INTO {table} SELECT {shown} FROM {table} WHERE {counted} <= {_FIRST[counted]}",
            given,
        )
    connection.execute("COMMIT")


def _record(made: Rig, number: int, start: int) -> Record:
    """Return an event of a day on which twenty agents work with a dozen tools."""
    where = str(made.repository)
    at = start + number * (DAY_NS // _DAY)
    agent = number // 50 % 20
    who = Identity(
        host="claude-code", session=f"s-{number // 400}", cwd=where, repository=where,
        prompt_id=f"p-{number // 40}", tool_use_id=f"toolu_{number // 2}",
        agent_id=f"a-{agent}" if agent else None, agent_type=f"agent-{agent}" if agent else None,
    )  # fmt: skip
    kind = PostToolUse if number % 2 else PreToolUse
    event = kind(
        identity=who, received_ns=at, tool_name=f"Tool{number // 2 % 12}",
        tool_input={"file_path": f"{where}/src/{number % 97}.py"},
    )  # fmt: skip
    runs = tuple(
        HookRun(
            hook=f"hook-{n}", role=Role.GUARD, kind=event.kind, started_ns=at, budget=10.0,
            duration_ns=1000 * (1 + (number * 7919 + n * 104729) % 5000),
            outcome=Outcome.NO_OPINION,
        )
        for n in range(3 if number % 2 else 8)
    )  # fmt: skip
    denied = Decision(action=Action.DENY, reason="no", rule=f"rule.{number % 40}")
    decision = denied if number % 50 == 0 else NO_OPINION
    return Record(event=event, decision=decision, runs=runs, duration_ns=200_000)
