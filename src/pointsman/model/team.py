"""What hooks are told of the other agents of a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pointsman.model.event import Event

SPAWNING_TOOLS = frozenset({"Agent", "Task"})
"""The tools that start an agent; the host calls both by the first name."""

DEFAULT_AGENT = "general-purpose"
"""The type of an agent that is started without one."""

GIVEN_UP = "completion.given-up"
"""The rule of an end whose checks failed once too often: it passes, and is no completion."""


@dataclass(frozen=True, slots=True)
class Member:
    """An agent that is being started or runs: its type, and the id of the agent or of the call."""

    agent: str
    key: str
    isolated: bool = False
    """Whether it works in a worktree of its own."""


class Team(Protocol):
    """The agents of each session."""

    def running(self, session: str) -> Sequence[Member]:
        """Return who is being started or runs."""

    def begin(self, event: Event, agent: str, *, isolated: bool) -> None:
        """Note a start that nothing speaks against, until it is known what became of it."""

    def ended(self, session: str, agent: str) -> str | None:
        """Return how the last agent of this type ended: the empty string is well."""

    def sent_back(self, event: Event) -> int:
        """Count that this agent is sent back by what it left behind; return how often it was."""

    def edited(self, event: Event) -> Sequence[str]:
        """Return the files that this agent has changed by a file tool, canonical."""

    def began(self, event: Event) -> int:
        """Return when this agent was first seen, in ns since the epoch, 0 where it was not."""


class Nobody:
    """The team of a hook that is asked outside the daemon."""

    def running(self, session: str) -> Sequence[Member]:
        """Return nobody."""
        del session
        return ()

    def begin(self, event: Event, agent: str, *, isolated: bool) -> None:
        """Note nothing."""

    def ended(self, session: str, agent: str) -> str | None:
        """Return that nobody has ended."""
        del session, agent
        return None

    def sent_back(self, event: Event) -> int:
        """Count the first time."""
        del event
        return 1

    def edited(self, event: Event) -> Sequence[str]:
        """Return no file."""
        del event
        return ()

    def began(self, event: Event) -> int:
        """Return that it was not seen."""
        del event
        return 0
