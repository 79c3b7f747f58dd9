"""What is on record and what the transcripts hold beyond it add up to the same as either alone."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.cost.prices import Prices
from pointsman.meter.meter import Meter
from pointsman.meter.report import ALLOCATED, BY, Lens, Row, of_files, of_ledger, total
from pointsman.model.event import Identity
from pointsman.model.events import Stop
from pointsman.model.usage import Amount
from pointsman.store import query, usage_query
from pointsman.store.ledger import Ledger
from pointsman.store.usage_query import Chosen

from .lines import SESSION, call, line, said, usage, write

NATIVES = [
    said("a", call("t1"), usage=usage((1, 2, 3, 4, 5)), stop=None),
    said("a", call("t2", "Read"), usage=usage((1, 9, 3, 4, 5))),
    said("b", usage=usage((7, 1, 0, 0, 11)), timestamp="2026-11-25T22:47:41Z"),
    said("c", call("t3"), agentId="x", attributionAgent="tester", gitBranch="topic"),
    said("d", model="wizard-9000"),
    said("e", call("t4"), call("t5"), call("t6"), sessionId="fork"),
    {"type": "user", "promptId": "p-1"},
    said("f", timestamp="2026-11-25T22:47:41Z", cwd="/elsewhere"),
]
CHOSEN = st.sampled_from(
    [
        Chosen(),
        Chosen(session=SESSION),
        Chosen(repository="/nowhere/shop"),
        Chosen(since=1_795_600_000 * 10**9),
        Chosen(until=1_795_600_000 * 10**9, repository="/nowhere/shop"),
        Chosen(since=1_795_560_461_571 * 10**6, until=1_795_560_461_572 * 10**6),
    ]
)


@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.integers(0, len(NATIVES)), st.sampled_from(BY), CHOSEN)
def test_however_much_is_on_record_the_answer_is_the_same(
    tmp_path_factory: Any, on_record: int, by: str, chosen: Chosen
) -> None:
    folder = tmp_path_factory.mktemp("desk")
    path = write(folder / f"{SESSION}.jsonl", *NATIVES[:on_record])
    prices = Prices(folder / "prices.toml", lambda _error: None)
    lens = Lens(price=prices.of)
    ledger = Ledger.open(folder / "ledger.db")
    try:
        record(Meter(ledger, prices), path)
        with path.open("ab") as file:
            file.write(b"".join(line(each) + b"\n" for each in NATIVES[on_record:]))
        with query.opened(ledger.path) as connection:
            usage_query.begin(connection)
            rows = of_ledger(connection, by, chosen, lens)
        assert figures(rows, by) == figures(of_files([str(path)], by, chosen, lens), by)
        if chosen == Chosen():
            assert total(rows).calls == 6
    finally:
        ledger.close()
        shutil.rmtree(folder)


def figures(rows: list[Row], by: str) -> dict[str | None, Any]:
    """Return the rows by their keys, without what depends on what came first."""
    assert all(row.as_dict(by)[by] == row.key for row in rows)
    return {row.key: row.as_dict(by) for row in rows}


def record(meter: Meter, path: Path) -> None:
    async def look() -> None:
        meter.saw(Stop(identity=Identity(host="claude-code"), transcript_path=str(path)))
        await meter.catch_up()
        await meter.close()

    asyncio.run(look())


def test_a_row_says_what_it_is() -> None:
    figures = Amount(input_tokens=1, output_tokens=2, usd_nano=5 * 10**8, calls=3)
    row = Row(key="main", amount=figures, more={"session": None})
    assert row.as_dict("subagent") == {
        "subagent": "main",
        "session": None,
        "input_tokens": 1,
        "output_tokens": 2,
        "cache_read_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "cost_usd": 0.5,
        "calls": 3,
        "priced_usd": 0.5,
        "unpriced_calls": 0,
        "basis": "measured",
    }
    assert {by for by in BY if row.as_dict(by)["basis"] == "allocated"} == ALLOCATED


@pytest.mark.parametrize("usd_nano", [0, 5])
def test_a_sum_with_an_unpriced_message_has_no_price(usd_nano: int) -> None:
    row = Row(key="k", amount=Amount(usd_nano=usd_nano, unpriced=1, calls=2)).as_dict("model")
    assert row["cost_usd"] is None
    assert row["priced_usd"] == usd_nano / 1e9
