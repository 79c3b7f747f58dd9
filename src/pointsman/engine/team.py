"""Who runs, who has ended and how, and what each has changed: in constant memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsman.engine.tasks import Tasks
from pointsman.model.decision import Action, Decision
from pointsman.model.event import Event, ToolEvent
from pointsman.model.events import (
    PostToolBatch,
    PostToolUse,
    PostToolUseFailure,
    PreEdit,
    SessionEnd,
    Stop,
    SubagentStop,
)
from pointsman.model.hook import HookRun
from pointsman.model.team import GIVEN_UP, MOST_PROMPT, SPAWNING_TOOLS, Member, undone

_MOST_SESSIONS = 512
_MOST_AGENTS = 1024
_MOST_FILES = 4096


Past = Callable[[str, str], str | None]
"""Tells how the last agent of a type ended in a session."""


@dataclass(slots=True)
class _Agent:
    agent: str
    began_ns: int
    isolated: bool = False
    prompt: str = ""
    sent_back: int = 0
    files: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Session:
    waiting: OrderedDict[str, Member] = field(default_factory=OrderedDict)
    """Starts by the id of the call, until the agent shows itself or it comes to nothing."""
    running: OrderedDict[str, _Agent] = field(default_factory=OrderedDict)
    ended: OrderedDict[str, str] = field(default_factory=OrderedDict)


class Memory:
    """The team of every session (``model.team.Team``), told of each event once it is on record.

    ``past`` says how an agent ended that is not remembered: the daemon may be younger than the
    session.
    """

    def __init__(self, past: Past = lambda _session, _agent: None) -> None:
        self._past = past
        self._tasks = Tasks()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def running(self, session: str) -> Sequence[Member]:
        """Return who is being started or runs."""
        known = self._session(session)
        seen = (Member(each.agent, key, each.isolated) for key, each in known.running.items())
        return (*known.waiting.values(), *seen)

    def begin(self, event: Event, agent: str, *, isolated: bool) -> None:
        """Note a start that nothing speaks against, until it is known what became of it."""
        waiting = self._session(event.identity.session).waiting
        key = event.identity.tool_use_id or f"call {event.received_ns}"
        given = event.tool_input.get("prompt") if isinstance(event, ToolEvent) else None
        prompt = given[:MOST_PROMPT] if isinstance(given, str) else ""
        waiting[key] = Member(agent, key, isolated, prompt)
        _trim(waiting)

    def ended(self, session: str, agent: str) -> str | None:
        """Return how the last agent of this type ended: the empty string is well."""
        known = self._session(session).ended.get(agent)
        return self._past(session, agent) if known is None else known

    def waits_for(self, session: str, task: str, more: Iterable[str]) -> Sequence[str]:
        """Return the tasks that have to be done before this one and are not."""
        return self._tasks.waits_for(session, task, more)

    def round_of(self, session: str, waits: Iterable[tuple[str, str]]) -> Sequence[str]:
        """Return the round that these waits, each a task and its blocker, would close."""
        return self._tasks.round_of(session, waits)

    def sent_back(self, event: Event) -> int:
        """Count that this agent is sent back by what it left behind; return how often it was."""
        agent = self._seen(event)
        agent.sent_back += 1
        return agent.sent_back

    def edited(self, event: Event) -> Sequence[str]:
        """Return the files that this agent has changed by a file tool, canonical."""
        known = self._session(event.identity.session).running.get(event.identity.agent_id or "")
        return tuple(known.files) if known else ()

    def began(self, event: Event) -> int:
        """Return when this agent was first seen, in ns since the epoch, 0 where it was not."""
        known = self._session(event.identity.session).running.get(event.identity.agent_id or "")
        return known.began_ns if known else 0

    def prompt(self, event: Event) -> str:
        """Return what the agent of this event was told to do when it was started."""
        session, who = self._session(event.identity.session), event.identity
        known = session.running.get(who.agent_id or "")
        if known is not None:
            return known.prompt
        same = (each for each in session.waiting.values() if each.agent == who.agent)
        return next((each.prompt for each in same), "")

    def note(
        self, event: Event, edit: PreEdit | None, decision: Decision, runs: Iterable[HookRun]
    ) -> None:
        """Learn from an event and from what became of it."""
        self._tasks.note(event)
        session = self._session(event.identity.session)
        stopped = decision.action is Action.DENY
        if isinstance(event, ToolEvent) and event.tool_name in SPAWNING_TOOLS:
            self._started(session, event, stopped=stopped)
        # One without a type is the host's own: nobody has started it.
        if event.identity.agent_id is not None and event.identity.agent_type:
            self._of_agent(session, event, edit, stopped=stopped, runs=runs)
        elif isinstance(event, PostToolBatch):
            # Whatever was started has shown itself by then, or was refused by a person.
            for call in event.tool_calls:
                session.waiting.pop(str(call.get("tool_use_id")), None)
        elif isinstance(event, Stop) and event.native.get("background_tasks") == []:
            session.waiting.clear()
            session.running.clear()
        elif isinstance(event, SessionEnd):
            self._sessions.pop(event.identity.session, None)

    def _started(self, session: _Session, event: ToolEvent, *, stopped: bool) -> None:
        key = event.identity.tool_use_id or ""
        over = isinstance(event, PostToolUse | PostToolUseFailure)
        member = session.waiting.pop(key, None) if stopped or over else None
        response = event.tool_response if isinstance(event, PostToolUse) else None
        # One that goes on in the background has its id here, often before it does anything.
        if member and isinstance(response, dict) and response.get("isAsync"):
            child = response.get("agentId")
            if isinstance(child, str):
                session.running.setdefault(
                    child,
                    _Agent(member.agent, event.received_ns, member.isolated, member.prompt),
                )
                _trim(session.running)

    def _of_agent(
        self,
        session: _Session,
        event: Event,
        edit: PreEdit | None,
        *,
        stopped: bool,
        runs: Iterable[HookRun],
    ) -> None:
        agent = self._seen(event)
        if edit is not None and not stopped and len(agent.files) < _MOST_FILES:
            agent.files.update(dict.fromkeys(edit.files))
        if isinstance(event, SubagentStop) and not stopped:
            del session.running[event.identity.agent_id or ""]
            session.ended[agent.agent] = _failure(event, runs)
            session.ended.move_to_end(agent.agent)
            _trim(session.ended)

    def _seen(self, event: Event) -> _Agent:
        identity = event.identity
        session = self._session(identity.session)
        key = identity.agent_id or ""
        agent = session.running.get(key)
        if agent is None:
            begun = self._matched(session, identity.agent)
            agent = session.running[key] = _Agent(
                identity.agent,
                event.received_ns,
                bool(begun and begun.isolated),
                begun.prompt if begun else "",
            )
            _trim(session.running)
        return agent

    @staticmethod
    def _matched(session: _Session, agent: str) -> Member | None:
        for key, member in session.waiting.items():
            if member.agent == agent:
                return session.waiting.pop(key)
        return None

    def _session(self, name: str) -> _Session:
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = _Session()
            _trim(self._sessions, _MOST_SESSIONS)
        else:
            self._sessions.move_to_end(name)
        return session


def _failure(event: SubagentStop, runs: Iterable[HookRun]) -> str:
    """Return why an end is no completion, or the empty string."""
    for run in runs:
        if run.decision is not None and run.decision.rule == GIVEN_UP:
            return run.decision.reason
    return undone(event.last_assistant_message)


def _trim(table: OrderedDict[str, Any], most: int = _MOST_AGENTS) -> None:
    while len(table) > most:
        table.popitem(last=False)
