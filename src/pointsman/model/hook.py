"""What a hook is, in which role it runs, and what is recorded of each run."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pointsman.model.budget import Budget
from pointsman.model.decision import Decision
from pointsman.model.event import Event


class Role(StrEnum):
    """What a hook is for, and so what its failure means."""

    GUARD = "guard"
    """Validates. No answer, a crash or a timeout is a hard stop."""
    ENRICHER = "enricher"
    """Adds context. A crash or a timeout costs only its own context."""
    OBSERVER = "observer"
    """Records, after the answer is out. Never blocks, never delays."""


class Outcome(StrEnum):
    """How one hook run ended."""

    DECIDED = "decided"
    NO_OPINION = "no opinion"
    DEGRADED = "degraded"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    SKIPPED = "skipped"


class Log(Protocol):
    """The structured logger that a hook is given."""

    def __call__(self, message: str, /, **fields: object) -> None:
        """Record one line with named values."""


def _drop(message: str, /, **fields: object) -> None:
    """Swallow a line: the logger of a hook that is called outside the daemon."""


@dataclass(frozen=True, slots=True)
class HookContext:
    """What a hook is given beside the event.

    ``budget.remaining()`` are the seconds it has left, ``log("…", key=value)`` writes a
    structured line to the record of this run, ``settings`` is its own table of the
    configuration, and ``inject("…")`` keeps a piece of context even when the budget ends
    before the hook returns.
    """

    budget: Budget
    log: Log = _drop
    settings: Mapping[str, Any] = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)

    def inject(self, text: str) -> None:
        """Add context for the model that survives a timeout of this hook."""
        self.pieces.append(text)


Run = Callable[[Event, HookContext], Decision | Awaitable[Decision | None] | None]
"""A hook's body: from an event to a decision, or to ``None`` where it has no opinion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A hook that the engine can select and run.

    ``events`` names the kinds it listens to (empty: all of them); ``tools`` are patterns of
    tool names (``*`` and ``?``; empty: all). ``budget`` in seconds replaces the event's
    default. A plain function is called on the event loop and must be bounded by
    construction; everything else is a coroutine function.
    """

    name: str
    role: Role
    run: Run
    events: frozenset[str] = frozenset()
    tools: tuple[str, ...] = ()
    budget: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    when: Callable[[Event], bool] | None = None
    """Says of an event of its kinds whether it is asked at all; quick, and no run is recorded."""
    skip: str = ""
    """A reason not to run it (an untrusted file); the skipped run is recorded all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRun:
    """What is recorded of one hook run. Times in nanoseconds, the budget in seconds.

    ``broke`` says of a degraded run what went wrong in it: ``TIMED_OUT`` or ``CRASHED``.
    """

    hook: str
    role: Role
    kind: str
    started_ns: int
    duration_ns: int
    outcome: Outcome
    budget: float
    reason: str = ""
    decision: Decision | None = None
    lines: tuple[str, ...] = ()
    broke: Outcome | None = None
