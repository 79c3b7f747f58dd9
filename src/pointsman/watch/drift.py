"""New tokens per message that creep up and stay up: a one-sided CUSUM (Page, Biometrika 1954).

New tokens are all but those read from the cache: the context, and with it what is read again, grows
in every session, and is no drift. ``x`` is the logarithm of their mean over a block of messages
(messages in a row are alike; means of blocks hardly are). The first values are the baseline, with
``z = (x - median) / (1.4826 MAD)``, cut at 3 so that no single one decides. Then
``S = max(0, S + z - slack)``, found where ``S`` is above the decision.
"""

from collections.abc import Mapping
from typing import Any

from pointsman.model.alert import Severity
from pointsman.model.usage import Cost, Usage
from pointsman.watch.detector import Detector, Sight
from pointsman.watch.robust import CONSISTENT, centre, log

_MOST_Z = 3.0
_LEAST = 0.45
"""The least MAD of the logarithms: a baseline of few values is often too even by chance."""
_CALM = 3
"""Values in a row that add nothing: it is over."""


class Drift(Detector):
    """Finds a slow rise that single messages do not show."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._block = 0
        self._sum = 0.0
        self._baseline: list[float] = []
        self._high = 0.0
        self._calm = 0

    def usage(self, usage: Usage, cost: Cost) -> Sight | None:
        """Add the new tokens of a message."""
        del cost
        self._sum += usage.tokens - usage.cache_read_tokens
        self._block += not usage.growth  # What a message grows by is no message.
        if self._block < self.limits["block"]:
            return None
        mean = self._sum / self._block
        self._block, self._sum = 0, 0.0
        if len(self._baseline) < self.limits["baseline"]:
            self._baseline.append(log(mean))
            return None
        return self._step(mean)

    def _step(self, mean: float) -> Sight | None:
        middle, deviation = centre(self._baseline, _LEAST)
        z = min(CONSISTENT * (log(mean) - middle) / deviation, _MOST_Z)
        self._high = max(0.0, self._high + z - self.limits["slack"])
        self._calm = self._calm + 1 if z <= self.limits["slack"] else 0
        if self._high <= self.limits["decision"]:
            return None
        reached, self._high = self._high, 0.0
        return Sight(
            key="tokens",
            severity=Severity.WARNING,
            summary=f"new tokens per message have crept up: {mean:,.0f} on average by now",
            figures={"sum": round(reached, 2), "z": round(z, 2), "mean": round(mean)},
        )

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether what is used has come down again."""
        del key, now_ns
        return self._calm >= _CALM
