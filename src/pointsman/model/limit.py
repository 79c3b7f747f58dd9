"""Hard limits of what a run may use, and who tells how much it has used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pointsman.model.event import Event

PER = ("agent", "type", "task", "session", "day")
"""Whose use is added up: one agent, all agents of a type in a session, a task, a session, a day."""
OF = ("tokens", "usd", "calls", "minutes")
THEN = ("warn", "ask", "deny", "end")
"""What becomes of the next call once it is reached, from the mildest to the strictest."""
UNPRICED = ("off", "warn", "ask", "deny")
"""What becomes of it while some of the use under a limit of money has no price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit: so much (``at``) of something (``of``), added up over something (``per``).

    ``agents`` are patterns of the agents that it stops (empty: all). ``own`` says that a
    repository has set it for itself: a day is then that of the repository. ``source`` is the file.
    """

    per: str
    of: str
    at: float
    then: str
    agents: tuple[str, ...] = ()
    unpriced: str = ""
    own: bool = False
    source: str = ""

    @property
    def rule(self) -> str:
        """The id of the rule that speaks when it is reached."""
        return f"limit.{self.per}-{self.of}"


Told = tuple[Limit, str]
"""A limit of which an agent is warned, and the rule by which it is."""


@dataclass(frozen=True, slots=True)
class Used:
    """How much of a limit is used: tokens, US dollars, calls or minutes.

    ``unpriced`` counts messages under it whose model has no price. ``told`` are the rules by
    which the agent has been warned of it already.
    """

    amount: float
    unpriced: int = 0
    told: frozenset[str] = frozenset()


class Spent(Protocol):
    """Counts what runs use."""

    def used(self, event: Event, limit: Limit) -> Used:
        """Return how much is used of a limit where this event happens, the event's call aside."""

    def begin(self, event: Event, told: Iterable[Told] = ()) -> None:
        """Count a call that nothing here speaks against, until it is known what becomes of it.

        ``told`` are the limits of which the agent is warned with it, each with the rule.
        """


class NothingSpent:
    """For a hook that is asked where nothing is counted."""

    def used(self, event: Event, limit: Limit) -> Used:
        """Return nothing."""
        del event, limit
        return Used(0)

    def begin(self, event: Event, told: Iterable[Told] = ()) -> None:
        """Count nothing."""
        del event, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What has to be known of an event to count it: little, as a whole day is read again.

    ``call`` is the id of a tool call, ``task`` a task's id and its new state (empty: none).
    ``rests`` says that whoever acts waits for a person from here on, ``opens`` that nothing was
    going on before it.
    """

    at_ns: int
    session: str
    agent_id: str | None = None
    agent_type: str | None = None
    repository: str | None = None
    prompt_id: str = ""
    call: str = ""
    is_call: bool = False
    task: tuple[str, str] = ("", "")
    rests: bool = False
    opens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What is added to the use of tokens and money: by a message, or by what it has grown.

    ``usd`` is that of what has a price; ``unpriced`` counts the messages that have none, and is
    negative where one has got a price.
    """

    at_ns: int
    session: str
    message: str
    agent_id: str | None = None
    agent_type: str | None = None
    repository: str | None = None
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0


class PastDeeds(Protocol):
    """What the record knows of what was done and used before this process began.

    Everything comes with the oldest first, of what was put on record before ``before_ns``. Without
    a ``session`` it is that of all.

    Raises:
        LedgerError: the record cannot be read.
    """

    def deeds(self, since_ns: int, before_ns: int, session: str | None = None) -> Sequence[Deed]:
        """Return what was done since a time."""

    def spends(self, since_ns: int, before_ns: int, session: str | None = None) -> Sequence[Spend]:
        """Return what was used since a time."""


class NoPast:
    """Where nothing was before."""

    def deeds(self, since_ns: int, before_ns: int, session: str | None = None) -> Sequence[Deed]:
        """Return nothing."""
        del since_ns, before_ns, session
        return ()

    def spends(self, since_ns: int, before_ns: int, session: str | None = None) -> Sequence[Spend]:
        """Return nothing."""
        del since_ns, before_ns, session
        return ()
