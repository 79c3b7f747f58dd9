"""Alerts in the daemon: kept, told, answered by people, and still there after a restart."""

import contextlib
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from pointsman.alerts.board import Board
from pointsman.alerts.terms import Terms
from pointsman.model.alert import Finding, Gone, Severity
from pointsman.model.alerting import Change, State
from pointsman.model.errors import AlertError, LedgerError
from pointsman.model.event import Identity
from pointsman.model.events import ErrorEscalation, PreToolUse
from pointsman.model.places import Places
from pointsman.serve.alert_desk import AlertDesk
from pointsman.serve.alerting import Alerting
from pointsman.serve.insider import refuse_insider
from pointsman.store.alerts import AlertStore
from pointsman.store.ledger import Ledger
from store.records import record

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


class Rig:
    """What the daemon has of alerts, without the daemon."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.places = Places(folder, folder / "config")
        self.settings = settings
        self.board = Board()
        self.said: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []
        self.fault = ""
        self.full = False
        self.alerting = Alerting(
            self.places, self.board, self.report, lambda text: text.replace(TOKEN, "[covered]")
        )
        self.alerting._settings = lambda: self.settings
        self.alerting._note = self.note
        self.alerting._fault = lambda: self.fault

    def report(self, kind: str, text: str) -> None:
        self.said.append((kind, text))
        self.alerting.noted(kind, text)

    def note(self, kind: str, text: str, **data: object) -> None:
        if self.full:
            raise LedgerError("the disk is full")
        self.notes.append((kind, text))

    @property
    def store(self) -> AlertStore:
        return self.alerting.desk.store

    def states(self) -> list[tuple[int, str]]:
        return [(each.number, each.state.value) for each in self.store.some()]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def finding(key: str = "k", severity: str = "warning", **more: Any) -> Finding:
    return Finding(
        detector="repetition", key=key, severity=Severity(severity), summary=f"{key} again",
        at_ns=time.time_ns(), **{"session": "s", **more},
    )  # fmt: skip


def event(session: str = "s", agent_id: str | None = None) -> PreToolUse:
    return PreToolUse(identity=Identity(host="h", session=session, agent_id=agent_id))


def test_what_is_handed_over_is_kept_with_the_tick_and_put_on_record(rig: Rig) -> None:
    rig.alerting.taken(finding())
    assert not rig.places.alerts.exists(), "whoever hands it over waits for no disk"
    rig.alerting.tick()
    rig.alerting.taken(finding())
    rig.alerting.taken(finding(severity="critical"))
    rig.alerting.tick()
    assert rig.states() == [(1, "critical")]
    assert rig.store.get(1).count == 3
    kinds = [kind for kind, _ in rig.notes]
    assert kinds == ["alert", "alert"]
    assert "alert 1 ok → warning, by repetition" in rig.notes[0][1]
    assert "alert 1 warning → critical" in rig.notes[1][1]
    assert rig.places.alerts.stat().st_mode & 0o777 == 0o600


def test_a_restart_keeps_it_all(rig: Rig, tmp_path: Path) -> None:
    rig.alerting.taken(finding())
    rig.alerting.taken(finding("x", agent_id="a"))
    rig.alerting.tick()
    rig.alerting.desk.acknowledge(1, "me", "on it")
    rig.alerting.desk.stop("2", "", "me", "enough", whole=False)
    rig.store.close()
    again = Rig(tmp_path)
    again.alerting._guarded(again.alerting.desk.fresh)
    hold = again.board.held(event(agent_id="a"))
    assert hold is not None
    assert (hold.reason, hold.alert) == ("enough", 2)
    again.alerting.taken(finding())
    again.alerting.taken(finding("new"))
    again.alerting.tick()
    assert again.states() == [(1, "acknowledged"), (2, "warning"), (3, "warning")]


def test_changes_are_in_one_order_that_never_goes_back(rig: Rig) -> None:
    for key in "abc":
        rig.alerting.taken(finding(key))
    rig.alerting.tick()
    last = rig.store.newest()
    rig.alerting.desk.resolve(2, "me", "")
    (change,) = rig.store.after(last)
    assert (change.number, change.alert.number, change.after) == (last + 1, 2, State.RECOVERED)
    rig.store.prune(time.time_ns() + 10**9)
    rig.alerting.tick()
    rig.store.prune(time.time_ns() + 10**9)
    rig.alerting.taken(finding("d"))
    rig.alerting.tick()
    assert rig.store.get(4).key == "d", "what is forgotten gives no number away"
    assert rig.store.after(change.number)[-1].number > change.number


def test_of_two_that_move_one_alert_one_does(rig: Rig) -> None:
    rig.alerting.taken(finding())
    rig.alerting.tick()
    other = AlertDesk(AlertStore(rig.places.alerts), Terms, str)
    other.acknowledge(1, "other", "")
    with pytest.raises(AlertError, match="alert 1 is acknowledged already, by other"):
        rig.alerting.desk.acknowledge(1, "me", "")
    rig.alerting.taken(finding("x"))
    rig.alerting.tick()
    assert rig.states() == [(1, "acknowledged"), (2, "warning")]
    other.store.close()


def test_a_change_that_starts_elsewhere_is_not_kept(rig: Rig) -> None:
    rig.alerting.taken(finding())
    rig.alerting.tick()
    alert = rig.store.get(1)
    stale = Change(alert=alert, before=State.CRITICAL, ns=1, by="x", text="")
    assert rig.store.keep(stale) == 0
    assert len(rig.store.history(1)) == 1


def test_a_person_stops_an_agent_a_session_and_lets_them_go_on(rig: Rig) -> None:
    rig.alerting.taken(finding(agent_id="a", agent_type="worker"))
    rig.alerting.tick()
    desk = rig.alerting.desk
    desk.stop("1", "", "me", f"it leaks {TOKEN}", whole=False)
    hold = rig.board.held(event(agent_id="a"))
    assert hold is not None
    assert hold.reason == "it leaks [covered]"
    assert rig.board.held(event()) is None
    assert rig.board.held(event(agent_id="b")) is None
    desk.stop("1", "", "me", "", whole=True)
    assert rig.board.held(event()) is not None
    assert rig.board.held(event("t")) is None
    assert desk.resume("s", "", "me") == ("s", 2)
    assert not rig.board.holds
    with pytest.raises(AlertError, match="nobody is stopped in session 's'"):
        desk.resume("s", "", "me")
    rig.alerting.tick()
    kinds = [kind for kind, _ in rig.notes]
    assert kinds == ["alert", "agent stopped", "agent stopped", "agent resumed"]


def test_the_ladder_stops_an_agent_that_nobody_looks_after(rig: Rig) -> None:
    rig.settings = {"ladder": [{"after": 0.001, "do": "stop-session", "least": "critical"}]}
    rig.alerting.taken(finding(severity="critical", agent_id="a"))
    rig.alerting.taken(finding("x", session="t"))
    rig.alerting.tick()
    time.sleep(0.1)
    rig.alerting.tick()
    hold = rig.board.held(event())
    assert hold is not None
    assert hold.by == "the ladder of alerts"
    assert rig.board.held(event("t")) is None, "a warning stops nobody here"


def test_what_cannot_be_kept_is_kept_later(rig: Rig) -> None:
    rig.places.alerts.mkdir()
    rig.alerting.taken(finding())
    rig.alerting.tick()
    rig.alerting.tick()
    assert [kind for kind, _ in rig.said] == ["alerts failed"], "said once"
    rig.places.alerts.rmdir()
    rig.alerting.tick()
    assert rig.states() == [(1, "warning")]


def test_who_cannot_be_told_apart_is_stopped(rig: Rig) -> None:
    rig.places.alerts.mkdir()
    rig.alerting._guarded(rig.alerting.desk.fresh)
    assert rig.board.holds
    with pytest.raises(AlertError, match="whether a person has stopped this agent cannot be told"):
        rig.board.held(event())
    rig.places.alerts.rmdir()
    rig.alerting.tick()
    assert rig.board.held(event()) is None


def test_a_damaged_file_is_set_aside_and_lets_nobody_go_on(rig: Rig) -> None:
    rig.alerting.tick()
    rig.alerting.desk.stop("s", "", "me", "", whole=True)
    rig.store.close()
    for each in rig.places.state.glob("alerts.db*"):
        each.unlink()
    rig.places.alerts.write_bytes(b"no database" * 1000)
    rig.alerting.tick()
    rig.alerting.tick()
    assert rig.board.held(event()) is not None
    assert [hold.session for hold in rig.alerting.desk.holds.all()] == ["s"]
    assert [kind for kind, _ in rig.said] == ["alerts set aside"]
    assert [each.key for each in rig.store.some()] == ["alerts set aside"]


def test_a_file_that_is_taken_away_lets_nobody_go_on(rig: Rig) -> None:
    rig.alerting.tick()
    rig.alerting.desk.stop("s", "", "me", "", whole=True)
    for each in rig.places.state.glob("alerts.db*"):
        each.unlink()
    rig.alerting.tick()
    assert rig.board.held(event()) is not None
    assert len(AlertStore(rig.places.alerts).some()) == 0
    assert [hold.session for hold in rig.alerting.desk.holds.all()] == ["s"]


def test_a_record_that_cannot_be_written_is_an_alert_and_what_is_not_noted_is_later(
    rig: Rig,
) -> None:
    rig.fault, rig.full = "the disk is full", True
    rig.alerting.tick()
    rig.alerting.tick()
    (alert,) = rig.store.some()
    assert (alert.detector, alert.key, alert.severity.value) == ("daemon", "ledger", "critical")
    assert rig.notes == []
    rig.fault, rig.full = "", False
    rig.alerting.tick()
    assert rig.states() == [(1, "recovered")]
    assert len(rig.notes) == 2


def test_secrets_and_what_no_text_can_hold_are_not_kept(rig: Rig) -> None:
    rig.alerting.taken(finding(f"\ud800 {TOKEN}", figures={"last": TOKEN, "count": 3}))
    rig.alerting.escalated(
        ErrorEscalation(
            identity=Identity(host="h", session="s"), received_ns=1, trigger="outside contract",
            key=f"it wrote {TOKEN}", summary=f"it wrote {TOKEN}",
        ),
        3,
    )  # fmt: skip
    rig.alerting.tick()
    rig.alerting.taken(finding(f"\ud800 {TOKEN}"))
    rig.alerting.tick()
    assert [each.count for each in rig.store.some()] == [2, 1]
    kept = b"".join(each.read_bytes() for each in rig.places.state.glob("alerts.db*"))
    assert TOKEN.encode() not in kept
    assert TOKEN not in repr(rig.notes)


def test_who_is_stopped_makes_no_alert_of_its_denials(rig: Rig) -> None:
    rig.alerting.taken(finding(figures={"rule": "stopped.by-person"}))
    rig.alerting.taken(finding("x", figures={"rule": "command.rm-tree"}))
    rig.alerting.tick()
    assert [each.key for each in rig.store.some()] == ["x"]


def test_a_question_is_an_alert_until_it_is_answered(rig: Rig) -> None:
    from pointsman.model.approval import Transition

    who = Identity(host="h", session="s")
    for trigger in ("approval asked", "approval waiting"):
        rig.alerting.escalated(
            ErrorEscalation(
                identity=who, received_ns=time.time_ns(), trigger=trigger, key="k7m2q9xd",
                summary="approval k7m2q9xd waits",
            ),
            3,
        )  # fmt: skip
    rig.alerting.tick()
    assert rig.states() == [(1, "critical")]
    for before, after in (("", "waiting"), ("waiting", "waiting"), ("waiting", "refused")):
        rig.alerting.approval(
            Transition(number=1, id="k7m2q9xd", ns=1, before=before, after=after, by="me", text="")
        )
        rig.alerting.tick()
        assert rig.states() == [(1, "recovered" if after == "refused" else "critical")]


def test_what_ends_ends_its_alerts(rig: Rig) -> None:
    rig.alerting.taken(finding(agent_id="a"))
    rig.alerting.taken(finding("x"))
    rig.alerting.ended("s", "a")
    rig.alerting.tick()
    assert rig.states() == [(1, "recovered"), (2, "warning")]
    rig.alerting.ended("s", None)
    rig.alerting.tick()
    assert rig.states() == [(1, "recovered"), (2, "recovered")]


def test_what_its_finder_says_is_over_has_recovered(rig: Rig) -> None:
    rig.alerting.taken(finding(f"k {TOKEN}"))
    rig.alerting.taken(finding("other"))
    rig.alerting.tick()
    rig.alerting.over(Gone(detector="repetition", key=f"k {TOKEN}", session="s"))
    rig.alerting.tick()
    assert dict(rig.states()) == {1: "recovered", 2: "warning"}
    assert rig.notes[-1][1].endswith("it is over")


def test_where_alerts_are_off_nothing_is_kept_but_whom_people_have_stopped(rig: Rig) -> None:
    rig.settings = {"enabled": False}
    rig.alerting.taken(finding())
    rig.alerting.tick()
    assert rig.states() == []
    rig.alerting.desk.stop("s", "", "me", "", whole=True)
    rig.alerting.tick()
    assert rig.board.held(event()) is not None


def test_more_than_it_can_hold_is_counted(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    from pointsman.serve import alerting as module

    monkeypatch.setattr(module, "_MOST_WAITING", 2)
    for key in "abcd":
        rig.alerting.taken(finding(key))
    rig.alerting.tick()
    assert rig.states() == [(1, "warning"), (2, "warning")]
    assert ("alerts lost", "2 findings came faster than they were kept") in rig.said


def test_a_fault_of_ours_does_not_end_the_upkeep(rig: Rig) -> None:
    def broken() -> None:
        raise ZeroDivisionError("no")

    rig.alerting._later(broken)
    rig.alerting.taken(finding())
    rig.alerting.tick()
    rig.alerting.tick()
    assert rig.said == [("alerts failed", "ZeroDivisionError: no")]
    assert rig.states() == [(1, "warning")]


# --- who answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("session", "refused"), [("s1", True), ("another", False), ("", False)])
def test_a_process_inside_a_session_on_record_answers_nothing(
    tmp_path: Path, session: str, refused: bool
) -> None:
    places = Places(tmp_path, tmp_path / "config")
    ledger = Ledger.open(places.ledger)
    ledger.append([record(session="s1")])
    ledger.close()
    env = {"PATH": os.environ["PATH"], "CLAUDE_CODE_SESSION_ID": session}
    # It asks from a child without that variable, too: what it descends from still has it.
    words = ["sh", "-c", "env -u CLAUDE_CODE_SESSION_ID sh -c 'echo $$; read x'; true"]
    shell = subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with shell:
        assert shell.stdout is not None
        pid = int(shell.stdout.readline())
        if refused:
            with pytest.raises(AlertError, match="inside an agent's session"):
                refuse_insider(places, pid)
        else:
            refuse_insider(places, pid)
    with pytest.raises(AlertError) if refused else contextlib.nullcontext():
        refuse_insider(places, 1, session)
