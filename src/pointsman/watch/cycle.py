"""The same one to four calls round and round.

With ``c(i)`` the i-th call (tool and input), ``m(p)`` is how many calls in a row were equal to the
one ``p`` before: ``c(i) = c(i-p)``. ``m(p) + p`` calls are then ``(m(p) + p) / p`` rounds of
period ``p``. The smallest period counts. A round in which a call gave another result than the
last time is none.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from pointsman.model.events import PostToolUse, PostToolUseFailure, PreToolUse
from pointsman.watch.detector import WAITING, Detector, Seen, Sight

LONGEST = 4
_FEWEST_CALLS = 6
"""Rounds of a short period: so many calls at least."""
_MOST = 64


class Cycle(Detector):
    """Finds periods of one to four calls."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._last: deque[int] = deque(maxlen=LONGEST)
        self._equal = [0] * (LONGEST + 1)
        self._results: OrderedDict[int, int] = OrderedDict()

    def event(self, seen: Seen) -> Sight | None:
        """Compare a call with those one to four before it."""
        if isinstance(seen.event, PostToolUse | PostToolUseFailure):
            self._ended(seen)
            return None
        if not isinstance(seen.event, PreToolUse) or seen.event.tool in WAITING:
            return None
        for period in range(1, LONGEST + 1):
            same = len(self._last) >= period and self._last[-period] == seen.call
            self._equal[period] = self._equal[period] + 1 if same else 0
        self._last.append(seen.call)
        return self._sight(seen)

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether the round is broken."""
        del now_ns
        period = int(key.rpartition(" ")[2])
        return (self._equal[period] + period) // period < self.limits["warn"]

    def _sight(self, seen: Seen) -> Sight | None:
        for period in range(1, LONGEST + 1):
            calls = self._equal[period] + period
            rounds = calls // period
            if self._equal[period] and rounds >= self.limits["warn"] and calls >= _FEWEST_CALLS:
                many = calls >= 2 * _FEWEST_CALLS
                return Sight(
                    key=f"period {period}",
                    severity=self.severity(rounds if many else self.limits["warn"]),
                    summary=f"the same {period} calls in a row, {rounds} times round, "
                    f"last {seen.event.tool}",
                    figures={"period": period, "rounds": rounds, "calls": calls},
                    seqs=(seen.seq,),
                )
        return None

    def _ended(self, seen: Seen) -> None:
        before = self._results.get(seen.call)
        self._results[seen.call] = seen.result
        self._results.move_to_end(seen.call)
        if len(self._results) > _MOST:
            self._results.popitem(last=False)
        if before is not None and before != seen.result:
            self._equal = [0] * (LONGEST + 1)
