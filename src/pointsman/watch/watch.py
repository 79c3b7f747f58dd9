"""Hands what happens to the detectors, one set for each session and each agent in it.

Everything here is bounded: sessions, their agents, what is kept for a type of agents, and the keys
of what was found; the oldest go first. Each step costs the same, however long a session lasts.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.model.alert import Finding, Severity
from pointsman.model.decision import Decision
from pointsman.model.event import MAIN_THREAD, Event, Identity, ToolEvent
from pointsman.model.events import MessageDisplay, PostToolUse, PostToolUseFailure
from pointsman.model.hook import HookRun
from pointsman.model.usage import Cost, Usage
from pointsman.model.watching import REPEAT_AFTER, thresholds
from pointsman.watch.all_detectors import ALL, Row, Scope
from pointsman.watch.detector import Detector, Seen, Sight
from pointsman.watch.fingerprint import fingerprint, outcome
from pointsman.watch.progress import Progress

MOST_SESSIONS = 256
MOST_AGENTS = 64
MOST_TYPES = 256
MOST_KEYS = 256
_RANK = {Severity.WARNING: 1, Severity.CRITICAL: 2}

Settings = Mapping[str, Any]
"""The table ``[watch]``: a table for each detector, and what holds for all."""
Fault = Callable[[str, str, Exception], None]
"""Is told which detector has failed, in which session, and how."""
_Step = Callable[[Detector], Sight | None]
_Set = tuple[tuple[Row, Detector], ...]


@dataclass(slots=True)
class _Agent:
    who: Identity
    detectors: _Set


@dataclass(slots=True)
class _Session:
    settings: Settings
    detectors: _Set
    who: Identity
    progress: Progress = field(default_factory=Progress)
    agents: OrderedDict[str, _Agent] = field(default_factory=OrderedDict)
    failed: set[str] = field(default_factory=set)
    """The detectors that are switched off for this session, because they have failed in it."""
    raised: OrderedDict[str, tuple[Severity, int]] = field(default_factory=OrderedDict)


class Watch:
    """Every session that is watched."""

    def __init__(self, fault: Fault, rows: tuple[Row, ...] = ALL) -> None:
        self._fault = fault
        self._rows = rows
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._kin: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()

    def event(
        self,
        event: Event,
        decision: Decision,
        runs: tuple[HookRun, ...],
        seq: int,
        settings: Settings,
    ) -> list[Finding]:
        """Return what is found wrong once this event is on record."""
        # Comes once for every line of text that is shown, and says nothing of the run.
        if isinstance(event, MessageDisplay) or not settings.get("enabled", True):
            return []
        session = self._session(event.identity, settings)
        agent = self._agent(session, event.identity)
        seen = _seen(session, event, decision, runs, seq)
        steps = (*agent.detectors, *session.detectors)
        return self._found(
            session, event.identity, event.received_ns, steps, lambda each: each.event(seen)
        )

    def usage(self, usage: Usage, cost: Cost, settings: Settings) -> list[Finding]:
        """Return what is found wrong with what a message has used."""
        if not settings.get("enabled", True):
            return []
        who = Identity(
            host=usage.host, session=usage.session, agent_id=usage.agent_id,
            agent_type=usage.agent_type, repository=usage.repository,
        )  # fmt: skip
        session = self._session(who, settings)
        agent = self._agent(session, who)
        steps = (*agent.detectors, *session.detectors)
        return self._found(
            session, agent.who, usage.at_ns, steps, lambda each: each.usage(usage, cost)
        )

    def tick(self, now_ns: int) -> list[Finding]:
        """Return what is found wrong because nothing happens."""
        found: list[Finding] = []
        for session in tuple(self._sessions.values()):
            if not session.settings.get("enabled", True):
                continue
            found += self._ticked(session, session.who, session.detectors, now_ns)
            for agent in tuple(session.agents.values()):
                found += self._ticked(session, agent.who, agent.detectors, now_ns)
        return found

    def _ticked(self, session: _Session, who: Identity, steps: _Set, now_ns: int) -> list[Finding]:
        return self._found(session, who, now_ns, steps, lambda each: each.tick(now_ns))

    def _found(
        self, session: _Session, who: Identity, at_ns: int, steps: _Set, step: _Step
    ) -> list[Finding]:
        found = []
        for row, detector in steps:
            if row.name in session.failed or not _is_on(session.settings, row.name):
                continue
            try:
                sight = step(detector)
            except Exception as error:  # noqa: BLE001 - one detector must not cost the others
                session.failed.add(row.name)
                self._fault(row.name, who.session, error)
                continue
            # What is found of a session is one thing, whoever was the last to add to it.
            whose = session.who if row.scope is Scope.SESSION else who
            if sight is not None and self._is_news(session, row.name, whose, sight, at_ns):
                found.append(_finding(row.name, whose, sight, at_ns))
        return found

    @staticmethod
    def _is_news(session: _Session, name: str, who: Identity, sight: Sight, at_ns: int) -> bool:
        """Whether it was not found lately, or is worse than it was."""
        key = f"{name}/{who.agent_id or MAIN_THREAD}/{sight.key}"
        before = session.raised.get(key)
        pause = float(session.settings.get("repeat_after", REPEAT_AFTER)) * 1e9
        if before and at_ns - before[1] < pause and _RANK[sight.severity] <= _RANK[before[0]]:
            return False
        session.raised[key] = sight.severity, at_ns
        session.raised.move_to_end(key)
        _trim(session.raised, MOST_KEYS)
        return True

    def _session(self, who: Identity, settings: Settings) -> _Session:
        session = self._sessions.get(who.session)
        if session is None:
            made = self._made(Scope.SESSION, settings, {})
            session = self._sessions[who.session] = _Session(settings, made, _of_session(who))
            _trim(self._sessions, MOST_SESSIONS)
        else:
            self._sessions.move_to_end(who.session)
        if session.settings is not settings:
            session.settings = settings
            sets = (session.detectors, *(agent.detectors for agent in session.agents.values()))
            _retune(sets, settings)
        return session

    def _agent(self, session: _Session, who: Identity) -> _Agent:
        name = who.agent_id or MAIN_THREAD
        agent = session.agents.get(name)
        if agent is None:
            made = self._made(Scope.AGENT, session.settings, self._of_type(who))
            agent = session.agents[name] = _Agent(who, made)
            _trim(session.agents, MOST_AGENTS)
        else:
            session.agents.move_to_end(name)
        return agent

    def _of_type(self, who: Identity) -> dict[str, Any]:
        key = (who.repository or "", who.agent)
        kin = self._kin.setdefault(key, {})
        self._kin.move_to_end(key)
        _trim(self._kin, MOST_TYPES)
        return kin

    def _made(self, scope: Scope, settings: Settings, kin: dict[str, Any]) -> _Set:
        return tuple(
            (row, row.make(thresholds(row.name, settings.get(row.name, {})), kin))
            for row in self._rows
            if row.scope is scope
        )


def _seen(
    session: _Session, event: Event, decision: Decision, runs: tuple[HookRun, ...], seq: int
) -> Seen:
    call = result = 0
    fresh = False
    if isinstance(event, ToolEvent):
        call = fingerprint([event.tool_name, event.tool_input])
        if isinstance(event, PostToolUse | PostToolUseFailure):
            failed = isinstance(event, PostToolUseFailure)
            result = outcome(event.error if failed else event.tool_response)  # type: ignore[union-attr]
            fresh = session.progress.is_fresh(event, result)
    return Seen(
        event=event, decision=decision, runs=runs, seq=seq, call=call, result=result, fresh=fresh
    )


def _is_on(settings: Settings, name: str) -> bool:
    return bool(settings.get(name, {}).get("enabled", True))


def _retune(sets: Iterable[_Set], settings: Settings) -> None:
    for each in sets:
        for row, detector in each:
            detector.limits = thresholds(row.name, settings.get(row.name, {}))


def _of_session(who: Identity) -> Identity:
    return Identity(host=who.host, session=who.session, repository=who.repository)


def _finding(name: str, who: Identity, sight: Sight, at_ns: int) -> Finding:
    return Finding(
        detector=name,
        key=sight.key,
        severity=sight.severity,
        summary=sight.summary,
        at_ns=at_ns,
        host=who.host,
        session=who.session,
        agent_id=who.agent_id,
        agent_type=who.agent_type,
        repository=who.repository,
        seqs=tuple(seq for seq in sight.seqs if seq),
        figures=sight.figures,
    )


def _trim(table: OrderedDict[Any, Any], most: int) -> None:
    while len(table) > most:
        table.popitem(last=False)
