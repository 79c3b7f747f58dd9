"""How long a hook may take.

A budget is a deadline that is handed down, not a number that is read again per call.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

DEFAULT_BUDGETS = {
    "SessionStart": 5.0,
    "PreEdit": 15.0,
    "PreToolUse": 10.0,
    "PostToolUse": 5.0,
}
"""Seconds for one hook run, by event (the upper end of the ranges in use in production)."""

OTHER_EVENTS = 5.0
"""Seconds for one hook run on an event that ``DEFAULT_BUDGETS`` does not name."""

LONGEST = 20.0
"""Seconds; no budget may be longer, so that ours ends before the client's own deadline."""

CLIENT_GUARD_DEADLINE = 25.0
"""Seconds after which the client gives up on a guard event and stops the call."""

CLIENT_DEADLINE = 22.0
"""Seconds after which the client gives up on any other event and lets it pass, recorded."""

HOST_TIMEOUT = 30
"""Seconds that ``init`` registers with the host: longer than every deadline of ours."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A deadline for one hook run, on a monotonic clock, in seconds."""

    total: float
    deadline: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)

    @classmethod
    def of(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> "Budget":
        """Start a budget of this many seconds now."""
        return cls(seconds, clock() + seconds, clock)

    def remaining(self) -> float:
        """Return the seconds that are left, never less than zero."""
        return max(0.0, self.deadline - self.clock())

    @property
    def exhausted(self) -> bool:
        """Whether the deadline has passed."""
        return self.clock() >= self.deadline
