"""What is put on record of messages, and how it comes back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pointsman.cost.posting import Book
from pointsman.meter.meter import known
from pointsman.model.errors import LedgerError
from pointsman.store import query, usage_query, usage_rows
from pointsman.store.ledger import Ledger
from pointsman.store.migrate import scripts
from pointsman.store.usage_query import Chosen

from .usages import MESSAGES, add, price


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = Ledger.open(tmp_path_factory.mktemp("ledger") / "ledger.db")
    add(made, *MESSAGES)
    yield made
    made.close()


def test_a_message_comes_back_as_it_was(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    try:
        for usage in MESSAGES[:6]:
            add(ledger, usage, replace(usage, output_tokens=1000, final=True))
            with query.opened(ledger.path) as connection:
                booked = known(connection, usage)
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
            usage_rows.write(connection, Book(price, lambda _usage: None).add(MESSAGES), 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with query.opened(ledger.path) as connection:
        assert usage_query.sums(connection, "total", Chosen()) == {}
    ledger.close()


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


def test_days_are_the_sums_of_their_hours_also_in_a_ledger_of_before(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    add(ledger, *MESSAGES)
    ledger.close()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        kept = connection.execute("SELECT * FROM usage_days ORDER BY 1, 2, 3, 4").fetchall()
        connection.execute("DROP TABLE usage_days")
        (script,) = [text for text in scripts() if "CREATE TABLE usage_days" in text]
        connection.executescript(script)
        again = connection.execute("SELECT * FROM usage_days ORDER BY 1, 2, 3, 4").fetchall()
    assert kept == again != []
