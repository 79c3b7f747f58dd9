"""What a host's own transcript says of tool calls and of the hooks that it ran for them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What became of a hook that the host has started."""

    ANSWERED = "answered"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostHook:
    """One run of a hook as the host tells it. Most that answered in silence it does not tell."""

    event: str
    command: str
    fate: Fate
    timed_out: bool = False
    ms: int = 0
    detail: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is our client that was started."""
        return "pointsman" in self.command


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One tool call that has ended. ``ran`` is false where it was refused or malformed."""

    id: str
    tool: str
    session: str
    at_ns: int
    ran: bool
    agent_id: str | None = None
    cwd: str = ""
    terminal: bool = False
    """Whether a person sat at the host: without one it runs hooks in folders that nobody trusts."""
    command: str = ""
    """What a shell was given, where it was a shell's call."""
    hooks: tuple[HostHook, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the ledger has of one session.

    ``answered`` are the ids of the calls that a hook of ours was asked about, ``judged`` the
    commands that the second gate has judged without one.
    """

    answered: Collection[str] = frozenset()
    judged: Mapping[str, int] = field(default_factory=dict)
    any: bool = False
    """Whether there is any event of it that a hook has delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unguarded:
    """A call that ran and that no hook record answers for, with the likely cause."""

    call: Call
    cause: str
    judged: bool = False
    """Whether the second gate has judged it all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many of the calls that ran a hook record answers for."""

    ran: int = 0
    refused: int = 0
    unguarded: tuple[Unguarded, ...] = field(default=())

    @property
    def guarded(self) -> int:
        """Calls that ran and that a record answers for."""
        return self.ran - len(self.unguarded)

    @property
    def share(self) -> float | None:
        """Guarded calls among those that ran; ``None`` where none ran."""
        return self.guarded / self.ran if self.ran else None
