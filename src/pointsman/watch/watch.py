"""Hands what happens to the detectors, one set for each session and each agent in it.

Everything here is bounded: sessions, their agents, what is kept for a type of agents, and the keys
of what was found; the oldest go first. Each step costs the same, however long a session lasts.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.model.alert import Finding, Gone, Severity
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
_Steps = tuple[tuple[Row, Callable[..., Sight | None]], ...]


class _Set:
    """The detectors of one agent, or of one session, by what each of them looks at."""

    __slots__ = ("detectors", "event", "tick", "usage")

    def __init__(self, detectors: tuple[tuple[Row, Detector], ...]) -> None:
        self.detectors = detectors
        self.event: _Steps = self._looking("event")
        self.usage: _Steps = self._looking("usage")
        self.tick: _Steps = self._looking("tick")

    def _looking(self, at: str) -> _Steps:
        # Those that do not override it have nothing to say: most look at one thing.
        return tuple(
            (row, getattr(each, at))
            for row, each in self.detectors
            if getattr(type(each), at) is not getattr(Detector, at)
        )


_Key = tuple[str, str, str]
"""The detector, the agent (``MAIN_THREAD`` for the session, too) and the key of what was found."""


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
    off: frozenset[str] = frozenset()
    """Those that the settings switch off."""
    raised: OrderedDict[_Key, tuple[Severity, int]] = field(default_factory=OrderedDict)


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
        at_ns = event.received_ns
        found = self._found(session, event.identity, at_ns, agent.detectors.event, seen)
        return found + self._found(session, session.who, at_ns, session.detectors.event, seen)

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
        given, at_ns = (usage, cost), usage.at_ns
        found = self._found(session, agent.who, at_ns, agent.detectors.usage, *given)
        return found + self._found(session, session.who, at_ns, session.detectors.usage, *given)

    def tick(self, now_ns: int) -> list[Finding]:
        """Return what is found wrong because nothing happens."""
        found: list[Finding] = []
        for session in tuple(self._sessions.values()):
            if not session.settings.get("enabled", True):
                continue
            found += self._found(session, session.who, now_ns, session.detectors.tick, now_ns)
            for agent in tuple(session.agents.values()):
                found += self._found(session, agent.who, now_ns, agent.detectors.tick, now_ns)
        return found

    def gone(self, now_ns: int) -> list[Gone]:
        """Return what was found and is over; found again, it is news."""
        over = []
        for name, session in self._sessions.items():
            for at in tuple(session.raised):
                if self._is_gone(session, at, now_ns):
                    del session.raised[at]
                    agent = None if at[1] == MAIN_THREAD else at[1]
                    over.append(Gone(detector=at[0], key=at[2], session=name, agent_id=agent))
        return over

    def adopt(self, past: "Watch", settings_of: Callable[[str | None], Settings]) -> set[str]:
        """Take over what another one knows; it is older than all that is known here.

        ``settings_of`` returns what is in force for a repository.

        Return the sessions that were known here, too: what has happened in them since has to be
        shown anew.
        """
        for session in past._sessions.values():
            _take(session, settings_of(session.who.repository))
        both = set(past._sessions) & set(self._sessions)
        for name in both:
            past._sessions[name].raised.update(self._sessions[name].raised)
        newer = {name: each for name, each in self._sessions.items() if name not in both}
        self._sessions = OrderedDict({**past._sessions, **newer})
        _trim(self._sessions, MOST_SESSIONS)
        for key, kin in self._kin.items():
            for name, values in kin.items():
                past._kin.setdefault(key, {}).setdefault(name, deque(maxlen=values.maxlen)).extend(
                    values
                )
        self._kin = past._kin
        _trim(self._kin, MOST_TYPES)
        return both

    def _is_gone(self, session: _Session, at: _Key, now_ns: int) -> bool:
        name, agent, key = at
        sets = [session.agents[agent].detectors] if agent in session.agents else []
        sets += [session.detectors] if agent == MAIN_THREAD else []
        looking = [one for each in sets for row, one in each.detectors if row.name == name]
        try:
            return bool(looking) and all(one.gone(key, now_ns) for one in looking)
        except Exception as error:  # noqa: BLE001 - one detector must not cost the others
            session.failed.add(name)
            self._fault(name, session.who.session, error)
            return False

    def _found(
        self, session: _Session, who: Identity, at_ns: int, steps: _Steps, *given: object
    ) -> list[Finding]:
        """Return what these find that is news."""
        found = []
        for row, step in steps:
            if row.name in session.off or row.name in session.failed:
                continue
            try:
                sight = step(*given)
            except Exception as error:  # noqa: BLE001 - one detector must not cost the others
                session.failed.add(row.name)
                self._fault(row.name, who.session, error)
                continue
            if sight is not None and self._is_news(session, row.name, who, sight, at_ns):
                found.append(_finding(row.name, who, sight, at_ns))
        return found

    @staticmethod
    def _is_news(session: _Session, name: str, who: Identity, sight: Sight, at_ns: int) -> bool:
        """Whether it was not found lately, or is worse than it was."""
        key = (name, who.agent_id or MAIN_THREAD, sight.key)
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
            session = self._sessions[who.session] = _Session(
                settings, made, _of_session(who), off=_off(settings)
            )
            _trim(self._sessions, MOST_SESSIONS)
        else:
            self._sessions.move_to_end(who.session)
        if session.settings is not settings and session.settings != settings:
            _take(session, settings)
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
        return _Set(
            tuple(
                (row, row.make(thresholds(row.name, settings.get(row.name, {})), kin))
                for row in self._rows
                if row.scope is scope
            )
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


def _take(session: _Session, settings: Settings) -> None:
    """Hold a session to these settings from now on."""
    session.settings, session.off = settings, _off(settings)
    sets = (session.detectors, *(agent.detectors for agent in session.agents.values()))
    _retune(sets, settings)


def _off(settings: Settings) -> frozenset[str]:
    tables = {name: table for name, table in settings.items() if isinstance(table, Mapping)}
    return frozenset(name for name, table in tables.items() if not table.get("enabled", True))


def _retune(sets: Iterable[_Set], settings: Settings) -> None:
    for each in sets:
        for row, detector in each.detectors:
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
