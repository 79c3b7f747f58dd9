"""The counts say at any time what going through every event would say."""

import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.model.answer import Answer
from pointsman.model.decision import NO_OPINION, Action, Decision, deny
from pointsman.model.errors import LedgerError
from pointsman.model.event import Event, Identity
from pointsman.model.events import PostToolUseFailure, PreEdit, PreToolUse, Stop
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.model.hook_runs import bucket_end, length_bucket
from pointsman.store import agent_counts, browse, recount, summary
from pointsman.store.agent_days import DAY_NS
from pointsman.store.ledger import Ledger
from pointsman.store.migrate import scripts
from pointsman.store.query import Filter, opened
from pointsman.store.record import Record
from pointsman.store.rollups import DIMENSIONS, HOUR_NS
from pointsman.store.verdict import Trust, verify

from .records import record as store_record
from .usages import add, use

TABLES = (
    "event_hours", "sessions", "hook_days", "agent_runs", "answer_hours", "agent_days", "hour_seqs",
    "hook_decisions",
)  # fmt: skip
SHORT = {
    "hook_days": slice(-2, None), "answer_hours": slice(-2, None), "hour_seqs": slice(1, None),
    "hook_decisions": slice(-1, None), "agent_runs": slice(-9, -1),
}  # fmt: skip
"""Where a table's counts stand, if not in its last eight columns."""


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
            decision=given if n else None,
        )
        for n in range(number % 3)
    )  # fmt: skip
    return Record(
        event=event(hour, number, session), decision=given, runs=runs, answer=Answer(0),
        duration_ns=number,
    )  # fmt: skip


def with_edit(one: Record) -> Record:
    """Return an event with the edit that is derived from it, which has the same decision."""
    event = PreEdit(
        identity=one.event.identity, received_ns=one.event.received_ns, tool_name="Write",
        tool_input={}, files=("/r/a",),
    )  # fmt: skip
    edit = replace(one, event=event, transport="derived", runs=(), duration_ns=0)
    return replace(one, derived=(edit,))


def counted(ledger: Ledger) -> dict[str, list[Any]]:
    """Return every count that is not 0."""
    connection = sqlite3.connect(ledger.path)
    out = {}
    for table in TABLES:
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()
        last = SHORT.get(table, slice(-8, None))
        out[table] = sorted(_lasting(table, row) for row in rows if any(row[last]))
    connection.close()
    return out


def recounted(ledger: Ledger) -> dict[str, list[Any]]:
    """Return what the migrations make of the rows that are on record, piece by piece."""
    connection = sqlite3.connect(ledger.path)
    copy = sqlite3.connect(":memory:")
    connection.backup(copy)
    connection.close()
    for table in (*TABLES, "recounts"):
        copy.execute(f"DROP TABLE {table}")
    copy.create_function("length_bucket", 1, length_bucket)
    for text in scripts():
        if any(f"CREATE TABLE {table}" in text for table in TABLES):
            copy.executescript(text)
    while recount.step(copy, 3):
        pass
    found = {table: copy.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    return {table: sorted(_lasting(table, row) for row in rows) for table, rows in found.items()}


def _lasting(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row without what a run that went on to another day has left behind."""
    return row[:6] + row[7:] if table == "agent_days" else row


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
            seqs = ledger.append(
                [with_edit(record(*each)) if each[1] % 7 == 1 else record(*each) for each in batch]
            )
            if seqs:
                ledger.append_runs(seqs[0], 10, record(1, 5).runs)
        assert counted(ledger) == recounted(ledger)
        while ledger.prune(kept * HOUR_NS, batch=3) == 3:
            pass
        pruned, again = counted(ledger), recounted(ledger)
        assert pruned["event_hours"] == again["event_hours"]
        assert pruned["hook_days"] == again["hook_days"]
        assert pruned["hook_decisions"] == again["hook_decisions"]
        assert pruned["answer_hours"] == again["answer_hours"]
        agents = [(row[:2], row[10:]) for row in pruned["agent_runs"]]
        assert agents == [(row[:2], row[10:]) for row in again["agent_runs"]]
        summed: Counter[str] = Counter()
        for row in pruned["agent_days"]:
            summed += Counter({"runs": row[5], "events": row[6], "calls": row[7]})
        assert summed["runs"] == len(agents)
        assert summed["events"] == sum(each[1][0] for each in agents)
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


def denied(call: str, **more: Any) -> Record:
    """Return a call that is stopped, with the edit that was derived from it."""
    return with_edit(store_record(call, decision=deny("no", rule="r"), **more))


def test_one_call_that_is_stopped_counts_once_and_its_rows_as_rows(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    finding = replace(store_record("t3", guard=False), transport="derived")
    ledger.append([denied("t1"), store_record("t2"), finding])
    ledger.close()
    with opened(ledger.path) as connection:
        (session,) = summary.sessions(connection)
        (agent,) = agent_counts.of_session(connection, "s1")
        (outcome,) = agent_counts.outcomes(connection, "agent")
        (hour,) = summary.counts_by(connection, "all")
        answers = agent_counts.answers(connection, 0, 1)
        rows = browse.count(connection, Filter(session="s1", decision="deny"))
    for each in (session, agent, outcome):
        assert (each["calls"], each["denied"], each["events"]) == (2, 1, 4)
    assert (hour["denied"], rows, sum(sum(each.values()) for each in answers.values())) == (2, 2, 2)


def test_what_agents_did_goes_with_them_to_the_day_and_the_model_they_have_now(
    tmp_path: Path,
) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.append([store_record("t1", at=5 * DAY_NS, agent_id="a", agent_type="builder")])
    ledger.append([store_record("t2", at=6 * DAY_NS, agent_id="a", agent_type="builder")])
    add(ledger, replace(use(1), session="s1", agent_id="a", model="m", role="r"))
    ledger.close()
    with opened(ledger.path) as connection:
        for by, name in (("agent", "builder"), ("model", "m"), ("role", "r")):
            (one,) = agent_counts.outcomes(connection, by, since=6 * DAY_NS)
            assert (one["name"], one["runs"], one["calls"]) == (name, 1, 2)
            assert agent_counts.outcomes(connection, by, since=7 * DAY_NS) == []


def test_an_older_ledger_is_counted_in_pieces_and_answers_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(path)
    ledger.append([denied(f"t{n}", agent_id="a") for n in range(10)])
    wanted = counted(ledger)
    ledger.close()
    with closing(sqlite3.connect(path)) as older:
        older.create_function("length_bucket", 1, length_bucket)
        before = next(n for n, text in enumerate(scripts()) if "CREATE TABLE agent_days" in text)
        made = re.findall(r"CREATE (TABLE|INDEX) (\w+)", "".join(scripts()[before:]))
        for table in (*TABLES, "recounts"):
            older.execute(f"DROP TABLE {table}")
        for what, name in made:
            older.execute(f"DROP {what} IF EXISTS {name}")
        for text in scripts()[:before]:
            if any(f"CREATE TABLE {table}" in text for table in TABLES):
                older.executescript(text)
        older.execute(f"PRAGMA user_version = {before}")
    ledger = Ledger.open(path)
    steps = 0
    done = False
    while not done:
        done = not ledger.recount(4)
        steps += 1
        with opened(path) as connection:
            (outcome,) = agent_counts.outcomes(connection, "agent")
            assert (outcome["calls"], outcome["runs"]) == (10, 1)
            assert (
                len(browse.page(connection, Filter(since=1, until=2**62), "", None, 50).rows) == 20
            )
    assert steps > 4
    assert counted(ledger) == wanted
    ledger.close()
    assert verify(path, Trust()).ok
