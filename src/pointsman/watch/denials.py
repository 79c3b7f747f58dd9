"""A burst of denied calls: so many of one agent within a window of time.

Some do not count, as they are told of as something else: our own failures as those of the hook,
what a limit stops as ``limit-reached``; whom a person has stopped, that person knows.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

from pointsman.model.alerting import STOPPED_RULE
from pointsman.model.decision import Action, Cause, Decision
from pointsman.watch.detector import Detector, Seen, Sight

_MOST = 256


class Denials(Detector):
    """Finds agents that are stopped again and again."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        most = min(int(limits["critical"]), _MOST)
        self._denied: deque[tuple[int, int]] = deque(maxlen=max(most, int(limits["warn"])))

    def event(self, seen: Seen) -> Sight | None:
        """Count a denial."""
        if not _counts(seen.decision):
            return None
        self._denied.append((seen.at_ns, seen.seq))
        window = self.limits["window"]
        while self._denied[0][0] < seen.at_ns - window * 1e9:
            self._denied.popleft()
        count = len(self._denied)
        if count < self.limits["warn"]:
            return None
        return Sight(
            key="denials",
            severity=self.severity(count),
            summary=f"{count} denials within {window:g} s, the last by {seen.decision.rule}: "
            f"{seen.decision.reason[:200]}",
            figures={"count": count, "rule": seen.decision.rule},
            seqs=tuple(seq for _, seq in self._denied)[-5:],
        )

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether there were fewer within the window by now."""
        del key
        first = now_ns - self.limits["window"] * 1e9
        return sum(at_ns >= first for at_ns, _ in self._denied) < self.limits["warn"]


def _counts(decision: Decision) -> bool:
    told_elsewhere = decision.rule == STOPPED_RULE or decision.rule.startswith("limit.")
    denied = decision.action is Action.DENY and decision.cause is not Cause.FAILURE
    return denied and not told_elsewhere
