"""What went wrong with a file is found in the ledger, at once, and told by its own words."""

import json
import sqlite3
from pathlib import Path

from pointsman.model.decision import deny
from pointsman.model.events import PostToolUseFailure, PreEdit
from pointsman.store.ledger import Ledger
from pointsman.store.past_failures import failures_in
from pointsman.store.record import Record

from .records import record


def failed(path: str, error: str) -> Record:
    event = PostToolUseFailure(
        identity=record().event.identity,
        received_ns=5,
        tool_name="Edit",
        tool_input={"file_path": path},
        error=error,
    )
    return Record(
        event=event, decision=record().decision, payload=json.dumps({"error": error}).encode()
    )


def test_refusals_and_failures_of_one_file_the_newest_first(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    refused = record(path="/r/a.ts", tool="Edit", decision=deny("outside the contract"))
    derived = PreEdit(identity=refused.event.identity, tool_name="Edit", files=("/r/a.ts",))
    twice = Record(
        event=refused.event, decision=refused.decision, payload=b"{}",
        derived=(Record(event=derived, decision=refused.decision, transport="derived"),),
    )  # fmt: skip
    ledger.append([
        twice,
        record(path="/r/a.ts", tool="Edit"),
        failed("/r/a.ts", "String not found"),
        failed("/r/b.ts", "other"),
    ])  # fmt: skip
    ledger.close()
    failures = failures_in(tmp_path / "ledger.db")
    assert [(each.what, each.text) for each in failures("/r/a.ts", 5)] == [
        ("Edit failed", "String not found"),
        ("Edit refused", "outside the contract"),
    ]
    assert [each.what for each in failures("/r/a.ts", 1)] == ["Edit failed"]
    assert list(failures("/r/c.ts", 5)) == []


def test_it_is_looked_up_in_an_index(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger.db").close()
    connection = sqlite3.connect(tmp_path / "ledger.db")
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT seq FROM events WHERE path != '' AND (decision = 'deny'"
        " OR event = 'PostToolUseFailure') AND path = ? AND event != 'PreEdit'"
        " ORDER BY seq DESC LIMIT 3",
        ("/r/a.ts",),
    ).fetchall()
    connection.close()
    assert "failures_by_path" in str(plan)


def test_a_ledger_that_is_not_there_knows_of_nothing(tmp_path: Path) -> None:
    assert list(failures_in(tmp_path / "ledger.db")("/r/a.ts", 5)) == []
