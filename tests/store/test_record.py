"""From what was decided to the columns of the ledger."""

import json
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.answer import Answer
from pointsman.model.decision import NO_OPINION, Cause, ask, deny, failure, inject
from pointsman.model.event import Identity, UnknownEvent
from pointsman.store.migrate import migrate
from pointsman.store.record import Record, event_row, run_row

from .records import record, run

COLUMNS = (
    "seq", "received_ns", "host", "event", "session", "agent_id", "agent_type", "parent",
    "prompt_id", "tool_use_id", "tool", "path", "cwd", "repository", "permission_mode", "decision",
    "rule", "reason", "hook", "cause", "context", "duration_ns", "exit_code", "transport",
    "client", "client_version", "problems", "derived_from",
)  # fmt: skip


def named(one: Record) -> dict[str, object]:
    return dict(zip(COLUMNS, event_row(5, None, one), strict=True))


def test_the_columns_are_those_of_the_table() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    found = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
    connection.close()
    assert tuple(found) == COLUMNS


def test_a_row() -> None:
    row = named(
        record("t9", agent_id="a1", agent_type="tester", path="/x/y.py", tool="Write", cwd="/x",
               at=42, decision=deny("because", rule="scope.forbidden").by("scope"),
               answer=Answer(2), duration_ns=9, client="native", client_version="1")
    )  # fmt: skip
    wanted = {
        "seq": 5, "received_ns": 42, "event": "PreToolUse", "session": "s1", "agent_id": "a1",
        "agent_type": "tester", "tool_use_id": "t9", "tool": "Write", "path": "/x/y.py",
        "decision": "deny", "rule": "scope.forbidden", "reason": "because", "hook": "scope",
        "cause": "violation", "exit_code": 2, "duration_ns": 9, "client": "native",
    }  # fmt: skip
    assert {key: row[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("decision", "action", "cause"),
    [
        (NO_OPINION, "none", None),
        (inject("more"), "none", None),
        (ask("?", rule="r"), "ask", Cause.UNVERIFIED),
        (failure("broken", rule="r"), "deny", Cause.FAILURE),
    ],
)
def test_what_was_decided(decision, action: str, cause: Cause | None) -> None:  # type: ignore[no-untyped-def]
    row = named(record(decision=decision))
    assert row["decision"] == action
    if action != "ask":
        assert row["cause"] == cause


def test_problems_are_kept() -> None:
    event = UnknownEvent(
        name="New", identity=Identity(host="h"), unknown=("x",), problems=("y is no text",)
    )
    problems = named(Record(event=event))["problems"]
    assert json.loads(str(problems)) == {"problems": ["y is no text"], "unknown_fields": ["x"]}


def test_a_run() -> None:
    row = run_row(5, 2, run(decision=deny("no", rule="r"), lines=('{"a": 1}',), reason="why"))
    assert row == (
        5, 2, "scope", "guard", "PreToolUse", 7, 1_500_000, "no opinion", 2500, "why", "deny", "r",
        '["{\\"a\\": 1}"]',
    )  # fmt: skip


def test_a_long_text_is_cut() -> None:
    reason = str(named(record(decision=deny("x" * 100_000)))["reason"])
    assert len(reason) == 16 * 1024
    assert reason.endswith("…")


@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_can_be_stored(text: str) -> None:
    one = record(text, decision=deny(text, rule=text), agent_id=text, cwd=text, tool=text)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    connection.execute(f"INSERT INTO events VALUES ({','.join('?' * 28)})", event_row(1, None, one))
    (found,) = connection.execute("SELECT reason FROM events").fetchone()
    connection.close()
    assert found == text.encode("utf-8", "backslashreplace").decode()
