"""What the daemon does about alerts: it takes in what is found, lets time pass, tells people.

Whoever finds something only hands it over; all else happens in the daemon's tick. What cannot be
kept at once is kept as soon as it can be.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from pointsman.alerts import sources
from pointsman.alerts.board import Board
from pointsman.alerts.terms import Terms, terms_of
from pointsman.model.alert import Finding, Gone, Severity
from pointsman.model.alerting import STOPPED_RULE, Change
from pointsman.model.approval import State, Transition
from pointsman.model.errors import AlertError, LedgerError
from pointsman.model.events import ErrorEscalation
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.model.watching import UNGUARDED
from pointsman.oversight import Oversight
from pointsman.serve.alert_desk import AlertDesk
from pointsman.serve.telling import Telling
from pointsman.store.alerts import AlertStore, fitting
from pointsman.store.backlog import Backlog
from pointsman.store.holds import HoldChange
from pointsman.store.ledger import Ledger
from pointsman.store.outbox import Outbox

_MOST_WAITING = 1000
_CLEARS = {"ledger caught up": "ledger failed"}
"""Notes that end what another note has begun."""

Settings = Callable[[], Mapping[str, Any]]
Report = Callable[..., None]
_Step = Callable[[], None]


class Alerting:
    """The alerts of one daemon, once it is attached to what finds something."""

    def __init__(
        self, places: Places, board: Board, report: Report, cover: Callable[[str], str]
    ) -> None:
        self._settings: Settings = dict
        self._read: tuple[Mapping[str, Any], Terms] = ({}, Terms())
        self._report = report
        self._cover = cover
        self._fault: Callable[[], str] = str
        self._note: Callable[..., None] = lambda *_said, **_more: None
        store = AlertStore(places.alerts)
        self.desk = AlertDesk(store, self.terms, cover, board)
        self.desk.told = self._told
        self._telling = Telling(Outbox(store), report, cover)
        self._waiting: deque[_Step] = deque()
        self._lost = 0
        self._complaint = ""
        self._faulty = False

    def attach(
        self,
        oversight: Oversight,
        ledger: Ledger,
        backlog: Backlog,
        policy: Callable[[str | None], Policy],
    ) -> None:
        """Take in what is found from now on, and put what becomes of it on record."""
        self._settings = lambda: policy(None).alerts
        self._note = ledger.note
        self._fault = lambda: backlog.error
        oversight.on_finding = self.taken
        oversight.on_escalation = self.escalated
        oversight.on_end = self.ended
        oversight.on_gone = self.over
        # Before the first request: who is on hold is so from the first call on.
        self._guarded(self.desk.fresh)

    def terms(self) -> Terms:
        """Return the settings in force; the same object as long as nothing changed."""
        settings = self._settings()
        if settings is not self._read[0]:
            self._read = settings, terms_of(settings)
        return self._read[1]

    # --- handed over: quick, and nothing here waits -------------------------------------------

    def taken(self, finding: Finding, *, lasting: bool = False) -> None:
        """Take what was found."""
        if finding.figures.get("rule") == STOPPED_RULE:
            return  # Denials of somebody whom a person has stopped are no news to people.
        clean = _clean(finding, self._cover)
        # What ran unguarded has happened: somebody has to look at it.
        stays = lasting or finding.detector == UNGUARDED
        self._later(lambda: self.desk.found(clean, lasting=stays))

    def escalated(self, event: ErrorEscalation, seq: int) -> None:
        """Take an escalation that is on record as event ``seq``."""
        found = sources.of_escalation(event, seq)
        if found is not None:
            self.taken(found[0], lasting=found[1])

    def ended(self, session: str, agent_id: str | None) -> None:
        """Take that a session, or an agent of it, has come to its end."""
        now = time.time_ns()
        self._later(lambda: self.desk.keep(self.desk.book.ended(session, agent_id, now)))

    def over(self, gone: Gone) -> None:
        """Take that something that was found is over."""
        now, key = time.time_ns(), fitting(self._cover(gone.key))[:500]
        same = replace(gone, key=key)
        self._later(lambda: self.desk.keep(self.desk.book.over(same, now)))

    def approval(self, change: Transition) -> None:
        """Take what has become of a question: it ends its alert once it waits no more."""
        if change.before and change.after != State.WAITING:
            self._cleared(sources.APPROVAL, change.id, f"{change.after}, by {change.by}")

    def noted(self, kind: str, text: str) -> None:
        """Take what the daemon says of itself."""
        if kind in _CLEARS:
            self._cleared(sources.DAEMON, _CLEARS[kind], text)
        found = sources.of_note(kind, text, time.time_ns())
        if found is not None:
            self.taken(found[0], lasting=found[1])

    def _cleared(self, detector: str, key: str, text: str) -> None:
        now = time.time_ns()
        said = fitting(self._cover(text))
        self._later(lambda: self.desk.keep(self.desk.book.cleared(detector, key, now, said)))

    def _later(self, step: _Step) -> None:
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(step)
        else:
            self._lost += 1

    # --- the tick ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what is due; a fault is told once until it changes, and costs no alert."""
        try:
            if self._guarded(self._tick):
                self._complaint = ""
        except Exception as error:  # noqa: BLE001 - alerts must not end the daemon's upkeep
            self._complain(f"{type(error).__name__}: {error}")
            if self._waiting:
                self._waiting.popleft()  # Else it would be met again for ever.

    def _guarded(self, work: _Step) -> bool:
        try:
            work()
        except AlertError as error:
            self.desk.unreadable(error)
            self._complain(f"{error}; {error.fix}")
            return False
        return True

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._report("alerts failed", text)
        self._complaint = text

    def _tick(self) -> None:
        desk = self.desk
        desk.fresh()
        if desk.store.aside:
            aside, desk.store.aside = desk.store.aside, ""
            text = f"{aside}: it was damaged; alerts in it, and whom people had stopped, are lost"
            self._report("alerts set aside", text)
        if not self.terms().enabled:
            self._waiting.clear()
            return
        self._look_at_record()
        while self._waiting:
            # Taken out only once it is kept: what fails is tried again.
            self._waiting[0]()
            self._waiting.popleft()
        now = time.time_ns()
        desk.keep(desk.book.ticked(now, self.terms()))
        self._put_on_record()
        desk.show()
        self._telling.tick(self._sinks(), quiet=self.terms().is_quiet(now))
        if self._lost:
            self._report("alerts lost", f"{self._lost} findings came faster than they were kept")
            self._lost = 0

    def _look_at_record(self) -> None:
        fault = self._fault()
        now = time.time_ns()
        if fault and not self._faulty:
            text = self._cover(f"events cannot be put on record: {fault}")
            finding = Finding(
                detector=sources.DAEMON, key="ledger", severity=Severity.CRITICAL, summary=text,
                at_ns=now,
            )  # fmt: skip
            self.taken(finding, lasting=True)
        elif self._faulty and not fault:
            self._cleared(sources.DAEMON, "ledger", "events are put on record again")
        self._faulty = bool(fault)

    def _put_on_record(self) -> None:
        try:
            for change in self.desk.store.unnoted():
                self._note("alert", spoken(change), **_data(change))
                self.desk.store.noted(change.number)
            for each in self.desk.holds.unnoted():
                self._note(each.kind, said_of(each), **asdict(each.hold))
                self.desk.holds.noted(each.number)
        except LedgerError:
            return  # The daemon says so itself; until then they stand as not noted.

    def _told(self, change: Change) -> None:
        if change.tell:
            self._telling.put(_covered(change, self._cover), self._sinks())

    def _sinks(self) -> list[Mapping[str, Any]]:
        return list(self._settings().get("sinks", ()))

    def prune(self, older_than_ns: int) -> None:
        """Forget what is over since before this time."""
        self._guarded(lambda: self.desk.store.prune(older_than_ns))

    def status(self) -> dict[str, Any]:
        """Return what ``pointsman status`` shows of it."""
        try:
            named = {sink["name"] for sink in self._sinks()}
            unknown = [
                name for rung in self.terms().ladder for name in rung.sinks if name not in named
            ]
            return {
                "open": self.desk.store.counts(),
                "stopped": len(self.desk.holds.all()),
                "sinks": self._telling.status(self._sinks()),
                "unknown_sinks": sorted(set(unknown)),
                "fault": self._complaint,
            }
        except AlertError as error:
            fault = f"{error}; {error.fix}"
            return {"open": {}, "stopped": 0, "sinks": [], "unknown_sinks": [], "fault": fault}

    async def close(self) -> None:
        """Keep what is left, end what is under way."""
        self._guarded(self._tick)
        await self._telling.close()
        self.desk.store.close()


def spoken(change: Change) -> str:
    """Return a change as the record says it."""
    alert = change.alert
    who = f"{alert.detector} ({alert.agent}, session {alert.session or 'none'})"
    said = f": {change.text}" if change.text else ""
    return f"alert {alert.number} {change.before} → {change.after}, by {change.by}: {who}{said}"


def said_of(change: HoldChange) -> str:
    """Return who was stopped or let go on, as the record says it."""
    hold = change.hold
    who = (
        f"agent {hold.agent_id} of session {hold.session}"
        if hold.agent_id
        else (f"session {hold.session}")
    )
    return f"{who}, by {hold.by}" + (f": {hold.reason}" if hold.reason else "")


def _data(change: Change) -> dict[str, Any]:
    alert = change.alert
    return {
        "change": change.number, "alert": alert.number, "before": change.before.value,
        "after": change.after.value, "severity": alert.severity.value,
        "detector": alert.detector, "key": alert.key, "session": alert.session,
        "agent_id": alert.agent_id, "by": change.by, "seqs": list(alert.seqs),
    }  # fmt: skip


def _clean(finding: Finding, cover: Callable[[str], str]) -> Finding:
    """Return a finding as it can be kept and told: no secret, nothing that no text can hold."""
    figures = {
        name: fitting(cover(value)) if isinstance(value, str) else value
        for name, value in finding.figures.items()
    }
    key, summary = fitting(cover(finding.key)), fitting(cover(finding.summary))
    return replace(finding, key=key[:500], summary=summary[:2000], figures=figures)


def _covered(change: Change, cover: Callable[[str], str]) -> Change:
    summary = cover(change.alert.summary)
    return replace(change, text=cover(change.text), alert=replace(change.alert, summary=summary))
