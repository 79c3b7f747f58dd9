"""Who spawned whom: hosts name a subagent, not its parent."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from pointsman.model.event import MAIN_THREAD, Event
from pointsman.model.events import PostToolUse, PreToolUse
from pointsman.model.team import SPAWNING_TOOLS

_MOST_SESSIONS = 512
_MOST_AGENTS = 1024


@dataclass(slots=True)
class _Session:
    waiting: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=64))
    """Calls of a spawning tool whose agent has not shown itself: (parent, type)."""
    parents: OrderedDict[str, str] = field(default_factory=OrderedDict)


class Lineage:
    """Remembers, per session and in constant memory, which agent spawned which.

    A spawning call is matched with the next agent of its type; the call's own result names the
    agent's id and settles it where it comes first.
    """

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def parent_of(self, event: Event) -> str | None:
        """Return who spawned the agent that this event comes from, learning from the event."""
        session = self._session(event.identity.session)
        caller = event.identity.agent_id
        if isinstance(event, PreToolUse) and event.tool_name in SPAWNING_TOOLS:
            wanted = event.tool_input.get("subagent_type")
            kind = wanted if isinstance(wanted, str) else ""
            session.waiting.append((caller or MAIN_THREAD, kind))
        if isinstance(event, PostToolUse) and event.tool_name in SPAWNING_TOOLS:
            self._settle(session, event, caller or MAIN_THREAD)
        if caller is None:
            return None
        if caller not in session.parents:
            self._match(session, caller, event.identity.agent_type or "")
        return session.parents.get(caller)

    def refused(self, event: Event) -> None:
        """Forget a spawn that did not come about because the call was stopped."""
        waiting = self._session(event.identity.session).waiting
        if event.tool in SPAWNING_TOOLS and waiting:
            waiting.pop()

    def _session(self, name: str) -> _Session:
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = _Session()
            if len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
        else:
            self._sessions.move_to_end(name)
        return session

    @staticmethod
    def _settle(session: _Session, event: PostToolUse, parent: str) -> None:
        response = event.tool_response
        child = response.get("agentId") if isinstance(response, dict) else None
        if isinstance(child, str):
            _remember(session, child, parent)

    @staticmethod
    def _match(session: _Session, agent_id: str, agent_type: str) -> None:
        for index, (parent, kind) in enumerate(session.waiting):
            # An agent without a type is the host's own: no call has spawned it.
            if kind in {agent_type, ""} and agent_type:
                del session.waiting[index]
                _remember(session, agent_id, parent)
                return
        if agent_type and not session.waiting:
            _remember(session, agent_id, MAIN_THREAD)


def _remember(session: _Session, agent_id: str, parent: str) -> None:
    session.parents[agent_id] = parent
    if len(session.parents) > _MOST_AGENTS:
        session.parents.popitem(last=False)
