"""Forward migrations."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.model.errors import LedgerError
from pointsman.store.migrate import migrate, schema_version, scripts

FIRST = "CREATE TABLE things (n INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
SECOND = "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7;"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    yield opened
    opened.close()


def test_an_older_file_is_brought_forward_with_its_rows(connection: sqlite3.Connection) -> None:
    migrate(connection, [FIRST])
    connection.execute("INSERT INTO things VALUES (1, 'old')")
    migrate(connection, [FIRST, SECOND])
    assert schema_version(connection) == 2
    assert connection.execute("SELECT * FROM things").fetchall() == [(1, "old", 7)]


def test_each_step_is_applied_once(connection: sqlite3.Connection) -> None:
    for _ in range(3):
        migrate(connection, [FIRST, SECOND])
    assert schema_version(connection) == 2


def test_a_step_that_fails_leaves_the_one_before(connection: sqlite3.Connection) -> None:
    broken = "CREATE TABLE half (n INTEGER); INSERT INTO nowhere VALUES (1);"
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, [FIRST, broken])
    assert schema_version(connection) == 1
    assert not connection.in_transaction
    names = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert names == [("things",)]


def test_a_newer_file_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, [FIRST, SECOND])
    with pytest.raises(LedgerError, match="has schema 2, this program knows up to 1"):
        migrate(connection, [FIRST])
    assert schema_version(connection) == 2


def test_the_shipped_steps_make_a_ledger(connection: sqlite3.Connection) -> None:
    migrate(connection)
    assert schema_version(connection) == len(scripts()) >= 1
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert {"events", "bodies", "hook_runs", "notes"} <= names
