"""An agent in the middle of its work of which nothing is heard.

It is at work from a prompt or a call on to the end of its turn. While a person is asked it waits
for that person, and while an agent runs that it has started for that agent: it is not stalled.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from pointsman.model.alert import Severity
from pointsman.model.decision import Action
from pointsman.model.event import Event
from pointsman.model.events import (
    Notification,
    PermissionRequest,
    PostToolBatch,
    PostToolUse,
    PostToolUseFailure,
    PreToolUse,
    SessionEnd,
    SessionStart,
    Stop,
    StopFailure,
    SubagentStop,
    TeammateIdle,
    UserPromptSubmit,
)
from pointsman.model.team import SPAWNING_TOOLS
from pointsman.watch.detector import Detector, Seen, Sight

_MOST_CALLS = 64
_MINUTE = 60 * 10**9
_ENDS = (Stop, StopFailure, SubagentStop, SessionEnd, SessionStart, TeammateIdle)


class Stalled(Detector):
    """Finds silence, and calls without an end."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._last = 0
        self._busy = False
        self._waits = False
        self._told = False
        self._calls: OrderedDict[str, tuple[int, str, int]] = OrderedDict()

    def event(self, seen: Seen) -> Sight | None:
        """Note that something was heard."""
        event = seen.event
        self._last = max(self._last, seen.at_ns)
        self._told = False
        refused = isinstance(event, UserPromptSubmit) and seen.decision.action is Action.DENY
        self._busy = not isinstance(event, _ENDS) and not refused
        self._waits = _waits(event) or seen.decision.action is Action.ASK
        call = event.identity.tool_use_id or ""
        if isinstance(event, PreToolUse) and seen.decision.action is not Action.DENY:
            self._calls[call] = (seen.at_ns, event.tool_name, seen.seq)
            if len(self._calls) > _MOST_CALLS:
                self._calls.popitem(last=False)
        elif isinstance(event, PostToolUse | PostToolUseFailure):
            self._calls.pop(call, None)
        elif isinstance(event, (PostToolBatch, *_ENDS)):
            # Refused by the host, or interrupted: no other event tells of their end.
            self._calls.clear()
        return None

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether it was heard of again, rests, or waits; or the call has ended."""
        if not self._busy or self._waits:
            return True
        if key == "silent":
            return now_ns - self._last < self.limits["silent"] * _MINUTE
        began = next(iter(self._calls.values()))[0] if self._calls else now_ns
        return now_ns - began < self.limits["call"] * _MINUTE

    def tick(self, now_ns: int) -> Sight | None:
        """See how long ago that was."""
        # Once for each silence: what has been left behind would come up for ever.
        if not self._busy or self._waits or self._told:
            return None
        if any(tool in SPAWNING_TOOLS for _, tool, _ in self._calls.values()):
            return None  # It waits for an agent, which is looked at itself.
        if self._calls:
            began, tool, seq = next(iter(self._calls.values()))
            minutes = (now_ns - began) / _MINUTE
            if minutes < self.limits["call"]:
                return None
            self._told = True
            return Sight(
                key="call",
                severity=Severity.WARNING,
                summary=f"a {tool} call has been running for {minutes:.0f} minutes",
                figures={"minutes": round(minutes), "tool": tool},
                seqs=(seq,),
            )
        minutes = (now_ns - self._last) / _MINUTE
        if minutes < self.limits["silent"]:
            return None
        self._told = True
        return Sight(
            key="silent",
            severity=Severity.WARNING,
            summary=f"in the middle of its work, and silent for {minutes:.0f} minutes",
            figures={"minutes": round(minutes)},
        )


def _waits(event: Event) -> bool:
    return isinstance(event, PermissionRequest | Notification)
