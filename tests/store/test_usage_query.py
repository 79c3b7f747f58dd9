"""Sums of usage: whole hours, parts of hours and filters add up to the same."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.cost.posting import Book
from pointsman.meter.meter import known
from pointsman.model.errors import LedgerError
from pointsman.model.usage import Amount, Cost, Usage
from pointsman.store import query, usage_query, usage_rows
from pointsman.store.ledger import Ledger
from pointsman.store.usage_query import Chosen
from pointsman.store.usage_rows import DIMENSIONS, HOUR_NS, MAIN

HOUR = HOUR_NS
TIMES = (0, 1, HOUR - 1, HOUR, HOUR + HOUR // 2, 3 * HOUR, 25 * HOUR, 50 * HOUR + 7)


def use(number: int) -> Usage:
    """Return the messages of a small world, each another one."""
    calls = tuple(f"t{number}-{place}" for place in range(number % 3))
    return Usage(
        host="h",
        session=f"s{number % 3}",
        message_id=f"m{number}",
        model=("big", "small", "unknown")[number % 3],
        at_ns=TIMES[number % len(TIMES)],
        agent_id=f"a{number % 4}" if number % 2 else None,
        agent_type="tester" if number % 2 else None,
        role="worker" if number % 2 else "",
        task=f"p{number % 5}",
        repository=f"/r{number % 2}" if number % 4 else None,
        branch=f"b{number % 2}",
        input_tokens=number,
        output_tokens=7 * number,
        calls=calls,
        tools=tuple(f"T{place}" for place in range(len(calls))),
    )


def price(usage: Usage) -> Cost:
    return Cost(usd=None if usage.model == "unknown" else usage.output_tokens / 1e9, prices="t")


MESSAGES = [use(number) for number in range(1, 49)]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = Ledger.open(tmp_path_factory.mktemp("ledger") / "ledger.db")
    add(made, *MESSAGES)
    yield made
    made.close()


def add(ledger: Ledger, *usages: Usage) -> None:
    with ledger.writing() as connection:
        book = Book(price, lambda key: known(connection, key))
        usage_rows.write(connection, book.add(usages), 1)


def wanted(dimension: str, chosen: Chosen) -> dict[str, Amount]:
    sums: dict[str, Amount] = {}
    for usage in MESSAGES:
        if chosen.takes(usage.session, usage.repository, usage.at_ns):
            value = str(usage.at_ns // (24 * HOUR)) if dimension == "day" else ""
            if dimension not in {"day", "total"}:
                value = usage_rows.dimension_values(usage)[dimension]
            sums[value] = sums.get(value, Amount()) + Amount.of(usage, price(usage).nano)
    return sums


BOUNDS = st.none() | st.sampled_from(TIMES) | st.integers(-HOUR, 60 * HOUR)
CHOSEN = st.builds(
    Chosen,
    session=st.sampled_from([None, "s1", "nobody"]),
    repository=st.sampled_from([None, "/r1"]),
    since=BOUNDS,
    until=BOUNDS,
)
GROUPS = [name for name in (*DIMENSIONS, "day", "total") if name != "tool"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(GROUPS), CHOSEN)
def test_sums_are_those_of_the_messages_that_are_meant(
    ledger: Ledger, dimension: str, chosen: Chosen
) -> None:
    with query.opened(ledger.path) as connection:
        found = usage_query.sums(connection, dimension, chosen)
    assert {key: each for key, each in found.items() if each} == wanted(dimension, chosen)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(CHOSEN)
def test_messages_come_once_with_their_calls(ledger: Ledger, chosen: Chosen) -> None:
    with query.opened(ledger.path) as connection:
        found = list(usage_query.messages(connection, chosen))
    whole = sum((each.amount for each in found), Amount())
    assert whole == sum(wanted("total", chosen).values(), Amount())
    meant = [each for each in MESSAGES
             if chosen.takes(each.session, each.repository, each.at_ns)]  # fmt: skip
    assert sorted(each.calls for each in found) == sorted(
        tuple(zip(each.calls, each.tools, strict=True)) for each in meant
    )


def test_whole_questions_need_no_scan(ledger: Ledger) -> None:
    asked: list[str] = []
    with query.opened(ledger.path) as connection:
        connection.set_trace_callback(asked.append)
        for dimension in GROUPS:
            for chosen in (Chosen(), Chosen(repository="/r1"), Chosen(since=HOUR, until=3 * HOUR)):
                usage_query.sums(connection, dimension, chosen)
        connection.set_trace_callback(None)
    assert len(asked) == 3 * len(GROUPS)
    assert all(" FROM usage_hours " in statement for statement in asked)


@pytest.mark.parametrize("chosen", [Chosen(session="s1"), Chosen(since=5, until=9)])
def test_other_questions_use_an_index(ledger: Ledger, chosen: Chosen) -> None:
    asked: list[str] = []
    with query.opened(ledger.path) as connection:
        connection.set_trace_callback(asked.append)
        usage_query.sums(connection, "model", chosen)
        connection.set_trace_callback(None)
        (scan,) = (each for each in asked if " FROM usage " in each)
        plan = [tuple(row)[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {scan}")]
    assert any("USING INDEX usage_by" in step for step in plan)


def test_a_message_comes_back_as_it_was(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    try:
        for usage in MESSAGES[:6]:
            add(ledger, usage, replace(usage, output_tokens=1000, final=True))
            with query.opened(ledger.path) as connection:
                booked = known(connection, usage.key)
            assert booked is not None
            assert booked.usage == replace(usage, output_tokens=1000, final=True)
            assert booked.amount.output_tokens == 1000
            assert booked.amount.calls == 1
    finally:
        ledger.close()


@pytest.mark.parametrize("table", ["usage", "usage_tools"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET key = 'x'"])
def test_postings_stay_as_they_are(ledger: Ledger, table: str, statement: str) -> None:
    def change() -> None:
        with ledger.writing() as connection:
            connection.execute(statement.format(table))

    with pytest.raises(LedgerError, match="append-only"):
        change()


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")

    def fail() -> None:
        with ledger.writing() as connection:
            usage_rows.write(connection, Book(price, lambda _key: None).add(MESSAGES), 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with query.opened(ledger.path) as connection:
        assert usage_query.sums(connection, "total", Chosen()) == {}
    ledger.close()


def test_subagents_are_named(ledger: Ledger) -> None:
    with query.opened(ledger.path) as connection:
        found = usage_query.subagents(connection, ["a1", MAIN, "nobody"])
    assert set(found) == {"a1"}
    assert found["a1"][0] == "tester"


def test_unpriced_messages_are_found(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        keys = usage_rows.unpriced_keys(connection)
        assert len(usage_rows.unpriced_keys(connection, 3)) == 3
    assert sorted(keys) == sorted(each.key for each in MESSAGES if each.model == "unknown")


def test_readings_are_kept(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    position: dict[str, Any] = {"offset": 7}
    one = usage_rows.Reading(path="/a.jsonl", host="h", position=position, thread={"prompt": "p"})
    with ledger.writing() as connection:
        usage_rows.note_readings(connection, [one], 1)
        usage_rows.note_readings(connection, [replace(one, position={"offset": 9})], 2)
    with query.opened(ledger.path) as connection:
        assert usage_rows.readings(connection) == [replace(one, position={"offset": 9})]
    ledger.close()
