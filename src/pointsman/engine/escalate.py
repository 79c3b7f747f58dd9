"""When something that went wrong is worth a person's attention.

``ErrorEscalation`` is raised for failed tools, bursts of denials, failed hooks and blown
budgets. The same cause is raised again only after ``repeat_after`` seconds, with the number of
times it was seen meanwhile.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.model.alerting import STOPPED_RULE
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.event import Event
from pointsman.model.events import ErrorEscalation, PostToolUseFailure
from pointsman.model.hook import HookRun, Outcome
from pointsman.model.team import GIVEN_UP

DEFAULTS: Mapping[str, float] = {"denial_burst": 5, "window": 60.0, "repeat_after": 300.0}
_MOST_KEYS = 2048


@dataclass(slots=True)
class _Seen:
    raised_ns: int
    count: int = 0


@dataclass(slots=True)
class Escalation:
    """Derives ``ErrorEscalation`` events, in constant memory."""

    _seen: OrderedDict[str, _Seen] = field(default_factory=OrderedDict)
    _denials: OrderedDict[str, deque[int]] = field(default_factory=OrderedDict)

    def derive(
        self,
        event: Event,
        runs: Iterable[HookRun],
        decision: Decision,
        settings: Mapping[str, Any],
        unhooked: str = "",
    ) -> list[ErrorEscalation]:
        """Return the escalations that this event gives rise to, each cause once per window.

        ``unhooked`` is what to say of a command that ran without the hook that should have come.
        """
        runs = tuple(runs)
        denied = decision.action is Action.DENY
        if not (runs or denied or unhooked or isinstance(event, PostToolUseFailure)):
            return []  # What most events come to: none of the causes below can be there.
        limits = {**DEFAULTS, **settings}
        causes = [
            *_failed_tool(event),
            *_failed_hooks(runs),
            *_given_up(event, runs),
            *_to_be_looked_at(runs),
            *self._denial_burst(event, decision, limits),
            *([("command without a hook", event.identity.session, unhooked)] if unhooked else []),
        ]
        raised = (self._raise(event, cause, limits["repeat_after"]) for cause in causes)
        return [escalation for escalation in raised if escalation is not None]

    def _denial_burst(
        self, event: Event, decision: Decision, limits: Mapping[str, float]
    ) -> list[tuple[str, str, str]]:
        # Hooks that fail are a cause of their own: their stops are not told as a burst, too.
        # Whom a person has stopped, that person knows.
        known = decision.cause is Cause.FAILURE or decision.rule == STOPPED_RULE
        if decision.action is not Action.DENY or known:
            return []
        who = f"{event.identity.session}/{event.identity.agent_id or 'main'}"
        times = self._denials.setdefault(who, deque(maxlen=int(limits["denial_burst"])))
        times.append(event.received_ns)
        _trim(self._denials)
        within = event.received_ns - times[0] <= limits["window"] * 1e9
        if len(times) < int(limits["denial_burst"]) or not within:
            return []
        summary = f"{len(times)} denials within {limits['window']:g} s for {event.identity.agent}"
        return [("denial burst", who, f"{summary}; the last: {decision.reason}")]

    def _raise(
        self, event: Event, cause: tuple[str, str, str], repeat_after: float
    ) -> ErrorEscalation | None:
        trigger, key, summary = cause
        name = f"{trigger}:{key}"
        seen = self._seen.get(name)
        if seen is not None and event.received_ns - seen.raised_ns < repeat_after * 1e9:
            seen.count += 1
            return None
        count = 1 + (seen.count if seen else 0)
        self._seen[name] = _Seen(event.received_ns)
        _trim(self._seen)
        return ErrorEscalation(
            identity=event.identity,
            received_ns=event.received_ns,
            trigger=trigger,
            key=key,
            summary=summary[:2000],
            count=count,
        )


def _failed_tool(event: Event) -> list[tuple[str, str, str]]:
    # The person who interrupts a call knows of it.
    if not isinstance(event, PostToolUseFailure) or event.is_interrupt:
        return []
    first = event.error.strip().splitlines()[0] if event.error.strip() else "no message"
    key = f"{event.identity.session}/{event.identity.agent_id or 'main'}/{event.tool_name}/{first}"
    return [("tool failed", key[:500], f"{event.tool_name} failed: {event.error[:500]}")]


_HOOK_TRIGGERS = {Outcome.CRASHED: "hook failed", Outcome.TIMED_OUT: "budget blown"}


def _failed_hooks(runs: Iterable[HookRun]) -> list[tuple[str, str, str]]:
    return [
        (trigger, f"{run.hook}/{run.kind}", f"{run.role} {run.hook!r} on {run.kind}: {run.reason}")
        for run in runs
        if run.broke is not None and (trigger := _HOOK_TRIGGERS.get(run.broke)) is not None
    ]


def _given_up(event: Event, runs: Iterable[HookRun]) -> list[tuple[str, str, str]]:
    who = f"{event.identity.session}/{event.identity.agent_id}"
    return [
        ("validation failed", who, run.decision.reason)
        for run in runs
        if run.decision is not None and run.decision.rule == GIVEN_UP
    ]


_RULE_TRIGGERS = {
    "proof.outside-contract": "outside contract",
    "proof.unverified": "could not verify",
}
"""Rules that speak when it is done: what they say stops nothing, and a person has to know of it."""


def _to_be_looked_at(runs: Iterable[HookRun]) -> list[tuple[str, str, str]]:
    return [
        (trigger, run.decision.reason[:500], run.decision.reason)
        for run in runs
        if run.decision is not None and (trigger := _RULE_TRIGGERS.get(run.decision.rule))
    ]


def _trim(table: OrderedDict[str, Any]) -> None:
    while len(table) > _MOST_KEYS:
        table.popitem(last=False)
