"""How each hook fares against its budget, and how long answers took, over a chosen time."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pointsman.engine.health import length_ms, standing
from pointsman.model.hook_runs import bucket_end
from pointsman.store import agent_counts, summary
from pointsman.store.agent_days import DAY_NS
from pointsman.store.rollups import HOUR_NS
from pointsman.web.reading import read
from pointsman.web.replies import Cover, number

_MOST_HOURS = 24 * 366
_POINTS = 96
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class HooksApi:
    """The figures of ``pointsman hooks``, beside the time to a decision."""

    def __init__(self, ledger: Path, cover: Cover) -> None:
        self._ledger = ledger
        self._cover = cover

    async def hooks(self, request: Request) -> Response:
        """Return ``hooks``, ``all`` and ``series`` of the last ``hours`` (default 24); 0 is all.

        ``hooks`` are the rows of ``pointsman hooks --json``: by whole days, in UTC, as many as
        touch those hours (``days``). The others are of whole hours; lengths in ms.
        """
        hours = number(request, "hours", 24, _MOST_HOURS)
        now = time.time_ns()
        return self._cover.reply(await read(self._ledger, lambda one: figures(one, hours, now)))


def figures(connection: sqlite3.Connection, hours: int, now: int) -> dict[str, Any]:
    """Return the same from an open ledger."""
    since = (now // HOUR_NS - hours + 1) * HOUR_NS if hours else 0
    step = max(1, -(-hours // _POINTS)) if hours else 24
    steps = agent_counts.answers(connection, since, step)
    rows = [standing(runs) for runs in summary.hook_runs(connection, since)]
    merged: dict[int, int] = {}
    for buckets in steps.values():
        for bucket, answers in buckets.items():
            merged[bucket] = merged.get(bucket, 0) + answers
    return {
        "hooks": sorted(rows, key=lambda row: (-row["runs"], row["hook"], row["event"])),
        "days": now // DAY_NS - since // DAY_NS + 1 if hours else None,
        "events": sum(merged.values()),
        "all": _lengths(merged),
        "series": [
            {"at": at * 3600, "n": sum(each.values()), **_lengths(each)}
            for at, each in steps.items()
        ],
    }


def _lengths(buckets: dict[int, int]) -> dict[str, float | None]:
    longest = round(bucket_end(max(buckets)) / 1e6, 4) if buckets else None
    return {name: length_ms(buckets, share) for name, share in _SHARES.items()} | {"max": longest}
