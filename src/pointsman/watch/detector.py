"""What a detector is given, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.model.alert import Severity
from pointsman.model.decision import NO_OPINION, Decision
from pointsman.model.event import Event
from pointsman.model.hook import HookRun
from pointsman.model.usage import Cost, Usage

WAITING = frozenset({"BashOutput", "TaskOutput", "Monitor", "AskUserQuestion"})
"""Tools that wait for something: to call them again with the same input is what they are for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One event that is on record, with what became of it.

    ``call`` stands for the tool and its input, ``result`` for what came of it (0: none): equal
    numbers are equal values. ``fresh`` says that with it something came up that was not there
    before: another content of a file, another result of a test.
    """

    event: Event
    decision: Decision = NO_OPINION
    runs: tuple[HookRun, ...] = ()
    seq: int = 0
    call: int = 0
    result: int = 0
    fresh: bool = False

    @property
    def at_ns(self) -> int:
        """When it came, in ns since the epoch."""
        return self.event.received_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a detector has found. ``key`` tells it from what else the detector finds."""

    key: str
    severity: Severity
    summary: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)
    seqs: tuple[int, ...] = ()


class Detector:
    """Watches one agent or one session; keeps a bounded memory, and each step costs the same.

    A detector overrides what it looks at. Its constructor takes its thresholds by name, and what
    it may keep for all agents of one type.
    """

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        del kin
        self.limits = limits

    def event(self, seen: Seen) -> Sight | None:
        """Look at an event."""
        del seen
        return None

    def usage(self, usage: Usage, cost: Cost) -> Sight | None:
        """Look at what a message has used."""
        del usage, cost
        return None

    def tick(self, now_ns: int) -> Sight | None:
        """Look at the time."""
        del now_ns
        return None

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether what was found under a key is over; where nobody can tell, time will."""
        del key, now_ns
        return False

    def severity(self, count: float) -> Severity:
        """Return how bad a count is that is at least the threshold for a warning."""
        return Severity.CRITICAL if count >= self.limits["critical"] else Severity.WARNING
