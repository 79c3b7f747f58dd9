"""``pointsman alerts`` and ``incident`` as a person types them, with and without a daemon."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from approving import question
from pointsman.alerts.terms import Terms
from pointsman.model.alert import Finding, Severity
from pointsman.serve.alert_desk import AlertDesk
from pointsman.store.alerts import AlertStore
from pointsman.store.approvals import Approvals, moment

from .conftest import Machine


def filled(machine: Machine, **more: str) -> None:
    """Put one alert there."""
    machine.state.mkdir(mode=0o700, exist_ok=True)
    desk = AlertDesk(AlertStore(machine.state / "alerts.db"), Terms, str)
    given: dict[str, Any] = {"detector": "repetition", "key": "k", "session": "s1", **more}
    desk.found(
        Finding(severity=Severity.CRITICAL, summary="again \x1b[2J and again",
                at_ns=time.time_ns(), **given),
        lasting=True,
    )  # fmt: skip
    desk.store.close()


def test_where_nothing_was_watched(machine: Machine) -> None:
    assert machine.run("alerts").out == "nothing is open\n"
    assert machine.run("alerts", "stops").out == "nobody is stopped\n"
    ended = machine.run("alerts", "ack", "1")
    assert (ended.code, "pointsman up" in ended.err) == (1, True)
    ended = machine.run("incident", "1")
    assert (ended.code, "no alert has the number 1" in ended.err) == (1, True)


def test_from_the_finding_to_its_end(machine: Machine) -> None:
    filled(machine)
    listed = machine.run("alerts")
    assert "\x1b" not in listed.out, "what was found moves no cursor"
    assert "critical" in listed.out
    shown = machine.run("alerts", "show", "1").out
    assert "pointsman alerts ack 1" in shown
    assert machine.run("alerts", "ack", "1", "--note", "mine").out == "alert 1 is acknowledged\n"
    assert machine.run("alerts", "stop", "1").out.startswith("all of session s1 is stopped")
    assert "the whole session" in machine.run("alerts", "stops").out
    assert "pointsman alerts resume s1" in machine.run("alerts", "show", "1").out
    assert machine.run("alerts", "resume", "1").out == "session s1 may go on\n"
    assert machine.run("alerts", "resolve", "1", "--json").rows()[0]["state"] == "recovered"
    assert machine.run("alerts", "list", "--state", "recovered", "--json").rows()[0]["number"] == 1
    draft = machine.run("incident", "1")
    assert draft.code == 0, draft.err
    assert "## Prevention" in draft.out
    assert "\x1b" not in draft.out
    whole = json.loads(machine.run("incident", "1", "--json").out)
    assert whole["resolution"]["over"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ack", "9"), "no alert has the number 9"),
        (("stop", "9"), "no alert has the number 9"),
        (("resume", "nobody"), "nobody is stopped in session 'nobody'"),
        (("approve", "1"), "no question waits behind it"),
    ],
)
def test_what_cannot_be_done(machine: Machine, words: tuple[str, ...], said: str) -> None:
    filled(machine)
    ended = machine.run("alerts", *words)
    assert (ended.code, said in ended.err) == (1, True), ended.err


@pytest.mark.parametrize(("verb", "state"), [("approve", "approved"), ("deny", "refused")])
def test_a_question_is_answered_from_its_alert(machine: Machine, verb: str, state: str) -> None:
    machine.state.mkdir(mode=0o700)
    store = Approvals(Path(machine.state / "approvals.db"))
    one = question(created_ns=moment().wall_ns, wait_until_ns=moment().wall_ns + 10**12)
    store.add(one)
    filled(machine, detector="approval", key=one.id)
    assert "pointsman alerts approve 1" in machine.run("alerts", "show", "1").out
    ended = machine.run("alerts", verb, "1")
    assert ended.code == 0, ended.err
    assert store.get(one.id).state.value == state
    store.close()
