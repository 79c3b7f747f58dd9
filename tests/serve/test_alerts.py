"""The real daemon: a loop becomes an alert, a person stops who loops, at the very next event."""

import json
from typing import Any

import pytest

from pointsman.store import query

from .live import HARMLESS, OTHER, Live, payload, until


def rows(rig: Live, *words: str) -> list[dict[str, Any]]:
    done = rig.command("alerts", *words, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def looping(rig: Live, **who: Any) -> dict[str, Any]:
    """Let somebody loop; return the alert."""
    for number in range(5):
        rig.send(payload(f"t{number}", **who))
    until(lambda: rows(rig, "list"), "an alert")
    return next(row for row in rows(rig, "list") if row["detector"] == "repetition")


def said(rig: Live, call: str, event: str = "PreToolUse", **more: Any) -> dict[str, Any]:
    done = rig.send(payload(call, HARMLESS, event, **more), event)
    value: dict[str, Any] = json.loads(done.stdout or b"{}")
    return {"code": done.returncode, "stderr": done.stderr.decode(), **value}


@pytest.mark.parametrize("restart", [False, True])
def test_a_stop_takes_hold_at_the_very_next_event(rig: Live, restart: bool) -> None:
    alert = looping(rig)
    done = rig.command("alerts", "stop", str(alert["number"]), "--reason", "that is enough")
    assert done.returncode == 0, done.stderr
    if restart:
        rig.kill()
    behind = said(rig, "t4", OTHER)
    assert (behind["code"], behind["continue"]) == (0, False)
    before = said(rig, "t5")
    assert (before["code"], before["continue"]) == (2, False)
    assert "has stopped this session: that is enough" in before["stderr"]
    assert said(rig, "p", "UserPromptSubmit", prompt="go on")["code"] == 2
    assert said(rig, "x", session_id="another")["code"] == 0
    assert rig.command("alerts", "resume", "live").returncode == 0
    assert said(rig, "t6")["code"] == 0
    until(lambda: "agent resumed" in rig.notes(), "on record")
    assert "agent stopped" in rig.notes()


def test_one_subagent_is_stopped_and_the_others_go_on(rig: Live) -> None:
    worker = {"agent_id": "a1", "agent_type": "worker"}
    alert = looping(rig, **worker)
    assert alert["agent_id"] == "a1"
    assert rig.command("alerts", "stop", str(alert["number"])).returncode == 0
    stopped = said(rig, "s1", **worker)
    assert stopped["code"] == 2
    assert "continue" not in stopped
    assert said(rig, "s2", agent_id="a2", agent_type="worker")["code"] == 0
    assert said(rig, "s3")["code"] == 0


def test_without_a_daemon_an_answer_is_kept_and_the_next_one_goes_by_it(rig: Live) -> None:
    alert = looping(rig)
    rig.kill()
    number = str(alert["number"])
    assert rig.command("alerts", "ack", number, "--note", "seen").returncode == 0
    assert rig.command("alerts", "stop", "live").returncode == 0
    assert said(rig, "t9")["code"] == 2
    again = rig.command("alerts", "ack", number)
    assert again.returncode == 1
    assert f"alert {number} is acknowledged already" in again.stderr
    shown = json.loads(rig.command("alerts", "show", number, "--json").stdout)
    assert [each["after"] for each in shown["history"]] == ["warning", "acknowledged"]
    assert [each["session"] for each in shown["stopped"]] == ["live"]
    until(lambda: {"alert", "agent stopped"} <= set(rig.notes()), "on record")


def test_an_agent_answers_nothing(rig: Live) -> None:
    alert = looping(rig)
    number = str(alert["number"])
    for words in ("ack 1", "resolve 1", "stop other", "resume live"):
        assert rig.call("c", f"pointsman alerts {words}").returncode == 2
    assert rig.call("c", "pointsman alerts list --all").returncode == 0
    env = {**rig.env, "CLAUDE_CODE_SESSION_ID": "live"}
    rig.env, mine = env, rig.env
    done = rig.command("alerts", "ack", number)
    rig.env = mine
    assert done.returncode == 1
    assert "inside an agent's session" in done.stderr
    assert {row["state"] for row in rows(rig, "list")} == {"warning"}


def test_the_session_ends_and_its_alerts_with_it(rig: Live) -> None:
    alert = looping(rig)
    rig.send(payload("e", event="SessionEnd", reason="other"), "SessionEnd")
    until(lambda: not rows(rig, "list"), "over")
    assert rig.status()["alerts"]["open"] == {}
    (row,) = [each for each in rows(rig, "list", "--all") if each["number"] == alert["number"]]
    assert row["state"] == "recovered"


def test_whoever_follows_goes_on_behind_the_last_change(rig: Live) -> None:
    looping(rig)
    import subprocess

    from .live import COMMAND

    words = [str(COMMAND), "alerts", "--follow", "--after", "0", "--json"]
    with subprocess.Popen(words, env=rig.env, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        first = json.loads(follower.stdout.readline())
        follower.terminate()
    assert (first["change"], first["before"], first["after"]) == (1, "ok", "warning")
    kinds = [note["kind"] for note in query.notes(rig.places.ledger)]
    assert "alert" in kinds
