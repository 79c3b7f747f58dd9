"""A file that is edited and put back, over and over, by one agent or by several.

Each write by a file tool leaves a content; a revert is one that the file had before, with another
in between. Counted are the reverts among the last so many writes of the file.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from pointsman.model.events import PostToolUse
from pointsman.watch.detector import Detector, Seen, Sight
from pointsman.watch.fingerprint import fingerprint
from pointsman.watch.progress import state_after

_MOST_FILES = 128
_MOST_STATES = 24
_TOOLS = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit"})


class Churn(Detector):
    """Finds files that go back and forth."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._files: OrderedDict[str, deque[tuple[int, bool]]] = OrderedDict()

    def event(self, seen: Seen) -> Sight | None:
        """Compare what a write has left with what the file held before."""
        event = seen.event
        if not isinstance(event, PostToolUse) or event.tool_name not in _TOOLS:
            return None
        found = state_after(event)
        if found is None:
            return None
        path, state = found
        states = self._of(path)
        before = event.tool_response
        original = before.get("originalFile") if isinstance(before, Mapping) else None
        if not states and isinstance(original, str):
            states.append((fingerprint(["content", original]), False))
        if states and states[-1][0] == state:
            return None
        states.append((state, any(state == known for known, _ in states)))
        reverts = sum(was for _, was in states)
        if not states[-1][1] or reverts < self.limits["warn"]:
            return None
        return Sight(
            key=path,
            severity=self.severity(reverts),
            summary=f"{path} went back to what it held before {reverts} times in its last "
            f"{len(states)} writes",
            figures={"reverts": reverts, "writes": len(states)},
            seqs=(seen.seq,),
        )

    def _of(self, path: str) -> deque[tuple[int, bool]]:
        states = self._files.get(path)
        if states is None:
            states = self._files[path] = deque(maxlen=_MOST_STATES)
            if len(self._files) > _MOST_FILES:
                self._files.popitem(last=False)
        else:
            self._files.move_to_end(path)
        return states
