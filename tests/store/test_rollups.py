"""The counts say at any time what going through every event would say."""

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.model.answer import Answer
from pointsman.model.decision import NO_OPINION, Action, Decision
from pointsman.model.errors import LedgerError
from pointsman.model.event import Event, Identity
from pointsman.model.events import PostToolUseFailure, PreToolUse, Stop
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.model.hook_runs import bucket_end, length_bucket
from pointsman.store import summary
from pointsman.store.ledger import Ledger
from pointsman.store.migrate import scripts
from pointsman.store.query import opened
from pointsman.store.record import Record
from pointsman.store.rollups import DIMENSIONS, HOUR_NS

TABLES = ("event_hours", "sessions", "hook_days", "agent_runs", "answer_hours")


def event(hour: int, number: int, session: str = "s") -> Event:
    """Return one of a few kinds of event, at some moment of this hour."""
    who = Identity(
        host="claude-code", session=session, cwd="/r", repository="/r" if number % 2 else None,
        agent_id="a" if number % 3 else None, agent_type="builder" if number % 3 == 1 else None,
    )  # fmt: skip
    at = hour * HOUR_NS + number
    tool: dict[str, Any] = {
        "identity": who,
        "received_ns": at,
        "tool_name": "Bash",
        "tool_input": {},
    }
    if number % 4 == 0:
        return Stop(identity=who, received_ns=at)
    return PreToolUse(**tool) if number % 4 == 1 else PostToolUseFailure(**tool)


def record(hour: int, number: int, session: str = "s") -> Record:
    """Return an event with a decision and as many hook runs as its number has threes."""
    given = NO_OPINION
    if number % 5:
        given = Decision(action=list(Action)[number % 4], reason="r", rule=f"rule.{number % 2}")
    runs = tuple(
        HookRun(
            hook=f"hook-{n}", role=Role.GUARD, kind="PreToolUse", started_ns=hour * HOUR_NS,
            duration_ns=number * 1000 * (n + 1), outcome=list(Outcome)[number % 6], budget=0.001,
        )
        for n in range(number % 3)
    )  # fmt: skip
    return Record(
        event=event(hour, number, session), decision=given, runs=runs, answer=Answer(0),
        duration_ns=number,
    )  # fmt: skip


def counted(ledger: Ledger) -> dict[str, list[Any]]:
    """Return every count that is not 0."""
    connection = sqlite3.connect(ledger.path)
    out = {}
    for table in TABLES:
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()
        last = slice(-2, None) if table in {"hook_days", "answer_hours"} else slice(-8, None)
        out[table] = sorted(row for row in rows if any(row[last]))
    connection.close()
    return out


def recounted(ledger: Ledger) -> dict[str, list[Any]]:
    """Return what the migration makes of the rows that are on record: one SQL statement a table."""
    connection = sqlite3.connect(ledger.path)
    copy = sqlite3.connect(":memory:")
    connection.backup(copy)
    connection.close()
    for table in TABLES:
        copy.execute(f"DROP TABLE {table}")
    copy.create_function("length_bucket", 1, length_bucket)
    for text in scripts():
        if "length_bucket" in text:
            copy.executescript(text)
    return {table: sorted(copy.execute(f"SELECT * FROM {table}").fetchall()) for table in TABLES}


@settings(deadline=None, max_examples=25)
@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60), st.sampled_from("abc"))),
        max_size=5,
    ),
    kept=st.integers(0, 30),
)
def test_the_counts_are_those_of_the_rows(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, int, str]]], kept: int
) -> None:
    ledger = Ledger.open(tmp_path_factory.mktemp("rollups") / "ledger.db")
    try:
        for batch in batches:
            seqs = ledger.append([record(*each) for each in batch])
            if seqs:
                ledger.append_runs(seqs[0], 10, record(1, 5).runs)
        assert counted(ledger) == recounted(ledger)
        while ledger.prune(kept * HOUR_NS, batch=3) == 3:
            pass
        pruned, again = counted(ledger), recounted(ledger)
        assert pruned["event_hours"] == again["event_hours"]
        assert pruned["hook_days"] == again["hook_days"]
        assert pruned["answer_hours"] == again["answer_hours"]
        agents = [(row[:2], row[10:]) for row in pruned["agent_runs"]]
        assert agents == [(row[:2], row[10:]) for row in again["agent_runs"]]
        # When a session was first and last heard of is still known; what it did is counted anew.
        shown = [(row[0], row[6:]) for row in pruned["sessions"]]
        assert shown == [(row[0], row[6:]) for row in again["sessions"]]
    finally:
        ledger.close()


def test_each_dimension_adds_up_to_what_it_is_about(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    records = [record(n % 7, n) for n in range(100)]
    ledger.append(records)
    ledger.close()
    with opened(ledger.path) as connection:
        for dimension in DIMENSIONS:
            rows = summary.counts_by(connection, dimension)
            by_hour: Counter[str] = Counter()
            for row in summary.series(connection, dimension):
                by_hour[row["value"]] += row["events"]
            assert by_hour == {row["value"]: row["events"] for row in rows}
        (everything,) = summary.counts_by(connection, "all")
        agents = summary.counts_by(connection, "agent")
    assert everything["events"] == 100
    assert everything["calls"] == sum(each.event.kind == "PreToolUse" for each in records)
    denied = sum(each.decision.action is Action.DENY for each in records)
    assert everything["denied"] == denied > 0
    assert sum(row["events"] for row in agents) == 100


def test_a_range_holds_its_hours_and_no_others(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.append([record(hour, 1) for hour in (1, 2, 2, 3)])
    ledger.close()
    with opened(ledger.path) as connection:
        (row,) = summary.counts_by(connection, "event", 2 * HOUR_NS, 3 * HOUR_NS - 1)
        assert (row["value"], row["events"]) == ("PreToolUse", 2)
        with pytest.raises(LedgerError, match="not counted by 'colour'"):
            summary.counts_by(connection, "colour")


def test_sessions_come_latest_first(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.append([record(1, 1, "old"), record(5, 1, "new"), record(2, 2, "old")])
    ledger.close()
    with opened(ledger.path) as connection:
        rows = summary.sessions(connection)
        since = summary.sessions(connection, since=4 * HOUR_NS)
        assert summary.sessions(connection, repository="/elsewhere") == []
    assert [(row["session"], row["events"], row["last_seq"]) for row in rows] == [
        ("new", 1, 2), ("old", 2, 3),
    ]  # fmt: skip
    assert [row["session"] for row in since] == ["new"]


@given(st.integers(0, 2**62))
def test_a_length_lies_in_its_bucket(length: int) -> None:
    bucket = length_bucket(length)
    end = bucket_end(bucket)
    assert max(length, 1) < end
    assert bucket == 0 or length >= bucket_end(bucket - 1) or bucket_end(bucket - 1) == end
    assert end <= max(length, 1) * 1.25 + 1
