"""The same call over and over, while nothing changes.

Counted are calls of one agent with the same tool and the same input. The count of all of them
begins again when something new comes up in the session, that of one when its result is another.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from pointsman.model.events import PostToolUse, PostToolUseFailure, PreToolUse
from pointsman.watch.detector import WAITING, Detector, Seen, Sight

_MOST = 64


class Repetition(Detector):
    """Finds the same tool with the same input, so many times without a change."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._counts: OrderedDict[int, int] = OrderedDict()
        self._results: OrderedDict[int, int] = OrderedDict()

    def event(self, seen: Seen) -> Sight | None:
        """Count a call, or begin anew."""
        if isinstance(seen.event, PreToolUse) and seen.event.tool not in WAITING:
            return self._called(seen)
        if isinstance(seen.event, PostToolUse | PostToolUseFailure):
            self._ended(seen)
        return None

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether the count of the call has begun anew."""
        del now_ns
        return self._counts.get(int(key.rpartition(" ")[2], 16), 0) < self.limits["warn"]

    def _called(self, seen: Seen) -> Sight | None:
        count = self._counts.get(seen.call, 0) + 1
        _put(self._counts, seen.call, count)
        if count < self.limits["warn"]:
            return None
        tool = seen.event.tool
        return Sight(
            key=f"{tool} {seen.call:x}",
            severity=self.severity(count),
            summary=f"the same {tool} call {count} times with nothing changed in between",
            figures={"count": count, "tool": tool},
            seqs=(seen.seq,),
        )

    def _ended(self, seen: Seen) -> None:
        before = self._results.get(seen.call)
        _put(self._results, seen.call, seen.result)
        if seen.fresh:
            # The call that brought it begins at one, the others at none.
            self._counts.clear()
            self._counts[seen.call] = 1
        elif before is not None and before != seen.result:
            self._counts[seen.call] = 1


def _put(table: OrderedDict[int, int], key: int, value: int) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > _MOST:
        table.popitem(last=False)
