"""How long the pages' questions take on ledgers of a hundred thousand to ten million events."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench.figures import BenchError, Figure, median, rounded
from bench.rig import Effort, Rig, rig
from pointsman.cost.posting import Book
from pointsman.model.decision import NO_OPINION, Action, Decision
from pointsman.model.event import Identity
from pointsman.model.events import PostToolUse, PreToolUse
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.model.usage import Cost, Usage
from pointsman.store import agent_counts, browse, event_count, query, summary, usage_rows
from pointsman.store.agent_days import DAY_NS
from pointsman.store.ledger import Ledger
from pointsman.store.query import Filter
from pointsman.store.record import Record
from pointsman.store.signed_state import signed_state
from pointsman.web import cost_api, hooks_api

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
    "agent_runs": ("first_ns - :start", {"first_ns": ":later", "last_ns": ":later"}),
    "answer_hours": ("hour - :hour", {"hour": ":hours"}),
    "usage_hours": ("hour - :hour", {"hour": ":hours"}),
    "usage_days": ("day - :day", {"day": ":days"}),
    "hook_days": ("day - :day", {"day": ":days"}),
    "agent_days": ("day - :day", {"day": ":days", "last_ns": ":later"}),
    "hook_decisions": ("day - :day", {"day": ":days"}),
    "hour_seqs": (
        "hour - :hour",
        {"hour": ":hours", "first_seq": ":by", "last_seq": ":by"},
    ),
}
"""By table: what counts the rows of the first day, and what a copy adds to which column."""
_FIRST = {
    "seq": _DAY, "last_seq": _DAY, "hour - :hour": 23, "day - :day": 0,
    "first_ns - :start": DAY_NS - 1,
}  # fmt: skip
_NAMED = {
    "session": "session || :copy",
    "value": "CASE dimension WHEN 'session' THEN value || :copy ELSE value END",
}
"""What a copy has names of its own for."""
Ask = Callable[[sqlite3.Connection, int], object]
_HOUR = DAY_NS // 24


def _agents(connection: sqlite3.Connection, now: int, days: int) -> object:
    since = now - days * DAY_NS
    first = next(iter(agent_counts.repositories(connection)))
    return [agent_counts.outcomes(connection, by, since, first) for by in agent_counts.GROUPS]


def _session(connection: sqlite3.Connection, _now: int) -> object:
    rows = browse.page(connection, Filter(session="s-7"), "", None, 3000).rows
    return rows and (
        agent_counts.of_session(connection, "s-7"),
        event_count.of_session(connection, "s-7"),
    )


def _cost(by: str, hours: int) -> Ask:
    return lambda connection, now: cost_api.page(connection, by, (hours, now // _HOUR), None)[
        "rows"
    ]


PAGES: dict[str, Ask] = {
    "now, 2 hours": lambda one, now: (
        browse.page(one, Filter(since=now - 2 * _HOUR), "", None, 400).rows
    ),
    "one session": _session,
    "sessions, latest 300": lambda one, _now: summary.sessions(one, 301),
    "agents, 7 days": lambda one, now: _agents(one, now, 7),
    "agents, 30 days": lambda one, now: _agents(one, now, 30),
    "rules, 7 days": lambda one, now: summary.counts_by(one, "rule", now - 7 * DAY_NS),
    "tools by hour, 7 days": lambda one, now: summary.series(one, "tool", now - 7 * DAY_NS),
    "hooks, 24 hours": lambda one, now: hooks_api.figures(one, 24, now)["hooks"],
    "hooks, 30 days": lambda one, now: hooks_api.figures(one, 720, now)["hooks"],
    "cost by model, 24 hours": _cost("model", 24),
    "cost by model, 90 days": _cost("model", 2160),
    "cost by session, 7 days": _cost("session", 168),
    "cost by session, 90 days": _cost("session", 2160),
    "cost by subagent, 90 days": _cost("subagent", 2160),
    "ledger, newest 200": lambda one, _now: browse.page(one, Filter(), "", None, 200).rows,
    "ledger, one tool, counted": lambda one, _now: (
        browse.page(one, Filter(tool="Tool3"), "", None, 200),
        browse.count(one, Filter(tool="Tool3", decision="deny")),
    ),
    "ledger, a file that nobody named": lambda one, _now: browse.page(
        one, Filter(path="/nowhere"), "", None, 200
    ),
    "ledger, signed": signed_state,
}
"""The questions of each page, as the page asks them."""


def pages(effort: Effort) -> list[Figure]:
    """Ask each page's question of each ledger; the slowest one's median is the figure."""
    return [_measured(size, effort.of(9, 3)) for size in SIZES[: effort.of(3, 1)]]


def _measured(size: int, rounds: int) -> Figure:
    medians: dict[str, float] = {}
    with rig() as made:
        now = fill(made, size)
        for name, ask in PAGES.items():
            if not _asked(ask, made.places.ledger, now):
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


def _asked(ask: Ask, ledger: Path, now: int) -> object:
    with query.opened(ledger) as connection:
        return ask(connection, now)


def _ms(ask: Ask, ledger: Path, now: int) -> float:
    started = time.perf_counter()
    _asked(ask, ledger, now)
    return (time.perf_counter() - started) * 1000


def fill(made: Rig, size: int) -> int:
    """Put so many events on record, ``_DAY`` of them a day; return the time of the last."""
    made.places.state.mkdir(mode=0o700)
    days = size // _DAY
    start = (time.time_ns() // DAY_NS - days) * DAY_NS
    ledger = Ledger.open(made.places.ledger)
    for first in range(0, _DAY, 500):
        ledger.append([_record(made, n, start) for n in range(first, first + 500)])
    _use(made, ledger, start)
    ledger.close()
    with closing(sqlite3.connect(made.places.ledger, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for copy in range(1, days):
            _copy(connection, copy, start)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return start + days * DAY_NS


def _use(made: Rig, ledger: Ledger, start: int) -> None:
    """Have the agents of the first day say something with every twentieth event."""
    names = ("host", "session", "agent_id", "agent_type", "repository")
    usages = []
    for number in range(0, _DAY, 20):
        event = _record(made, number, start).event
        who = {name: getattr(event.identity, name) for name in names}
        usages.append(
            Usage(
                **who, message_id=f"m-{number}", model=f"model-{number % 3}", role="worker",
                at_ns=event.received_ns, input_tokens=number % 9000, output_tokens=number % 700,
                calls=(f"t-{number}",), tools=(event.tool,), final=True,
            )
        )  # fmt: skip
    with ledger.writing() as connection:
        book = Book(lambda one: Cost(usd=one.output_tokens / 1e5, prices="bench"), lambda _: None)
        usage_rows.write(connection, book.add(usages), start)


def _copy(connection: sqlite3.Connection, copy: int, start: int) -> None:
    """Have the first day once more, so many days later, with sessions of its own."""
    given = {
        "by": copy * _DAY, "later": copy * DAY_NS, "hours": 24 * copy, "days": copy,
        "hour": start // (DAY_NS // 24), "day": start // DAY_NS, "start": start, "copy": f"-{copy}",
    }  # fmt: skip
    connection.execute("BEGIN")
    for table, (counted, shifts) in _SHIFTS.items():
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        values = [f"{name} + {shifts[name]}" if name in shifts else name for name in names]
        shown = ", ".join(_NAMED.get(each, each) for each in values)
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
