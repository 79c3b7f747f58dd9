"""The alerts that are open, and each step of their lives.

Pure: it is told what was found, what time it is and what people say, and returns what changes.
Bounded: where too many are open, the oldest warning gives way.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from pointsman.alerts.terms import Terms
from pointsman.model.alert import Finding, Gone, Severity
from pointsman.model.alerting import OPEN, UNATTENDED, Alert, Change, Rung, State

MOST_OPEN = 2000
_MOST_SEQS = 20
_RANK = {Severity.WARNING: 1, Severity.CRITICAL: 2}
TIME = "time"
"""By whom a step is that nobody took."""


@dataclass(slots=True)
class Book:
    """Every alert that is open, and those that are over since less than the cool-down.

    ``number`` is the highest number that was ever given to an alert.
    """

    number: int = 0
    _alerts: OrderedDict[tuple[str, str, str, str], Alert] = field(default_factory=OrderedDict)

    def load(self, alerts: Iterable[Alert], number: int) -> None:
        """Take the place of what was there before."""
        self._alerts = OrderedDict((each.identity, each) for each in alerts)
        self.number = number

    def __iter__(self) -> Iterator[Alert]:
        """Yield the alerts that are open, the oldest first."""
        return (each for each in tuple(self._alerts.values()) if each.state in OPEN)

    def get(self, number: int) -> Alert | None:
        """Return an open alert."""
        return next((each for each in self if each.number == number), None)

    # --- what is found -----------------------------------------------------------------------

    def found(self, finding: Finding, terms: Terms, *, lasting: bool = False) -> list[Change]:
        """Take in what was found: a new alert, one more sight of an open one, or a worse one.

        Nobody is told again of what is open and no worse.
        """
        known = self.of(finding)
        now = finding.at_ns
        if known is None or self._is_over(known, now, terms):
            changes = self._give_way(now)
            return [*changes, self._opened(finding, lasting=lasting)]
        seen = _seen(known, finding)
        state = State(finding.severity.value)
        if known.state is State.RECOVERED:
            # Nobody is told twice of what comes and goes, unless it comes back worse.
            worse = _RANK[finding.severity] > _RANK[known.severity]
            back = replace(seen, severity=finding.severity, level=0, opened_ns=now, by="")
            text = f"found again within the cool-down: {finding.summary}"
            return [self._step(back, state, now, finding.detector, text, tell=worse)]
        if _RANK[finding.severity] > _RANK[known.severity]:
            worse_now = replace(seen, severity=finding.severity, level=0, opened_ns=now, by="")
            text = f"it has become critical: {finding.summary}"
            return [self._step(worse_now, State.CRITICAL, now, finding.detector, text, tell=True)]
        self._put(seen)
        return []

    def of(self, finding: Finding) -> Alert | None:
        """Return the alert that a finding belongs to."""
        key = (finding.detector, finding.key, finding.agent_id or "", finding.session)
        return self._alerts.get(key)

    def _opened(self, finding: Finding, *, lasting: bool) -> Change:
        self.number += 1
        alert = Alert(
            number=self.number, state=State.OK, severity=finding.severity,
            detector=finding.detector, key=finding.key, summary=finding.summary,
            host=finding.host, session=finding.session, agent_id=finding.agent_id,
            agent_type=finding.agent_type, repository=finding.repository, lasting=lasting,
            opened_ns=finding.at_ns, seen_ns=finding.at_ns,
            seqs=finding.seqs[-_MOST_SEQS:], figures=dict(finding.figures),
        )  # fmt: skip
        state = State(finding.severity.value)
        return self._step(alert, state, finding.at_ns, finding.detector, finding.summary, tell=True)

    @staticmethod
    def _is_over(alert: Alert, now: int, terms: Terms) -> bool:
        past = now - alert.changed_ns >= terms.cool_down_s * 1e9
        return alert.state is State.RECOVERED and past

    def _give_way(self, now: int) -> list[Change]:
        """Make room for one more."""
        if len(self._alerts) < MOST_OPEN:
            return []
        order = (
            lambda each: each.state is State.RECOVERED,
            lambda each: each.severity is Severity.WARNING,
            lambda _: True,
        )  # fmt: skip
        oldest = next(filter(None, (self._first(each) for each in order)))
        if oldest.state is State.RECOVERED:
            del self._alerts[oldest.identity]
            return []
        text = f"more than {MOST_OPEN} alerts are open: the oldest gives way"
        change = self._step(oldest, State.RECOVERED, now, TIME, text)
        del self._alerts[oldest.identity]
        return [change]

    def _first(self, fits: Callable[[Alert], bool]) -> Alert | None:
        return next((each for each in self._alerts.values() if fits(each)), None)

    # --- what ends ---------------------------------------------------------------------------

    def cleared(self, detector: str, key: str, now: int, text: str) -> list[Change]:
        """End every alert of a detector and key: what it was about is no more."""
        gone = [each for each in self if (each.detector, each.key) == (detector, key)]
        return [self._step(each, State.RECOVERED, now, detector, text, tell=True) for each in gone]

    def over(self, gone: Gone, now: int) -> list[Change]:
        """End the alert of what whoever found it says is over."""
        known = self._alerts.get((gone.detector, gone.key, gone.agent_id or "", gone.session))
        if known is None or known.state not in OPEN or known.lasting:
            return []
        return [self._step(known, State.RECOVERED, now, gone.detector, "it is over", tell=True)]

    def ended(self, session: str, agent_id: str | None, now: int) -> list[Change]:
        """End what was found of a session, or of one agent of it, that has come to its end.

        What lasts stays: it has happened, and somebody has to look at it.
        """
        what = f"agent {agent_id} has ended" if agent_id else "the session has ended"
        gone = [
            each
            for each in self
            if each.session == session
            and not each.lasting
            and (agent_id is None or each.agent_id == agent_id)
        ]
        return [self._step(each, State.RECOVERED, now, TIME, what) for each in gone]

    def ticked(self, now: int, terms: Terms) -> list[Change]:
        """Let time pass: alerts end that are not seen any more, others climb the ladder."""
        changes: list[Change] = []
        for alert in self:
            if self._has_passed(alert, now, terms):
                text = f"not seen for {terms.recover_after_s / 60:g} minutes"
                changes.append(self._step(alert, State.RECOVERED, now, TIME, text, tell=True))
            elif alert.state in UNATTENDED:
                changes += self._climb(alert, now, terms)
        for over in [each for each in self._alerts.values() if self._is_over(each, now, terms)]:
            del self._alerts[over.identity]
        return changes

    @staticmethod
    def _has_passed(alert: Alert, now: int, terms: Terms) -> bool:
        if alert.lasting and alert.state is not State.ACKNOWLEDGED:
            return False
        since = max(alert.seen_ns, alert.changed_ns) if alert.lasting else alert.seen_ns
        return now - since >= terms.recover_after_s * 1e9

    def _climb(self, alert: Alert, now: int, terms: Terms) -> Iterator[Change]:
        """Yield the rungs of the ladder that are due, each a step of its own."""
        waited = (now - alert.opened_ns) / 1e9
        # Somebody who is asleep cannot take anything up: a warning waits for the morning.
        if alert.severity is Severity.WARNING and terms.is_quiet(now):
            return
        for level, rung in enumerate(terms.ladder, 1):
            if level <= alert.level or waited < rung.after_s:
                continue
            alert = replace(alert, level=level)
            if _RANK[alert.severity] < _RANK[rung.least]:
                self._put(alert)
                continue
            text = f"nobody took it up within {rung.after_s / 60:g} minutes{_what(rung)}"
            change = self._step(alert, State.ESCALATED, now, TIME, text, tell=True)
            alert = change.alert
            yield replace(change, sinks=rung.sinks, does=rung.does)

    # --- what people say ---------------------------------------------------------------------

    def acknowledged(self, number: int, by: str, note: str, now: int) -> Change | None:
        """Take an alert up; ``None`` where it is not open or somebody has."""
        alert = self.get(number)
        if alert is None or alert.state not in UNATTENDED:
            return None
        return self._step(replace(alert, by=by), State.ACKNOWLEDGED, now, by, note)

    def resolved(self, number: int, by: str, note: str, now: int) -> Change | None:
        """Say that an alert is over; ``None`` where it is not open."""
        alert = self.get(number)
        if alert is None:
            return None
        return self._step(replace(alert, by=by), State.RECOVERED, now, by, note)

    # -----------------------------------------------------------------------------------------

    def _step(
        self, alert: Alert, after: State, now: int, by: str, text: str, *, tell: bool = False
    ) -> Change:
        moved = replace(alert, state=after, changed_ns=now)
        self._put(moved)
        return Change(alert=moved, before=alert.state, ns=now, by=by, text=text, tell=tell)

    def _put(self, alert: Alert) -> None:
        self._alerts[alert.identity] = alert

    def told(self, number: int, now: int) -> None:
        """Note that people have been told of an alert."""
        alert = self._first(lambda each: each.number == number)
        if alert is not None:
            self._put(replace(alert, told_ns=now))


def _seen(alert: Alert, finding: Finding) -> Alert:
    return replace(
        alert,
        count=alert.count + 1,
        seen_ns=max(alert.seen_ns, finding.at_ns),
        summary=finding.summary,
        seqs=tuple(dict.fromkeys((*alert.seqs, *finding.seqs)))[-_MOST_SEQS:],
        figures=dict(finding.figures) or alert.figures,
    )


def _what(rung: Rung) -> str:
    told = f": {', '.join(rung.sinks)} is told" if rung.sinks else ""
    return told + (f"; {rung.does}" if rung.does else "")
