"""The same error again and again, whatever call it comes from.

Two errors are the same where tool and text are, without times, durations, addresses and numbers
of three digits and more. Counted are those within the last so many calls of the agent.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from pointsman.model.events import PostToolUse, PostToolUseFailure
from pointsman.watch.detector import Detector, Seen, Sight
from pointsman.watch.fingerprint import fingerprint, steady

_MOST = 64
_MOST_TEXT = 4096
_NUMBERS = re.compile(r"\d{3,}")


class SameError(Detector):
    """Finds an error that comes so many times within a window of calls."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._calls = 0
        self._errors: OrderedDict[int, deque[tuple[int, int]]] = OrderedDict()
        self._keys: OrderedDict[str, deque[tuple[int, int]]] = OrderedDict()

    def event(self, seen: Seen) -> Sight | None:
        """Count the calls, and the errors among them."""
        event = seen.event
        if not isinstance(event, PostToolUse | PostToolUseFailure):
            return None
        self._calls += 1
        # The person who interrupts a call knows of it.
        if not isinstance(event, PostToolUseFailure) or event.is_interrupt:
            return None
        text = _NUMBERS.sub("#", steady(event.error[:_MOST_TEXT]))
        times = self._of(fingerprint([event.tool_name, text]))
        times.append((self._calls, seen.seq))
        while times and times[0][0] <= self._calls - self.limits["window"]:
            times.popleft()
        if len(times) < self.limits["warn"]:
            return None
        key = f"{event.tool_name} {text[:60]}"
        self._keys[key] = times
        self._keys.move_to_end(key)
        if len(self._keys) > _MOST:
            self._keys.popitem(last=False)
        first = next((line.strip() for line in event.error.splitlines() if line.strip()), "")
        return Sight(
            key=key,
            severity=self.severity(len(times)),
            summary=f"{event.tool_name} has failed {len(times)} times with the same error: "
            f"{first[:200]}",
            figures={"count": len(times), "calls": self._calls},
            seqs=tuple(seq for _, seq in times)[-5:],
        )

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether the error has not come often enough within the last calls."""
        del now_ns
        first = self._calls - self.limits["window"]
        lately = sum(call > first for call, _ in self._keys.get(key, ()))
        return lately < self.limits["warn"]

    def _of(self, error: int) -> deque[tuple[int, int]]:
        found = self._errors.get(error)
        if found is None:
            most = int(self.limits["critical"]) + 1
            found = self._errors[error] = deque(maxlen=min(most, 256))
            if len(self._errors) > _MOST:
                self._errors.popitem(last=False)
        else:
            self._errors.move_to_end(error)
        return found
