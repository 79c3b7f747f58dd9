"""Alerts as pages and programs see them, and answers that only the daemon carries out."""

import json
import os
from pathlib import Path

import pytest

from pointsman.alerts.terms import Terms
from pointsman.model.alert import Finding, Severity
from pointsman.serve.alert_desk import AlertDesk
from pointsman.store.alerts import AlertStore

from .conftest import Site


def filled(site: Site) -> AlertDesk:
    """Put three alerts there: one open, one taken up, one over; and a session that is stopped."""
    desk = AlertDesk(AlertStore(site.places.alerts), Terms, str)
    for number, key in enumerate("abc", 1):
        desk.found(
            Finding(
                detector="repetition", key=key, severity=Severity.WARNING, summary=f"{key} again",
                at_ns=number * 10**9, session="s1", agent_id="w" if key == "a" else None,
                agent_type="worker" if key == "a" else None,
            ),
            lasting=False,
        )  # fmt: skip
    desk.acknowledge(2, "me", "")
    desk.resolve(3, "me", "")
    desk.stop("1", "", "me", "enough", whole=False)
    return desk


def test_the_alerts_and_whom_people_have_stopped(site: Site) -> None:
    desk = filled(site)
    found = site.get("/api/alerts").json()
    assert found["available"]
    assert [each["number"] for each in found["alerts"]] == [3, 2, 1]
    assert found["open"] == {"warning": 1, "acknowledged": 1}
    assert [(each["session"], each["agent_id"]) for each in found["stops"]] == [("s1", "w")]
    assert found["newest"] == 5
    some = site.get("/api/alerts?state=open").json()["alerts"]
    assert [each["number"] for each in some] == [2, 1]
    assert site.get("/api/alerts?session=other").json()["alerts"] == []
    one = site.get("/api/alerts/2").json()
    assert [each["after"] for each in one["history"]] == ["warning", "acknowledged"]
    assert one["stopped"][0]["reason"] == "enough"
    desk.store.close()


def test_where_nothing_was_watched(site: Site) -> None:
    assert site.get("/api/alerts").json()["available"] is False
    assert site.get("/api/alerts/1").status == 400


def test_there_is_no_such_alert(site: Site) -> None:
    desk = filled(site)
    answer = site.get("/api/alerts/99")
    assert (answer.status, answer.json()["error"]) == (503, "no alert has the number 99")
    desk.store.close()


ANSWERS = ["alerts/1/ack", "alerts/1/resolve", "alerts/1/stop", "sessions/s1/resume"]


@pytest.mark.parametrize("path", ANSWERS)
def test_an_answer_needs_the_daemon_and_says_so(site: Site, path: str) -> None:
    desk = filled(site)
    answer = site.post(f"/api/{path}")
    assert (answer.status, answer.json()["fix"]) == (503, "pointsman up")
    assert desk.store.get(1).state.value == "warning"
    desk.store.close()


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("alerts/1/burn", b"{}", "application/json"),
        ("alerts/1/ack", b"{", "application/json"),
        ("alerts/1/ack", b"[]", "application/json"),
        ("alerts/1/ack", b"{}", "text/plain"),
        ("sessions/s1/ack", b"{}", "application/json"),
    ],
)
def test_an_answer_that_is_none_is_refused(site: Site, path: str, body: bytes, kind: str) -> None:
    assert site.post(f"/api/{path}", body, **{"content-type": kind}).status == 400


def test_nobody_answers_from_inside_of_a_session(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from pointsman.web import acting

    desk = filled(site)
    # The kernel says which process it is; here it is one whose environment names the session.
    import subprocess

    env = {**os.environ, "CLAUDE_CODE_SESSION_ID": "s1"}
    with subprocess.Popen(["cat"], env=env, stdin=subprocess.PIPE) as inside:
        monkeypatch.setattr(acting, "pid_of", lambda _client, _server: inside.pid)
        answer = site.post("/api/alerts/1/ack", json.dumps({"note": "x"}).encode())
    assert answer.status == 503
    assert "inside an agent's session" in answer.json()["error"]
    desk.store.close()
