"""docs/ledger.md names every column, every table, every word of a decision."""

import sqlite3
from pathlib import Path

import pytest

from pointsman.model.decision import Action, Cause
from pointsman.store.ledger_file import CORRUPT, REPLACED, RESCUED
from pointsman.store.migrate import migrate

TEXT = (Path(__file__).parents[2] / "docs/ledger.md").read_text()


def names() -> list[str]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
    connection.close()
    return columns


@pytest.mark.parametrize(
    "name", [*names(), "events", "bodies", "hook_runs", "notes", *Action, *Cause]
)
def test_it_is_named(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("why", [CORRUPT, REPLACED, RESCUED])
def test_what_stands_aside_is_explained(why: str) -> None:
    assert f"ledger.db.{why}-" in TEXT
