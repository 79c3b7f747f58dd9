"""Agents that go on after the end of their session, and such as were never seen to end.

The second kind: whoever started it has come to its end (the main thread's turn is over and the host
names no task in the background, or its starter's ``SubagentStop`` has come), it was not seen to
end, and nothing is heard of it.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.model.alert import Severity
from pointsman.model.event import MAIN_THREAD
from pointsman.model.events import (
    MessageDisplay,
    Notification,
    SessionEnd,
    SessionStart,
    Stop,
    StopFailure,
    SubagentStop,
)
from pointsman.watch.detector import Detector, Seen, Sight

_MOST_AGENTS = 256
_SECOND = 10**9
_NO_END = "no end "
_LATE = (SessionStart, Notification, MessageDisplay, Stop, StopFailure, SubagentStop)
"""What may come after the end of a session without anybody going on."""


@dataclass(slots=True)
class _Agent:
    kind: str
    parent: str
    last_ns: int
    ended: bool = False
    told: bool = False


class Zombie(Detector):
    """Finds the living dead."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._ended_ns = 0
        self._main_rests = False
        self._agents: OrderedDict[str, _Agent] = OrderedDict()

    def event(self, seen: Seen) -> Sight | None:
        """Note who acts, who ends, and whether that may still be."""
        event, who = seen.event, seen.event.identity
        if isinstance(event, SessionEnd):
            self._ended_ns = seen.at_ns
            return None
        if isinstance(event, SessionStart):
            self._ended_ns = 0
            return None
        if who.agent_id is None:
            self._main_rests = isinstance(event, Stop | StopFailure) and not event.native.get(
                "background_tasks"
            )
        elif who.agent_type:
            self._note(seen)
        late = seen.at_ns - self._ended_ns
        if not self._ended_ns or late < self.limits["grace"] * _SECOND or isinstance(event, _LATE):
            return None
        return Sight(
            key=f"after the end {who.agent_id or MAIN_THREAD}",
            severity=Severity.CRITICAL,
            summary=f"agent {who.agent!r} goes on {late / _SECOND:.0f} s after its session has "
            f"ended ({event.kind} {event.tool}".rstrip()
            + ")",
            figures={"seconds": round(late / _SECOND)},
            seqs=(seen.seq,),
        )

    def tick(self, now_ns: int) -> Sight | None:
        """Look for those that were never seen to end."""
        if self._ended_ns:
            return None  # They have ended with the process of their host.
        for name, agent in self._agents.items():
            minutes = (now_ns - agent.last_ns) / (60 * _SECOND)
            if (
                agent.ended
                or agent.told
                or minutes < self.limits["silent"]
                or not self._is_left(agent)
            ):
                continue
            agent.told = True
            return Sight(
                key=f"{_NO_END}{name}",
                severity=Severity.WARNING,
                summary=f"agent {agent.kind!r} was never seen to end, whoever started it has, and "
                f"it has been silent for {minutes:.0f} minutes",
                figures={"minutes": round(minutes), "agent": name},
            )
        return None

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether the session goes on again, or the agent was heard of."""
        del now_ns
        if not key.startswith(_NO_END):
            return not self._ended_ns
        agent = self._agents.get(key.removeprefix(_NO_END))
        return agent is None or agent.ended or not agent.told

    def _is_left(self, agent: _Agent) -> bool:
        parent = self._agents.get(agent.parent)
        return not agent.ended and (parent.ended if parent else self._main_rests)

    def _note(self, seen: Seen) -> None:
        who = seen.event.identity
        name = who.agent_id or ""
        known = self._agents.pop(name, None) or _Agent(who.agent, who.parent or MAIN_THREAD, 0)
        known.last_ns, known.told = seen.at_ns, False
        known.ended = isinstance(seen.event, SubagentStop)
        self._agents[name] = known
        if len(self._agents) > _MOST_AGENTS:
            self._agents.popitem(last=False)
