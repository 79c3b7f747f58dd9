"""Tokens and money that go far faster than they used to.

What is used is added up by the minute; minutes without use do not count. The minute that goes on
is compared with the last 30, and found where the modified z-score of its logarithm is above the
threshold and it is so many times their median: z = 0.6745 (ln x - median) / MAD. Use is skewed and
grows by factors, so that its logarithm is what deviates evenly.

In a session it is held against the session's own minutes, for an agent against those of all
agents of its type, whatever their session.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

from pointsman.model.alert import Severity
from pointsman.model.usage import Cost, Usage
from pointsman.watch.detector import Detector, Sight
from pointsman.watch.robust import log, median, modified_z

_MINUTES = 30
_LEAST = 0.35
"""The least MAD of the logarithms: at a z of 3.5, six times the median."""
_MINUTE = 60 * 10**9
_UNITS = ("tokens", "usd")


class _Minute:
    """The minute that goes on, and the last 30 before it."""

    def __init__(self, history: deque[float]) -> None:
        self.history = history
        self.number = 0
        self.found = 0
        """The last minute that was far above the baseline."""
        self.sum = 0.0

    def add(self, at_ns: int, value: float) -> None:
        number = at_ns // _MINUTE
        # A late message of an earlier minute counts to this one.
        if number > self.number:
            if self.sum > 0:
                self.history.append(self.sum)
            self.number, self.sum = number, 0.0
        self.sum += value


class Burn(Detector):
    """Finds minutes of use far above the baseline."""

    whose = "this session"

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._minutes = {unit: _Minute(self.history(unit, kin)) for unit in _UNITS}

    def history(self, unit: str, kin: dict[str, Any]) -> deque[float]:
        """Return where the minutes of the baseline are kept."""
        del unit, kin
        return deque(maxlen=_MINUTES)

    def usage(self, usage: Usage, cost: Cost) -> Sight | None:
        """Add what a message has used."""
        found = None
        for unit, value in (("tokens", float(usage.tokens)), ("usd", cost.usd)):
            # What has no price is no small sum of money.
            if value is not None:
                self._minutes[unit].add(usage.at_ns, value)
                found = self._sight(unit) or found
        return found

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether a whole minute has passed since that was none of the kind."""
        return now_ns // _MINUTE > self._minutes[key].found + 1

    def _sight(self, unit: str) -> Sight | None:
        minute = self._minutes[unit]
        known = minute.history
        if len(known) < self.limits["history"] or minute.sum < self.limits[unit]:
            return None
        middle = median(known)
        z = modified_z(log(minute.sum), [log(value) for value in known], _LEAST)
        if z <= self.limits["z"] or minute.sum < self.limits["ratio"] * middle:
            return None
        minute.found = minute.number
        shown = "{:,.0f} tokens" if unit == "tokens" else "${:,.2f}"
        return Sight(
            key=unit,
            severity=Severity.CRITICAL if z >= self.limits["critical"] else Severity.WARNING,
            summary=f"{shown.format(minute.sum)} within a minute; {self.whose} used to take "
            f"{shown.format(middle)}",
            figures={"value": minute.sum, "median": middle, "z": round(z, 2), "n": len(known)},
        )


class BurnOfType(Burn):
    """Finds the same for one agent, against all agents of its type."""

    whose = "an agent of this type"

    def history(self, unit: str, kin: dict[str, Any]) -> deque[float]:
        """Return the minutes of all agents of the type."""
        found: deque[float] = kin.setdefault(f"burn {unit}", deque(maxlen=_MINUTES))
        return found
