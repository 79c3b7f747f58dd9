"""How long calls and agents took, by the names of the conventions: counted while the relay runs.

The ledger keeps no sums of these, so they are added up from its entries as they come, in a thread;
they begin at zero with each process, and say since when. Nothing is read when they are asked for.
"""

import sqlite3
import threading
import time
from bisect import bisect_left
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.model.errors import LedgerError
from pointsman.model.telemetry import Entry, Family, Labels, Sample
from pointsman.model.tools import KNOWN
from pointsman.relay.usage_tally import UsageTally
from pointsman.store import follow
from pointsman.store.query import opened
from pointsman.telemetry import names

BOUNDS = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
"""Seconds: the bounds that the conventions advise for durations."""
MCP, OTHER = "mcp", "other"
_POLL = 1.0
_CALL_ENDS = {"PostToolUse": "", "PostToolUseFailure": "tool_error"}
_AGENT_ENDS = ("SubagentStop", "SessionEnd")
_DOCS = {
    names.EXECUTE_TOOL: "How long tool calls took.",
    names.INVOKE_AGENT: "How long agents ran: subagents, and main threads with their sessions.",
}


def tool_label(name: str) -> str:
    """Return the label of a tool: its name where it is one of a closed list."""
    if name.startswith("mcp__"):
        return MCP
    return name if name in KNOWN else OTHER


@dataclass(slots=True)
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def sample(self, labels: Labels) -> Sample:
        below, buckets = 0, []
        for bound, count in zip(BOUNDS, self.counts, strict=False):
            below += count
            buckets.append((bound, below))
        return Sample(labels, sum(self.counts), tuple(buckets), self.total)


class Tally:
    """Follows the ledger from now on, and adds up."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._since = time.time_ns()
        self._after: int | None = None
        self._follower = follow.Follower()
        self._found: dict[tuple[str, Labels], _Histogram] = {}
        self._usage = UsageTally()
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, daemon=True, name="tally").start()

    def end(self) -> None:
        """End after what is under way."""
        self._ended.set()

    def catch_up(self) -> None:
        """Add up what has come since the last time."""
        try:
            with opened(self._ledger) as connection:
                newest = follow.newest(connection)[0]
                if self._after is None or newest < self._after:
                    self._after = newest  # The first time, or another ledger in its place.
                while (batch := self._follower.read(connection, self._after)).last != self._after:
                    self._after = batch.last
                    for entry in batch.entries:
                        self._add(entry)
                self._usage.catch_up(connection)
        except (LedgerError, sqlite3.Error):
            return  # The next time; figures say nothing about how the ledger is.

    def families(self) -> list[Family]:
        """Return the metrics as they are now."""
        with self._lock:
            timed = [
                Family(
                    name=f"gen_ai.{operation}.duration", kind="histogram", unit="s", doc=doc,
                    since_ns=self._since,
                    samples=tuple(
                        each.sample(labels)
                        for (which, labels), each in sorted(self._found.items())
                        if which == operation
                    ),
                )
                for operation, doc in _DOCS.items()
            ]  # fmt: skip
        return [*timed, self._usage.family(self._since)]

    def _run(self) -> None:
        while not self._ended.wait(_POLL):
            self.catch_up()

    def _add(self, entry: Entry) -> None:
        event = entry.event
        if not entry.started_ns or event["derived_from"] is not None:
            return
        kind = event["event"]
        labels: Labels = ()
        if kind in _CALL_ENDS:
            labels = ((names.TOOL_NAME, tool_label(event["tool"])),)
            failed = _CALL_ENDS[kind]
            labels += ((names.ERROR_TYPE, failed),) if failed else ()
        elif kind not in _AGENT_ENDS:
            return
        operation = names.EXECUTE_TOOL if kind in _CALL_ENDS else names.INVOKE_AGENT
        seconds = max(0, event["received_ns"] - entry.started_ns) / 1e9
        with self._lock:
            self._found.setdefault((operation, labels), _Histogram()).add(seconds)
