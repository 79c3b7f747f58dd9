"""A file that is edited and put back, over and over, by one agent or by several.

Each write leaves a content; a revert is one that the file had before, with another in between.
Counted are the reverts among the last so many writes of the file. Of a shell command the host tells
what it has changed in which file: the same change undone leads back to where it came from.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from pointsman.model.events import PostToolUse
from pointsman.watch.detector import Detector, Seen, Sight
from pointsman.watch.fingerprint import fingerprint
from pointsman.watch.progress import shell_edits, state_after

_MOST_FILES = 128
_MOST_STATES = 24
_MOST_STEPS = 2048
_TOOLS = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit"})


class Churn(Detector):
    """Finds files that go back and forth."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._files: OrderedDict[str, deque[tuple[int, bool]]] = OrderedDict()
        self._steps: OrderedDict[tuple[int, int], int] = OrderedDict()
        """Which state a change leads to from another one."""

    def event(self, seen: Seen) -> Sight | None:
        """Compare what a write has left with what the file held before."""
        event = seen.event
        if not isinstance(event, PostToolUse):
            return None
        if event.tool_name not in _TOOLS:
            return self._by_shell(seen, event)
        found = state_after(event)
        if found is None:
            return None
        path, state = found
        states = self._of(path)
        before = event.tool_response
        original = before.get("originalFile") if isinstance(before, Mapping) else None
        if not states and isinstance(original, str):
            states.append((fingerprint(["content", original]), False))
        return self._left(path, states, state, seen)

    def _by_shell(self, seen: Seen, event: PostToolUse) -> Sight | None:
        sight = None
        for edit in shell_edits(event):
            states = self._of(edit.path)
            if not states:
                states.append((fingerprint(["before", edit.path]), False))
            now = states[-1][0]
            state = self._steps.get((now, edit.change)) or fingerprint(["after", now, edit.change])
            self._steps[now, edit.change], self._steps[state, edit.undone] = state, now
            while len(self._steps) > _MOST_STEPS:
                self._steps.popitem(last=False)
            sight = self._left(edit.path, states, state, seen) or sight
        return sight

    def _left(
        self, path: str, states: deque[tuple[int, bool]], state: int, seen: Seen
    ) -> Sight | None:
        """Take in what a write has left in a file."""
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

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether its last writes went back less often."""
        del now_ns
        return sum(was for _, was in self._files.get(key, ())) < self.limits["warn"]

    def _of(self, path: str) -> deque[tuple[int, bool]]:
        states = self._files.get(path)
        if states is None:
            states = self._files[path] = deque(maxlen=_MOST_STATES)
            if len(self._files) > _MOST_FILES:
                self._files.popitem(last=False)
        else:
            self._files.move_to_end(path)
        return states
