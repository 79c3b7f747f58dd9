"""What went wrong, put together from the record."""

import json
from pathlib import Path
from typing import Any

from pointsman.model.decision import Decision
from pointsman.model.event import Identity
from pointsman.model.events import ErrorEscalation
from pointsman.store.alert_pages import alerts
from pointsman.store.ledger import Ledger
from pointsman.store.query import opened
from pointsman.store.record import Record
from store.records import record


def wrong(rule: str, session: str, at: int, payload: Any = None, **who: Any) -> Record:
    event = ErrorEscalation(
        identity=Identity(host="claude-code", session=session, **who),
        received_ns=at * 10**6,
        trigger="tool failed",
        summary=f"{rule} at {at}",
    )
    decision = Decision(action=None, reason=event.summary, rule=rule)
    body = b"" if payload is None else json.dumps(payload).encode()
    return Record(event=event, decision=decision, payload=body, transport="derived")


def test_one_row_for_each_cause_session_and_agent_the_critical_first(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.append([
        record("plain"),
        wrong("watch.cycle", "s1", 100, {"severity": "critical", "seqs": [1]}),
        wrong("escalation.tool-failed", "s1", 200, agent_id="a1", agent_type="reviewer"),
        wrong("escalation.tool-failed", "s1", 300, [], agent_id="a1", agent_type="reviewer"),
        wrong("escalation.tool-failed", "s2", 400, {"severity": 7, "seqs": "none"}),
    ])  # fmt: skip
    with opened(tmp_path / "ledger.db") as connection:
        found = alerts(connection)
    ledger.close()
    assert [(one["cause"], one["session"], one["agent"], one["count"]) for one in found] == [
        ("watch.cycle", "s1", "main", 1),
        ("escalation.tool-failed", "s2", "main", 1),
        ("escalation.tool-failed", "s1", "reviewer", 2),
    ]
    assert [one["severity"] for one in found] == ["critical", "warning", "warning"]
    assert (found[0]["seqs"], found[1]["seqs"]) == ([1], [])
    assert (found[2]["first"], found[2]["last"], found[2]["seq"]) == (200, 300, 4)
    assert found[2]["summary"] == "escalation.tool-failed at 300"


def test_an_empty_ledger_has_none(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger.db").close()
    with opened(tmp_path / "ledger.db") as connection:
        assert alerts(connection) == []
