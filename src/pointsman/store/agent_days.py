"""What agents have done by the day they were last heard of: ``agent_runs``, added up.

Whoever changes a run takes it out before, and puts it in again afterwards, in one transaction: so
the sums are those of the runs at any time, also where a run has gone on to another day, or its
model has become known.
"""

from collections.abc import Iterable, Sequence
from typing import Any

DAY_NS = 86_400 * 10**9
UNNAMED = "(unnamed)"
"""The agents of a host's own, which have an id and no type."""
COUNTS = (
    "events", "calls", "allowed", "denied", "asked", "modified", "failed", "duration_ns",
)  # fmt: skip
TYPE = (
    "CASE WHEN agent_type <> '' THEN agent_type WHEN agent_id = '' THEN 'main'"
    f" ELSE '{UNNAMED}' END"
)
"""What an agent is called."""


def _moved(sign: str) -> str:
    summed = ("runs", *COUNTS)
    added = ", ".join(f"{name} = agent_days.{name} + excluded.{name}" for name in summed)
    return (
        f"INSERT INTO agent_days (day, repository, agent, model, role, runs, last_ns,"  # noqa: S608
        f" {', '.join(COUNTS)}) SELECT last_ns / {DAY_NS}, repository, {TYPE}, model, role,"
        f" {sign}1, last_ns, {', '.join(sign + name for name in COUNTS)} FROM agent_runs"
        " WHERE session = ? AND agent_id = ? AND counted = 1 AND events > 0"
        f" ON CONFLICT (day, repository, agent, model, role) DO UPDATE SET {added},"
        " last_ns = CASE WHEN excluded.last_ns > agent_days.last_ns THEN excluded.last_ns"
        " ELSE agent_days.last_ns END"
    )


_OUT, _IN = _moved("-"), _moved("")
EMPTIED = "DELETE FROM agent_days WHERE runs <= 0"
UNCOUNTED = "SELECT session, agent_id FROM agent_runs WHERE counted = 0 LIMIT ?"
"""Runs of before these sums, which are not in them yet."""
COUNTED = "UPDATE agent_runs SET counted = 1 WHERE session = ? AND agent_id = ?"
Statement = tuple[str, Sequence[Sequence[Any]]]


def around(rows: Iterable[Sequence[Any]], changes: Sequence[Statement]) -> list[Statement]:
    """Return changes of runs between those that take them out of the sums and put them in.

    ``rows`` begin with the session and the agent of each run that they change.
    """
    touched = [tuple(row[:2]) for row in rows]
    return [(_OUT, touched), *changes, (_IN, touched)]
