"""How many subagents a session has, and how deep they are in one another."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from pointsman.model.alert import Severity
from pointsman.model.event import MAIN_THREAD
from pointsman.model.events import SessionEnd, SubagentStop
from pointsman.watch.detector import Detector, Seen, Sight

_MOST_AGENTS = 512
_MINUTE = 60 * 10**9


class FanOut(Detector):
    """Finds more subagents at work, or begun within a window, than the thresholds say.

    An agent is at work from its first event to its ``SubagentStop``. One without a type is the
    host's own and does not count.
    """

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._running: OrderedDict[str, None] = OrderedDict()
        self._begun: deque[int] = deque(maxlen=_MOST_AGENTS)
        self._known: OrderedDict[str, None] = OrderedDict()

    def event(self, seen: Seen) -> Sight | None:
        """Note who begins and who ends."""
        who = seen.event.identity
        if isinstance(seen.event, SessionEnd):
            self._running.clear()
        if who.agent_id is None or not who.agent_type:
            return None
        if isinstance(seen.event, SubagentStop):
            self._running.pop(who.agent_id, None)
            return None
        if who.agent_id in self._running:
            return None
        _put(self._running, who.agent_id)
        if who.agent_id not in self._known:
            self._begun.append(seen.at_ns)
        _put(self._known, who.agent_id)
        return self._sight(seen)

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether there are no more than the threshold says by now."""
        self._forget(now_ns)
        counts = {"running": len(self._running), "begun": len(self._begun)}
        return counts[key] <= self.limits[key]

    def _forget(self, now_ns: int) -> None:
        window = self.limits["window"] * _MINUTE
        while self._begun and self._begun[0] <= now_ns - window:
            self._begun.popleft()

    def _sight(self, seen: Seen) -> Sight | None:
        self._forget(seen.at_ns)
        for key, count, what in (
            ("running", len(self._running), "subagents at work at the same time"),
            ("begun", len(self._begun), f"subagents begun within {self.limits['window']:g} min"),
        ):
            most = self.limits[key]
            if count > most:
                return Sight(
                    key=key,
                    severity=Severity.CRITICAL if count > 2 * most else Severity.WARNING,
                    summary=f"{count} {what}, more than {most:g}",
                    figures={"count": count, "most": most},
                    seqs=(seen.seq,),
                )
        return None


class Depth(Detector):
    """Finds chains of subagents: 1 is one that the main thread has started.

    One whose starter is unknown counts as started by the main thread.
    """

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._depths: OrderedDict[str, int] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()

    def event(self, seen: Seen) -> Sight | None:
        """Note how deep an agent is when it is first seen."""
        who = seen.event.identity
        if who.agent_id is None or not who.agent_type:
            return None
        if isinstance(seen.event, SubagentStop):
            _put(self._ended, who.agent_id)
        else:
            self._ended.pop(who.agent_id, None)
        known = self._depths.get(who.agent_id)
        parent = who.parent or MAIN_THREAD
        depth = 1 if parent == MAIN_THREAD else 1 + self._depths.get(parent, 1)
        if known is not None and known >= depth:
            return None
        self._depths[who.agent_id] = depth
        if len(self._depths) > _MOST_AGENTS:
            self._depths.popitem(last=False)
        if depth < self.limits["warn"]:
            return None
        return Sight(
            key=who.agent_id,
            severity=self.severity(depth),
            summary=f"agent {who.agent!r} is {depth} starts away from the main thread",
            figures={"depth": depth},
            seqs=(seen.seq,),
        )

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether the agent has come to its end."""
        del now_ns
        return key in self._ended


def _put(table: OrderedDict[str, None], key: str) -> None:
    table[key] = None
    table.move_to_end(key)
    if len(table) > _MOST_AGENTS:
        table.popitem(last=False)
