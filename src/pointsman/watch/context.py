"""The context of an agent that fills up, and that is compacted over and over."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from pointsman.model.alert import Severity
from pointsman.model.events import PreCompact
from pointsman.model.usage import Cost, Usage
from pointsman.model.watching import window_of
from pointsman.watch.detector import Detector, Seen, Sight

_MINUTE = 60 * 10**9


class Context(Detector):
    """Finds a context that takes so many percent of the model's window.

    The window is the setting's; of a model whose name says so, or of which more was seen, a
    million tokens.
    """

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._window = limits["window"]
        self._percent = 0.0

    def usage(self, usage: Usage, cost: Cost) -> Sight | None:
        """Look at the size of the context that a message was asked for with."""
        del cost
        if usage.growth:
            return None  # Of what a message grows by, its context is no measure.
        size = usage.context_tokens
        self._window = window_of(size, usage.model, self._window)
        self._percent = percent = 100 * size / self._window
        if percent < self.limits["warn"]:
            return None
        full = f"the context holds {size:,} of {self._window:,.0f} tokens ({percent:.0f} %)"
        off = f"; start afresh from its brief: pointsman handoff {usage.session}"
        severity = self.severity(percent)
        return Sight(
            key="context",
            severity=severity,
            summary=full + (off if severity is Severity.CRITICAL else ""),
            figures={"tokens": size, "window": self._window, "percent": round(percent, 1)},
        )

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether the newest message was asked for with less."""
        del key, now_ns
        return self._percent < self.limits["warn"]


class Compactions(Detector):
    """Finds so many compactions within a window."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._times: deque[tuple[int, int]] = deque(maxlen=256)

    def event(self, seen: Seen) -> Sight | None:
        """Count a compaction when it begins."""
        if not isinstance(seen.event, PreCompact):
            return None
        self._times.append((seen.at_ns, seen.seq))
        window = self.limits["window"]
        while self._times[0][0] < seen.at_ns - window * _MINUTE:
            self._times.popleft()
        count = len(self._times)
        if count < self.limits["warn"]:
            return None
        return Sight(
            key="compactions",
            severity=self.severity(count),
            summary=f"the context was compacted {count} times within {window:g} minutes",
            figures={"count": count},
            seqs=tuple(seq for _, seq in self._times)[-5:],
        )

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether there were fewer within the window by now."""
        del key
        first = now_ns - self.limits["window"] * _MINUTE
        return sum(at_ns >= first for at_ns, _ in self._times) < self.limits["warn"]
