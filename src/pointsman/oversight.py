"""What follows on an event beside its observers: it is counted, and the detectors look at it.

All of it happens after the answer, and none of it may take the daemon down: what fails here goes on
record as a note.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from pointsman.engine.spent import Read, Spending
from pointsman.hooks import limits
from pointsman.model.alert import Finding, Gone
from pointsman.model.decision import Action, Decision
from pointsman.model.errors import PointsmanError
from pointsman.model.event import Event, Identity
from pointsman.model.events import ErrorEscalation, SessionEnd, SubagentStop, WatchFinding
from pointsman.model.hook import HookRun
from pointsman.model.policy import Policy
from pointsman.model.secret import Secrets
from pointsman.model.usage import Cost, Usage
from pointsman.watch.watch import Watch

_TICK_NS = 5 * 10**9
_MOST_WAITING = 1000
_MOST_EARLY = 2000
_LATELY = 15 * 60 * 10**9

Sink = Callable[[Finding], None]
"""Takes each finding, its words covered; quick, and it waits for nothing."""


_Early = tuple[str, Callable[..., list[Finding]], tuple[Any, ...]]


class Happened(Protocol):
    """What became of a delivery."""

    @property
    def event(self) -> Event:
        """The event."""

    @property
    def decision(self) -> Decision:
        """The decision about it."""

    @property
    def runs(self) -> tuple[HookRun, ...]:
        """The hooks that were asked."""


class Oversight:
    """Counts what runs use and lets the detectors see it; ``watched`` says whether they look.

    ``report`` puts a note on record, ``on_finding`` takes each finding: until it is set, a note
    is what becomes of one.
    """

    def __init__(
        self,
        spent: Spending,
        secrets: Secrets,
        policy_for: Callable[[str | None], Policy],
        *,
        watched: bool,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.spent = spent
        self.report: Callable[[str, str], None] = lambda _kind, _text: None
        self.on_finding: Sink | None = None
        self.on_gone: Callable[[Gone], None] = lambda _gone: None
        self.on_escalation: Callable[[ErrorEscalation, int], None] = lambda _event, _seq: None
        self.on_call: Callable[[Event], None] = lambda _event: None
        self.on_end: Callable[[str, str | None], None] = lambda _session, _agent: None
        self.follow: Callable[[Event, Decision], None] = lambda _event, _decision: None
        self._secrets = secrets
        self._policy_for = policy_for
        self._watch = Watch(self._failed) if watched else None
        self._clock = clock
        self._complaint = ""
        self._reading: dict[str, asyncio.Future[Callable[[], None]]] = {}
        self._ticked = 0
        self._waiting: deque[WatchFinding] = deque(maxlen=_MOST_WAITING)
        self._early: deque[_Early] | None = deque(maxlen=_MOST_EARLY)
        """What has come since this began, until it is known what was before."""

    def after(
        self, policy: Policy, happened: Happened, seq: int | None, *, real: bool
    ) -> list[WatchFinding]:
        """Take in an event that is on record; return what is found wrong, as events.

        ``real`` says that a host has delivered it, and did not only ask what would be said.
        """
        event, decision = happened.event, happened.decision
        try:
            self.spent.note(event, stopped=decision.action is Action.DENY, real=real)
            self.follow(event, decision)
            self._complaint = ""
        except Exception as error:  # noqa: BLE001 - what only counts must not cost the daemon
            self._complain(error)
        if real:
            self.on_call(event)
        if real and isinstance(event, SessionEnd | SubagentStop):
            ended = isinstance(event, SubagentStop)
            self.on_end(event.identity.session, event.identity.agent_id if ended else None)
        if self._watch is None or not real:
            return []
        given = (event, decision, happened.runs, seq or 0, policy.watch)
        if self._early is not None:
            self._early.append((event.identity.session, self._watch.event, given))
        return self._told(self._watch.event(*given), event)

    def lacking(self, event: Event, policy: Policy) -> Callable[[], Awaitable[None]] | None:
        """Return what has to be waited for before a limit can be told; ``None``: nothing.

        What was used before this process is read in a thread, as it may be long: others are
        answered meanwhile, and the call that needs it waits.
        """
        if not policy.limits or event.kind not in limits.EVENTS:
            return None
        missing = self.spent.missing(event, policy.limits)
        return partial(self._read, missing) if missing else None

    async def _read(self, missing: Iterable[tuple[str, Read]]) -> None:
        for name, read in missing:
            if name not in self._reading:
                self._reading[name] = asyncio.ensure_future(asyncio.to_thread(read))
            # Who asks for a limit that could not be read meets the same error, and says so.
            with contextlib.suppress(PointsmanError):
                (await asyncio.shield(self._reading[name]))()
            self._reading.pop(name, None)

    def usage(self, usage: Usage, cost: Cost) -> None:
        """Take in what a message of a model has used; what is found wrong comes with the tick."""
        try:
            self.spent.usage(usage, cost)
        except Exception as error:  # noqa: BLE001 - what only counts must not cost the daemon
            self._complain(error)
        # What is read only now of a run that was before is no news of one that goes on.
        lately = self._clock() - usage.at_ns < _LATELY and not usage.repriced
        if self._watch is not None and lately:
            settings = self._policy_for(usage.repository).watch
            if self._early is not None:
                self._early.append((usage.session, self._watch.usage, (usage, cost, settings)))
            self._waiting += self._told(self._watch.usage(usage, cost, settings))

    def remember(self, past: Watch | None) -> None:
        """Take over what the detectors of the last daemon knew; ``None`` where nobody can tell."""
        early, self._early = self._early or (), None
        if self._watch is None or past is None:
            return
        both = self._watch.adopt(past, lambda repository: self._policy_for(repository).watch)
        for session, look, given in early:
            if session in both:
                self._waiting += self._told(look(*given))

    def found(self, finding: Finding) -> None:
        """Take in what somebody beside the detectors has found; it comes with the tick."""
        self._waiting += self._told([finding])

    def tick(self, now_ns: int) -> list[WatchFinding]:
        """Look at what does not happen; return what was found wrong since the last time."""
        found = list(self._waiting)
        self._waiting.clear()
        if self._watch is not None and not 0 <= now_ns - self._ticked < _TICK_NS:
            self._ticked = now_ns
            found += self._told(self._watch.tick(now_ns))
            for gone in self._watch.gone(now_ns):
                self.on_gone(replace(gone, key=self._secrets.text(gone.key)[:500]))
        return found

    def _told(self, found: Iterable[Finding], event: Event | None = None) -> list[WatchFinding]:
        events = []
        for each in found:
            text = self._secrets.text
            covered = replace(each, summary=text(each.summary)[:2000], key=text(each.key)[:500])
            self._hand_over(covered)
            events.append(_event(covered, event))
        return events

    def _hand_over(self, finding: Finding) -> None:
        if self.on_finding is None:
            who = finding.agent_type or finding.agent_id or "main"
            text = f"{finding.detector} ({who}, session {finding.session}): {finding.summary}"
            self.report(str(finding.severity), text)
            return
        try:
            self.on_finding(finding)
        except Exception as error:  # noqa: BLE001 - whoever is told must not cost the watching
            self.report("watch failed", f"a finding of {finding.detector} was not taken: {error!r}")

    def _failed(self, detector: str, session: str, error: Exception) -> None:
        self.report(
            "watch failed",
            f"the detector {detector!r} has failed and is off for the session {session}: "
            f"{type(error).__name__}: {error}",
        )

    def _complain(self, error: Exception) -> None:
        """Report that counting failed, once until it works again."""
        fix = error.fix if isinstance(error, PointsmanError) else "pointsman doctor"
        text = f"what is used could not be counted: {type(error).__name__}: {error}; {fix}"
        if text != self._complaint:
            self._complaint = text
            self.report("limits failed", text)


def _event(finding: Finding, event: Event | None) -> WatchFinding:
    """Return a finding as the event that goes on record."""
    who = Identity(
        host=finding.host,
        session=finding.session,
        agent_id=finding.agent_id,
        agent_type=finding.agent_type,
        repository=finding.repository,
    )
    # The place it was found at, where there is one: a hook that is told of it may want to look.
    identity = replace(event.identity, tool_use_id=None) if event else who
    return WatchFinding(
        identity=identity,
        received_ns=finding.at_ns,
        detector=finding.detector,
        key=finding.key,
        severity=str(finding.severity),
        summary=finding.summary,
        figures=dict(finding.figures),
        seqs=finding.seqs,
    )
