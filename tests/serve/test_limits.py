"""The real daemon under limits: runs end, a restart forgets nothing, findings are on record."""

import json
from typing import Any

from pointsman.store import query

from .live import HARMLESS, OTHER, Live, payload, until


def limited(rig: Live, *tables: str) -> None:
    rig.places.user_config.parent.mkdir(parents=True)
    text = "".join(f"[[limits]]\n{table}\n" for table in tables)
    rig.places.user_config.write_text(text)


CALLS = 'per = "session"\nof = "calls"\nat = 2\nthen = "{}"'


def said(rig: Live, call: str, event: str = "PreToolUse", **more: Any) -> dict[str, Any]:
    done = rig.send(payload(call, HARMLESS, event, **more), event)
    value: dict[str, Any] = json.loads(done.stdout or b"{}")
    return {"code": done.returncode, "stderr": done.stderr.decode(), **value}


def test_the_run_ends_at_the_limit(rig: Live) -> None:
    limited(rig, CALLS.format("end"))
    assert [said(rig, f"t{number}")["code"] for number in range(2)] == [0, 0]
    behind = said(rig, "t1", OTHER)
    assert (behind["code"], behind["continue"]) == (0, False)
    assert "limit of 2 calls for this session is reached" in behind["stopReason"]
    before = said(rig, "t2")
    assert (before["code"], before["continue"]) == (2, False)
    assert before["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert str(rig.places.user_config) in before["stderr"]
    prompt = said(rig, "p", "UserPromptSubmit", prompt="go on")
    assert prompt["code"] == 2
    assert said(rig, "x", session_id="another")["code"] == 0
    rules = [row["rule"] for row in rig.rows() if row["hook"] == "limits"]
    assert rules == ["limit.session-calls"] * 3


def test_what_was_used_survives_a_restart(rig: Live) -> None:
    limited(rig, CALLS.format("deny"), 'per = "day"\nof = "calls"\nat = 4\nthen = "deny"')
    assert [said(rig, f"t{number}")["code"] for number in range(2)] == [0, 0]
    assert said(rig, "d", session_id="second")["code"] == 0
    rig.kill()
    assert said(rig, "t2")["code"] == 2, "the session's limit"
    assert said(rig, "e", session_id="third")["code"] == 0
    last = said(rig, "f", session_id="third")
    assert last["code"] == 2
    assert "limit of 4 calls for today is reached: 4 calls are used" in last["stderr"]


def test_a_loop_is_found_and_on_record_while_it_goes_on(rig: Live) -> None:
    for number in range(6):
        rig.call(f"t{number}")

    def found() -> list[dict[str, Any]]:
        return list(query.query(rig.places.ledger, query.Filter(event="WatchFinding")))

    # Each goes on record after the answer to its own call.
    until(lambda: len(found()) == 2, "found")
    rows = found()
    assert {row["rule"] for row in rows} == {"watch.repetition", "watch.cycle"}
    assert {row["session"] for row in rows} == {"live"}
    whole = query.show(rig.places.ledger, rows[0]["seq"])
    assert json.loads(whole["payload"])["figures"]["count"] == 5
    until(lambda: "alert" in rig.notes(), "an alert")
    done = rig.command("ledger", "query", "--event", "WatchFinding")
    assert "the same Bash call 5 times" in done.stdout
