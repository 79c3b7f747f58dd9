"""What leaves this machine's record for elsewhere: entries of the ledger, and figures of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.model.usage import Amount

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the ledger's chain: an event with its hook runs, late runs, or a note.

    ``n`` is its number in the chain. ``event`` has the columns of the event, of late runs those
    of the event that they belong to; it is empty for a note. ``started_ns`` is when what ends with
    this event began (a call, an agent, a session), 0 where nothing ends or nobody knows; ``used``
    what an agent that ends with it has used itself, as far as that is known.
    """

    n: int
    event: Mapping[str, Any] = field(default_factory=dict)
    runs: tuple[Mapping[str, Any], ...] = ()
    late: bool = False
    note: Mapping[str, Any] = field(default_factory=dict)
    started_ns: int = 0
    used: Amount | None = None
    payload: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Entries that follow one another; ``last`` is the number of the last one that was looked at.

    ``mark`` is the hash of that one in the chain: another ledger has another. ``lost`` counts the
    events that retention has removed before they were read.
    """

    entries: tuple[Entry, ...] = ()
    last: int = -1
    mark: str = ""
    lost: int = 0

    @property
    def events(self) -> int:
        """How many events are in it."""
        return sum(1 for entry in self.entries if entry.event and not entry.late)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a family, by its labels; of a histogram the buckets, the count and the sum.

    ``buckets`` are pairs of an upper bound and the count up to it, in ascending order.
    """

    labels: Labels
    value: float
    buckets: tuple[tuple[float, int], ...] = ()
    total: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric. ``kind`` is counter, gauge or histogram; ``unit`` is in UCUM (``s``, ``By``).

    ``since_ns`` is when its counting began, 0 for the ledger's own beginning.
    """

    name: str
    kind: str
    doc: str
    unit: str = ""
    since_ns: int = 0
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCall:
    """A tool call as the host's own telemetry tells it; ``ended`` where it told a result."""

    session: str
    id: str
    at_ns: int
    tool: str = ""
    agent_id: str = ""
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What one message of a host's telemetry adds: counts by session (``HOST_COUNTS``), calls."""

    at_ns: int
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    calls: tuple[HostCall, ...] = ()


HOST_COUNTS = (
    "records", "points", "spans", "prompts", "tool_results", "tool_failures", "tool_accepted",
    "tool_rejected", "hooks_run", "hooks_blocked", "hooks_failed", "hooks_cancelled",
    "guards_cancelled", "api_requests", "api_errors", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_creation_tokens", "cost_micros",
)  # fmt: skip
"""What is counted of a session: ``guards_cancelled`` are the hooks on PreToolUse among those."""
