"""What one session hands over to the next: the only thing that a fresh context starts from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pointsman.model.event import Event

TOKENS = 1500
"""The most that a brief has."""


class AfterClear(StrEnum):
    """When a cleared session's brief is given to the one that follows."""

    ALWAYS = "always"
    PAST = "past"
    """Only where its context was past a threshold."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a session on record; ``native`` is the host's payload, empty where purged."""

    seq: int
    event: str
    tool: str = ""
    path: str = ""
    decision: str = ""
    rule: str = ""
    reason: str = ""
    agent_id: str | None = None
    native: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """What is on record of a session, as far as a brief wants it; the oldest first.

    ``files`` are the files that were changed and how often, the last one first. ``tokens`` is the
    size of the main thread's context when it was last asked for, 0 where that is not known.
    """

    session: str
    cwd: str = ""
    happenings: tuple[Happening, ...] = ()
    files: tuple[tuple[str, int], ...] = ()
    tokens: int = 0
    model: str = ""
    transcript: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """How an agent's context stands. ``reasons`` say why it should not be worked on in."""

    fullest: float = 0.0
    """The most percent of its window that were seen since it was last compacted."""
    tokens: int = 0
    window: int = 0
    compactions: int = 0
    errors: int = 0
    reverts: int = 0
    alert: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        """Return how full it is."""
        return round(100 * self.tokens / self.window, 1) if self.window else 0.0


@dataclass(frozen=True, slots=True)
class Brief:
    """What is handed over, each part as lines, the most important first."""

    session: str
    condition: Condition
    goal: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    next_step: tuple[str, ...] = ()
    last_words: tuple[str, ...] = ()


PARTS: Mapping[str, str] = {
    "goal": "Goal",
    "next_step": "Next step",
    "open": "Open",
    "failed": "Tried and failed",
    "decisions": "Decided",
    "done": "Done",
    "files": "Files changed",
    "last_words": "Its own last words",
}
"""The parts of a brief in their order, and what each is called."""


class Handoff(Protocol):
    """The briefs of sessions. All of it reads the disk: call it in a thread."""

    def after_clear(self, event: Event, mode: AfterClear, window: float, at: float) -> str:
        """Return the brief for a session that follows on ``/clear``, empty where there is none.

        ``window`` is that of the model in tokens, ``at`` the percent from which one is past it.
        """


class NoHandoff:
    """Hands nothing over."""

    def after_clear(self, event: Event, mode: AfterClear, window: float, at: float) -> str:
        """Return nothing."""
        del event, mode, window, at
        return ""
