"""How each hook has done: its runs, how they ended, and how long they took."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

MOST_EVENTS = 5000
_BUCKETS = 60


def figures(connection: sqlite3.Connection, events: int = MOST_EVENTS) -> dict[str, Any]:
    """Return the hooks of the newest so many events, each with outcomes and percentiles in ms.

    ``series`` are the times of whole decisions, in buckets over the same events.
    """
    top = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
    rows = connection.execute(
        "SELECT hook, role, outcome, duration_ns, budget_ms, started_ns, decision FROM hook_runs"
        " WHERE seq > ? ORDER BY seq, n",
        (top - min(events, MOST_EVENTS),),
    )
    runs: dict[tuple[str, str], list[sqlite3.Row]] = defaultdict(list)
    for row in rows:
        runs[row["hook"], row["role"]].append(row)
    hooks = [_hook(name, role, found) for (name, role), found in runs.items()]
    whole = connection.execute(
        "SELECT received_ns, duration_ns FROM events WHERE seq > ? AND derived_from IS NULL"
        " ORDER BY received_ns",
        (top - min(events, MOST_EVENTS),),
    ).fetchall()
    return {
        "hooks": sorted(hooks, key=lambda each: -each["runs"]),
        "events": len(whole),
        "series": _series(whole),
        "all": _percentiles(sorted(row["duration_ns"] for row in whole)),
    }


def percentile(ordered: Sequence[int], share: float) -> int:
    """Return the value below which this share of the values lies (nearest rank)."""
    if not ordered:
        return 0
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]


def _hook(name: str, role: str, found: Sequence[sqlite3.Row]) -> dict[str, Any]:
    outcomes = Counter(row["outcome"] for row in found)
    ran = sorted(row["duration_ns"] for row in found if row["outcome"] != "skipped")
    budget = max(row["budget_ms"] for row in found)
    return {
        "hook": name,
        "role": role,
        "runs": len(found),
        "outcomes": dict(outcomes),
        "decisions": dict(Counter(row["decision"] for row in found if row["decision"] != "none")),
        "budget": budget,
        **_percentiles(ran),
        "last": max(row["started_ns"] for row in found) // 10**6,
    }


def _percentiles(ordered: Sequence[int]) -> dict[str, float]:
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(percentile(ordered, share) / 1e6, 3) for name, share in shares.items()}


def _series(rows: Sequence[sqlite3.Row]) -> list[dict[str, float]]:
    if not rows:
        return []
    first, last = rows[0]["received_ns"], rows[-1]["received_ns"]
    width = max((last - first) // _BUCKETS + 1, 10**9)
    buckets: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        buckets[(row["received_ns"] - first) // width].append(row["duration_ns"])
    return [
        {
            "at": round((first + number * width) / 1e9, 3),
            "n": len(values),
            **_percentiles(sorted(values)),
        }
        for number, values in sorted(buckets.items())
    ]
