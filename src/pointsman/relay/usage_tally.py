"""How many tokens each message of a model took, as the histogram of the conventions."""

import sqlite3
import threading
from bisect import bisect_left

from pointsman.model.telemetry import Entry, Family, Labels, Sample
from pointsman.store import follow_usage
from pointsman.telemetry import names
from pointsman.telemetry.providers import provider_of

BOUNDS = tuple(4**power for power in range(14))
"""Tokens: 1 to 67108864, the bounds that the conventions advise."""
MOST_MODELS = 30
OTHER = "other"


class UsageTally:
    """Follows the messages from the first reading on, and adds up."""

    def __init__(self) -> None:
        self._after: int | None = None
        self._follower = follow_usage.Follower()
        self._found: dict[Labels, tuple[list[int], int]] = {}
        self._models: set[str] = set()
        self._lock = threading.Lock()

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Add up what has come since the last time.

        Raises:
            sqlite3.Error: the ledger cannot be read.
        """
        newest = follow_usage.newest(connection)
        if self._after is None or newest < self._after:
            self._after = newest  # The first time, or another ledger in its place.
        while (batch := self._follower.read(connection, self._after)).last != self._after:
            self._after = batch.last
            for entry in batch.entries:
                self._add(entry)

    def family(self, since_ns: int) -> Family:
        """Return the metric as it is now, counted since a time."""
        with self._lock:
            samples = tuple(
                _sample(labels, counts, total)
                for labels, (counts, total) in sorted(self._found.items())
            )
        return Family(
            name=names.TOKEN_USAGE, kind="histogram", unit="{token}", since_ns=since_ns,
            doc="Tokens of each message of a model.", samples=samples,
        )  # fmt: skip

    def _add(self, entry: Entry) -> None:
        used, model = entry.used, entry.event["model"]
        if used is None:
            return
        with self._lock:
            if len(self._models) < MOST_MODELS:
                self._models.add(model)
            named = model if model in self._models else OTHER
            for kind, tokens in (("input", used.tokens - used.output_tokens),
                                 ("output", used.output_tokens)):  # fmt: skip
                labels = (
                    (names.OPERATION, names.CHAT),
                    (names.PROVIDER, provider_of(model)),
                    (names.RESPONSE_MODEL, named),
                    (names.TOKEN_TYPE, kind),
                )
                counts, total = self._found.get(labels, ([0] * (len(BOUNDS) + 1), 0))
                counts[bisect_left(BOUNDS, tokens)] += 1
                self._found[labels] = counts, total + tokens


def _sample(labels: Labels, counts: list[int], total: int) -> Sample:
    below, buckets = 0, []
    for bound, count in zip(BOUNDS, counts, strict=False):
        below += count
        buckets.append((float(bound), below))
    return Sample(labels, sum(counts), tuple(buckets), float(total))
