"""Sums of usage: whole hours, parts of hours and filters add up to the same."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.model.usage import Amount
from pointsman.store import query, usage_query, usage_rows
from pointsman.store.ledger import Ledger
from pointsman.store.usage_query import Chosen
from pointsman.store.usage_rows import DIMENSIONS, MAIN

from .usages import HOUR, MESSAGES, TIMES, add, price


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = Ledger.open(tmp_path_factory.mktemp("ledger") / "ledger.db")
    add(made, *MESSAGES)
    yield made
    made.close()


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


def test_subagents_are_named(ledger: Ledger) -> None:
    with query.opened(ledger.path) as connection:
        found = usage_query.subagents(connection, ["a1", MAIN, "nobody"])
    assert set(found) == {"a1"}
    assert found["a1"][0] == "tester"
