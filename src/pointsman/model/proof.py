"""What is said between the guard that wants a call's changes proven and whoever proves them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

Outside = Callable[[str], str]
"""From a path relative to the repository to the reason why it may not be changed, or ``""``.

A path that ends with a slash is a directory that comes or goes: it may, if what may be changed can
lie in it.
"""

Judges = Mapping[str, Outside]
"""The contracts in force, by agent. An agent that is not in it is held to none."""


class Outcome(StrEnum):
    """What became of a change outside the contract."""

    RESTORED = "put back"
    """It was the call's own, and is undone."""
    QUIET = "put back without a word"
    """The same, of a cache that can be made again at any time and that runs as code."""
    UNRESTORED = "found, and not put back"
    """It was the call's own, and could not be undone."""
    UNTOLD = "could not verify"
    """It may have been the call's or somebody else's: left alone, for a person to look at."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """What the analysis of a call says that it writes.

    ``paths`` are absolute and stand for everything below them as well. ``opaque`` says that it
    may write anything else, too. ``inodes`` (device, number) are the files that the paths led to
    when the call was announced: it may have taken a link away since.
    """

    paths: tuple[str, ...] = ()
    opaque: bool = True
    inodes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One tool call under way, or over.

    Times are nanoseconds since the epoch. ``began_ns`` is when it was announced; ``ran_ns`` when
    it began to run, where the host says so (it may have waited for a person before).
    ``writable`` are the directories that the kernel let it write to, ``None`` where nothing
    held it. ``pid`` is the process of a command that no hook has announced (the host's own, a
    person's), 0 of every other; ``born`` is its start time, in the kernel's ticks.
    """

    root: str
    session: str
    agent: str
    id: str
    agent_id: str = ""
    tool: str = ""
    text: str = ""
    foretold: Foretold = field(default_factory=Foretold)
    writable: tuple[str, ...] | None = None
    lasting: bool = False
    """Whether it may leave something running behind."""
    began_ns: int = 0
    ran_ns: int = 0
    ended_ns: int = 0
    pid: int = 0
    born: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One change outside the contract. ``path`` is relative to the repository."""

    path: str
    what: str
    outcome: Outcome
    why: str
    by: tuple[str, ...] = ()
    """The ids of the calls that it is, or may be, the work of."""
    kept: str = ""
    """Where the agent's version is, absolute; empty where there was none to keep."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison has found; ``problem`` is why it could not be made, or not in full."""

    findings: tuple[Finding, ...] = ()
    problem: str = ""
    id: str = ""
    """What ``pointsman proof show`` knows the kept versions by."""


class Prover(Protocol):
    """Remembers what a repository held, and finds what a call has made of it.

    Every method may take as long as reading the tree does, and belongs in a thread.
    """

    def prepare(self, root: str, judges: Judges) -> Report:
        """Read a tree before anybody asks."""

    def before(self, call: Call, judges: Judges) -> Report:
        """Take the baseline of a call of a scoped agent, and remember that it is under way."""

    def note(self, call: Call) -> None:
        """Remember a call of an agent without a contract: what it changes is its own. Quick."""

    def noted(self, call: Call) -> None:
        """Remember that such a call is over. Quick."""

    def beside(self, root: str, agent: str, pid: int) -> None:
        """Remember a command that no hook has announced, for as long as its process runs. Quick."""

    def after(self, call: Call, judges: Judges) -> Report:
        """Compare after a call, and put back what it changed outside its contract."""

    def unsettled(self, call: Call) -> bool:
        """Whether this agent has calls of which no end is known. Quick."""

    def settle(self, call: Call, judges: Judges, *, over: bool) -> Report:
        """Compare where calls of this agent may have ended without a word.

        ``over`` says that the agent itself has ended.
        """
