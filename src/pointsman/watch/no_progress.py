"""Many calls, and nothing comes of them.

Progress is a content of a file that the session has not seen before, written or read, and a result
of tests, a build or a checker that is another than those before. Counted are an agent's calls
since the session's last progress, or since somebody last gave it something to do.
"""

from collections.abc import Mapping
from typing import Any

from pointsman.model.events import PreToolUse, UserPromptSubmit
from pointsman.watch.detector import Detector, Seen, Sight


class NoProgress(Detector):
    """Finds so many calls in a row without progress."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._calls = 0

    def event(self, seen: Seen) -> Sight | None:
        """Count a call, or begin anew."""
        if seen.fresh or isinstance(seen.event, UserPromptSubmit):
            self._calls = 0
        if not isinstance(seen.event, PreToolUse):
            return None
        self._calls += 1
        if self._calls < self.limits["warn"]:
            return None
        return Sight(
            key="calls",
            severity=self.severity(self._calls),
            summary=f"{self._calls} calls without a new content or a new test result",
            figures={"calls": self._calls},
            seqs=(seen.seq,),
        )

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether something has come of it, or somebody has given it something else to do."""
        del key, now_ns
        return self._calls < self.limits["warn"]
