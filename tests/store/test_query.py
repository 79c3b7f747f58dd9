"""Reading the audit trail: filters, order, index, memory."""

import json
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest

from pointsman.model.answer import Answer
from pointsman.model.decision import ask, deny
from pointsman.model.errors import LedgerCorrupt, LedgerError
from pointsman.store import query
from pointsman.store.ledger import Ledger
from pointsman.store.query import Filter, parse_time

from .records import record, run

NOW = 1_700_000_000 * 10**9
SECOND = 10**9


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("query") / "le%d?g#er.db"
    ledger = Ledger.open(path, clock=lambda: NOW)
    place: dict[str, Any] = {"cwd": "/r/sub", "repository": "/r"}
    ledger.append(
        [
            record("1", session="a", tool="Bash", at=1 * SECOND),
            record("2", session="a", tool="Write", path="/r/src/app.py", at=2 * SECOND, **place,
                   decision=deny("no", rule="scope.forbidden").by("scope")),
            record("3", session="b", tool="Write", path="src/app.py", at=3 * SECOND, **place,
                   agent_id="x1", agent_type="tester", decision=ask("?", rule="r").by("h")),
            record("4", session="b", tool="Edit", path="/r/srcs/a_b.py", at=2 * SECOND, **place,
                   agent_id="x2", agent_type="writer", runs=(run(),), payload=b'{"x": 1}',
                   answer=Answer(0, b"out", b"\xff")),
            record("5", session="b", tool="Read", path="/r/app/[id]/page.tsx", at=5 * SECOND,
                   **place, guard=False),
        ]
    )  # fmt: skip
    ledger.note("kind", "text", a=1)
    ledger.close()
    return path


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "12345"),
        ({"session": "a"}, "12"),
        ({"session": "A"}, ""),
        ({"agent": "main"}, "125"),
        ({"agent": "tester"}, "3"),
        ({"agent": "x2"}, "4"),
        ({"tool": "Write"}, "23"),
        ({"decision": "deny"}, "2"),
        ({"decision": "none"}, "145"),
        ({"event": "PostToolUse"}, "5"),
        ({"hook": "scope"}, "2"),
        ({"rule": "r"}, "3"),
        ({"since": 3 * SECOND}, "35"),
        ({"until": 2 * SECOND}, "124"),
        ({"since": 2 * SECOND, "until": 2 * SECOND}, "24"),
        ({"after": 3}, "45"),
        ({"session": "b", "tool": "Write", "decision": "ask"}, "3"),
        ({"path": "/r/src/app.py"}, "2"),
        ({"path": "src/app.py"}, "23"),
        ({"path": "app.py"}, ""),
        ({"path": "/r/sub/src/app.py"}, "3"),
        ({"path": "/r/src"}, "2"),
        ({"path": "/r/src/"}, "2"),
        ({"path": "src/"}, "23"),
        ({"path": "/r"}, "2345"),
        ({"path": "/"}, "2345"),
        ({"path": "/r/./sub/../src/app.py"}, "2"),
        ({"path": "/r/srcs/a?b.py"}, "4"),
        ({"path": "/R/srcs"}, ""),
        ({"path": "/r/src_"}, ""),
        ({"path": "*.py"}, "234"),
        ({"path": "src/*.py"}, "23"),
        ({"path": "/r/app/[id]/page.tsx"}, "5"),
        ({"path": "/r/app/[id]"}, "5"),
        ({"path": "."}, "2345"),
        ({"path": ".."}, "2345"),
        ({"path": "nowhere"}, ""),
    ],
)
def test_filters(path: Path, wanted: dict[str, object], found: str) -> None:
    rows = query.query(path, Filter(**wanted))  # type: ignore[arg-type]
    assert "".join(row["tool_use_id"] for row in rows) == found
    exported = query.export(path, Filter(**wanted))  # type: ignore[arg-type]
    assert "".join(row["tool_use_id"] for row in exported) == found


@pytest.mark.parametrize(("limit", "found"), [(0, "12345"), (2, "45"), (99, "12345"), (1, "5")])
def test_the_newest_are_last(path: Path, limit: int, found: str) -> None:
    assert "".join(row["tool_use_id"] for row in query.query(path, Filter(), limit)) == found


def test_a_limit_counts_what_the_filter_leaves(path: Path) -> None:
    rows = query.query(path, Filter(session="a"), 1)
    assert [row["tool_use_id"] for row in rows] == ["2"]


def test_a_row_is_plain_json(path: Path) -> None:
    (row,) = query.query(path, Filter(decision="deny"))
    again = json.loads(json.dumps(row))
    assert again["time"] == "1970-01-01T00:00:02.000000+00:00"
    assert (again["agent"], again["rule"], again["hook"]) == ("main", "scope.forbidden", "scope")
    assert again["ms"] == 0.0


def test_show_is_the_whole_event(path: Path) -> None:
    whole = query.show(path, 4)
    assert (whole["payload"], whole["stdout"], whole["stderr"]) == (
        '{"x": 1}',
        "out",
        "base64:/w==",
    )
    assert [(one["hook"], one["ms"], one["role"]) for one in whole["hook_runs"]] == [
        ("scope", 1.5, "guard")
    ]
    assert query.payload(path, 4) == b'{"x": 1}'
    assert query.payload(path, 99) == b""


@pytest.mark.parametrize("seq", [0, 99, -1, 2**70])
def test_no_such_event(path: Path, seq: int) -> None:
    with pytest.raises(LedgerError, match="no event has the number"):
        query.show(path, seq)


def test_tail(path: Path) -> None:
    assert [row["seq"] for row in query.tail(path, 2)] == [4, 5]


def test_tail_follows(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "l.db")
    ledger.append([record("a"), record("b")])
    rows = cast(
        "Generator[dict[str, Any], None, None]", query.tail(tmp_path / "l.db", 1, follow=True)
    )
    assert next(rows)["tool_use_id"] == "b"
    ledger.append([record("c"), record("d")])
    assert [next(rows)["tool_use_id"] for _ in range(2)] == ["c", "d"]
    rows.close()
    ledger.close()


def test_notes(path: Path) -> None:
    (note,) = query.notes(path)
    assert (note["kind"], note["text"]) == ("kind", "text")
    assert note["time"].startswith("2023-11-14")


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("15m", NOW - 900 * SECOND),
        ("1.5h", NOW - 5400 * SECOND),
        (" 2d ", NOW - 172_800 * SECOND),
        ("1970-01-01T00:00:10", 10 * SECOND),
        ("1970-01-01T01:00:10+01:00", 10 * SECOND),
        ("2026-11-25T06:48:02.123457+00:00", 1_795_589_282_123_457_000),
        ("9" * 400 + "w", NOW - 10**19),
        ("9999-12-31", 2**63 - 1),
        ("0001-01-01", -(2**63)),
    ],
)
def test_times(text: str, ns: int) -> None:
    assert parse_time(text, NOW) == max(ns, -(2**63))


@pytest.mark.parametrize("text", ["", "yesterday", "15", "m", "-1h", "2026-13-01", "1 h"])
def test_no_time(text: str) -> None:
    with pytest.raises(LedgerError, match="neither ISO 8601 nor an age"):
        parse_time(text, NOW)


def test_no_ledger_yet(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        list(query.query(tmp_path / "none.db", Filter()))
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="there is no ledger"):
        list(query.query(tmp_path / "file" / "none.db", Filter()))


@pytest.mark.parametrize(
    ("data", "kind"), [(b"no database" * 100, LedgerCorrupt), (b"", LedgerCorrupt)]
)
def test_a_file_that_is_no_ledger(tmp_path: Path, data: bytes, kind: type[LedgerError]) -> None:
    file = tmp_path / "l.db"
    file.write_bytes(data)
    with pytest.raises(kind, match="cannot be read") as caught:
        list(query.query(file, Filter()))
    assert caught.value.fix.startswith("pointsman ")
    assert file.read_bytes() == data, "reading changes nothing"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "l.db"
    ledger = Ledger.open(path)
    ledger.append([record("c1")])
    ledger.close()
    connection = sqlite3.connect(path)
    names = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
    own = {
        "seq": "n",
        "received_ns": f"n * {SECOND}",
        "session": "'s' || (n % 1000)",
        "tool_use_id": "'c' || n",
    }
    columns = ", ".join(own.get(name, name) for name in names)
    connection.execute(
        "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers"
        f" WHERE n < 100000) INSERT INTO events SELECT {columns} FROM numbers, events WHERE seq = 1"
    )
    connection.commit()
    connection.close()
    return path


def plan(path: Path, sql: str, values: dict[str, object]) -> str:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    connection.close()
    return " / ".join(row[3] for row in rows)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Filter(session="s7"), "USING INDEX events_by_session"),
        (Filter(since=99_991 * SECOND), "USING COVERING INDEX events_by_time"),
        (Filter(since=99_991 * SECOND), "SEARCH events USING INTEGER PRIMARY KEY"),
        (Filter(until=10 * SECOND), "USING COVERING INDEX events_by_time"),
        (Filter(after=99_990), "USING INTEGER PRIMARY KEY"),
    ],
)
def test_a_large_ledger_is_searched_by_index(large: Path, wanted: Filter, index: str) -> None:
    sql, values = query._events_sql(wanted)
    assert index in plan(large, sql, values)
    assert "TEMP B-TREE" not in plan(large, sql, values)
    assert len(list(query.query(large, wanted))) == (100 if wanted.session else 10)


def test_a_large_ledger_is_streamed(large: Path) -> None:
    assert "TEMP B-TREE" not in plan(large, *query._events_sql(Filter()))
    rows = cast("Generator[dict[str, Any], None, None]", query.query(large, Filter(), 0))
    assert next(rows)["tool_use_id"] == "c1"
    rows.close()
    assert sum(1 for _ in query.query(large, Filter(), 0)) == 100_000


def test_the_newest_of_a_large_ledger_need_no_sorting(large: Path) -> None:
    rows = list(query.query(large, Filter(tool="Bash"), 3))
    assert [row["tool_use_id"] for row in rows] == ["c99998", "c99999", "c100000"]
