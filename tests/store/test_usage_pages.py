"""Sums of usage for a page, and how far a record is signed."""

import sqlite3
from collections.abc import Iterator

import pytest

from pointsman.store import usage_pages
from pointsman.store.signed_state import signed_state

NOW = 500_000
"""The present, in hours."""


@pytest.fixture
def ledger() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    yield connection
    connection.close()


def use(ledger: sqlite3.Connection, *rows: tuple[object, ...]) -> None:
    """Put hourly sums down: dimension, hour, repository, value, output, dollars, unpriced."""
    ledger.execute(
        "CREATE TABLE usage_hours (dimension TEXT, hour INTEGER, repository TEXT, value TEXT,"
        " input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER,"
        " cache_write_5m_tokens INTEGER, cache_write_1h_tokens INTEGER, usd_nano INTEGER,"
        " unpriced INTEGER, calls INTEGER)"
    )
    for dimension, hour, repository, value, output, dollars, unpriced in rows:
        figures = (1, output, 2, 3, 4, int(float(str(dollars)) * 1e9), unpriced, 1)
        ledger.execute(
            "INSERT INTO usage_hours VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            (dimension, hour, repository, value, *figures),
        )


def test_a_ledger_without_usage_says_so(ledger: sqlite3.Connection) -> None:
    assert not usage_pages.available(ledger)
    use(ledger)
    assert usage_pages.available(ledger)
    found = usage_pages.page(ledger, "model", 24, NOW)
    assert (found["rows"], found["total"]) == ([], None)


def test_sums_by_a_dimension_the_largest_first(ledger: sqlite3.Connection) -> None:
    use(
        ledger,
        ("model", NOW, "/a", "small", 10, 0.5, 0),
        ("model", NOW, "/a", "large", 10, 2, 0),
        ("model", NOW - 1, "/b", "large", 5, 1, 0),
        ("model", NOW - 24, "/a", "large", 99, 99, 0),
        ("agent", NOW, "/a", "main", 77, 77, 0),
        ("model", NOW, "/a", "unknown", 7, 0, 1),
    )
    found = usage_pages.page(ledger, "model", 24, NOW)
    rows = {row["key"]: row for row in found["rows"]}
    assert list(rows) == ["large", "small", "unknown"]
    assert (rows["large"]["output_tokens"], rows["large"]["cost_usd"]) == (15, 3.0)
    # What has no price is never 0, and neither is a sum that it is part of.
    assert (rows["unknown"]["cost_usd"], rows["unknown"]["unpriced_calls"]) == (None, 1)
    assert (found["total"]["cost_usd"], found["total"]["priced_usd"]) == (None, 3.5)
    assert found["total"]["calls"] == 4
    only = usage_pages.page(ledger, "model", 24, NOW, "/b")
    assert [row["key"] for row in only["rows"]] == ["large"]


@pytest.mark.parametrize("hours", [1, 24, 200, 9000])
def test_the_course_adds_up_to_the_sums(ledger: sqlite3.Connection, hours: int) -> None:
    rows = [
        ("session", NOW - hour, "/a", f"s{hour % 9}", hour + 1, hour / 8, 0) for hour in range(300)
    ]
    use(ledger, *rows)
    found = usage_pages.page(ledger, "session", hours, NOW)
    spent = sum(sum(point["usd"]) for point in found["series"])
    assert spent == pytest.approx(found["total"]["priced_usd"])
    tokens = sum(point["tokens"] for point in found["series"])
    assert tokens == found["total"]["output_tokens"] + 10 * found["total"]["calls"]
    assert len(found["series"]) <= 98
    assert len({len(point["usd"]) for point in found["series"]}) == 1


def test_how_far_a_record_is_signed(ledger: sqlite3.Connection) -> None:
    assert signed_state(ledger, 0) == {"available": False}
    ledger.execute("CREATE TABLE chain (n INTEGER PRIMARY KEY)")
    ledger.execute(
        "CREATE TABLE checkpoints (seq INTEGER, tree_size INTEGER, ns INTEGER, root BLOB)"
    )
    ledger.executemany("INSERT INTO chain VALUES (?)", [(n,) for n in range(1, 8)])
    found = signed_state(ledger, 0)
    assert (found["entries"], found["signed"], found["checkpoint"]) == (7, 0, None)
    ledger.execute("INSERT INTO checkpoints VALUES (3, 5, 1000000000, x'ab')")
    found = signed_state(ledger, 3_000_000_000)
    assert (found["signed"], found["checkpoint"], found["age_s"], found["root"]) == (
        5,
        3,
        2.0,
        "ab",
    )
