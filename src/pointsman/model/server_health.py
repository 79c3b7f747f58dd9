"""An MCP server as a host declares it, how it fares, and who tells a hook of that."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pointsman.model.event import Event

_PREFIX = "mcp__"
_MOST_PART = 20
_UNSPEAKABLE = re.compile(r"[^a-zA-Z0-9_-]")


class Verdict(StrEnum):
    """What a probe says of a server."""

    HEALTHY = "healthy"
    AUTH = "authentication required"
    """It is there and wants to know who asks: not down."""
    AFFINITY = "session affinity lost"
    """It answers, but the requests of one session reach processes that do not know it."""
    WEDGED = "wedged"
    """It is there, takes what is sent, and does not answer within its time."""
    DOWN = "down"
    UNKNOWN = "not known"
    """It could not be established: a variable that it needs is not set here, say."""
    UNPROBED = "not probed"
    """To probe it would run or reach what nobody has approved."""


FAILING = frozenset({Verdict.DOWN, Verdict.WEDGED, Verdict.AFFINITY})
"""With these its calls cannot be relied upon."""
ANSWERS = frozenset({Verdict.HEALTHY, Verdict.AUTH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server as one file of one host declares it.

    ``root`` is the project for which it is declared, empty where it is the user's own.
    ``headers`` and ``env`` are expanded and hold secrets: they are never shown. ``variables`` are
    those that its declaration names, ``unset`` those of them without a value here. ``held`` says
    why it is not probed, empty where it may be, ``problem`` what is wrong with its declaration.
    """

    name: str
    host: str
    scope: str
    file: str
    transport: str
    command: tuple[str, ...] = field(default=(), repr=False)
    cwd: str = ""
    url: str = field(default="", repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    root: str = ""
    timeout: float | None = None
    unset: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    held: str = ""
    problem: str = ""

    @property
    def key(self) -> str:
        """What its state is kept under: host, project (or nothing), its name in a tool's name."""
        return key_of(self.host, self.root, self.name)

    @property
    def declared(self) -> str:
        """A hash of how it is declared, secrets aside: another one is another server."""
        said = (self.transport, self.command, self.url.partition("?")[0], self.cwd)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]

    @property
    def where(self) -> str:
        """What it is, in a few words that hold no secret."""
        if self.transport == "stdio":
            return self.command[0] if self.command else "no command"
        return shown_url(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What one probe has found. Times in ms; ``tools`` maps each tool to a hash of its schema.

    ``detail`` says what was seen, ``sessions`` on how many sessions affinity was tried.
    """

    verdict: Verdict
    detail: str
    at_ns: int
    era: str = ""
    latency_ms: float | None = None
    tools: Mapping[str, str] = field(default_factory=dict)
    tools_hash: str = ""
    drift: tuple[str, ...] = ()
    sessions: int = 0
    codes: tuple[int, ...] = ()


class Phase(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Whether a server's calls pass. ``failures`` are in a row, ``trips`` openings in a row.

    ``by`` is what opened it (``calls`` or ``probe``), ``retry_ns`` when it is tried again,
    ``trial_ns`` when a call was let through to try it (0: none is under way).
    """

    phase: Phase = Phase.CLOSED
    failures: int = 0
    trips: int = 0
    by: str = ""
    reason: str = ""
    opened_ns: int = 0
    retry_ns: int = 0
    trial_ns: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call of a server is held up: its name, what is wrong, and seconds until the retry."""

    server: str
    reason: str
    retry_s: float
    probed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One server at the start of a session; without ``health`` no probe has ended in time."""

    server: Server
    health: Health | None
    breaker: Breaker


class Servers(Protocol):
    """Who knows how MCP servers fare."""

    def watched(self, event: Event) -> bool:
        """Whether there is anything to say about a call of a server: quick."""

    def refusal(self, event: Event) -> Refusal | None:
        """Return why this call is held up; a call that is let through as a trial is noted."""

    def down(self, name: str, event: Event) -> str:
        """Return why a server is not to be relied upon, empty where nothing speaks against it."""

    async def at_start(
        self, event: Event, within: float, settings: Mapping[str, Any]
    ) -> Sequence[Standing]:
        """Probe the servers of a session that begins, and return what is known in time."""


class NobodyWatches:
    """Where nothing is known of servers."""

    def watched(self, event: Event) -> bool:
        """Return no."""
        del event
        return False

    def refusal(self, event: Event) -> Refusal | None:
        """Hold nothing up."""
        del event
        return None

    def down(self, name: str, event: Event) -> str:
        """Know nothing against it."""
        del name, event
        return ""

    async def at_start(
        self, event: Event, within: float, settings: Mapping[str, Any]
    ) -> Sequence[Standing]:
        """Probe nothing."""
        del event, within, settings
        return ()


def key_of(host: str, root: str, name: str) -> str:
    """Return what the state of a server is kept under."""
    return f"{host}\n{root}\n{spoken_name(name)}"


def spoken_name(name: str) -> str:
    """Return a server's name as it stands in the names of its tools (measured: Claude Code)."""
    return _UNSPEAKABLE.sub("_", name)


def server_of(tool: str) -> str:
    """Return the server of a tool's name, empty where it is the tool of none."""
    if not tool.startswith(_PREFIX):
        return ""
    return tool[len(_PREFIX) :].partition("__")[0]


def shown_url(url: str) -> str:
    """Return a URL without what may be a secret: user, password, query, long parts of the path."""
    rest = url.partition("?")[0].partition("#")[0]
    scheme, mark, tail = rest.partition("://")
    if not mark:
        return "an address without a scheme"
    place, *path = tail.split("/")
    # Some services put the key into the path: whatever could be one is left out.
    parts = [part if len(part) <= _MOST_PART else "…" for part in path]
    return "/".join([f"{scheme}://{place.rpartition('@')[2]}", *parts])
