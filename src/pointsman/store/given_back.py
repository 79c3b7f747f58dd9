"""What retention takes from the counts is kept in a sum: a counter that is read never goes down."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pointsman.store.agent_days import COUNTS
from pointsman.store.rollups import Row, Statement

_DIMENSIONS = ("all", "event", "tool")
"""The dimensions whose values are few: those that are read as counters."""


def _adding(table: str, keys: str, counted: Sequence[str]) -> str:
    names = ", ".join((keys, *counted))
    marks = ", ".join("?" * len(names.split(", ")))
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in counted)
    return (
        f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({keys}) DO UPDATE SET {added}"
    )


_EVENTS = _adding("given_back", "dimension, value", COUNTS)
_RUNS = _adding("given_back_runs", "hook, outcome, bucket", ("runs", "duration_ns"))


def keep(connection: sqlite3.Connection, taken: Sequence[Statement]) -> None:
    """Keep what these statements (``rollups.statements`` with sign -1) take away."""
    by_table = {sql.split()[2]: rows for sql, rows in taken}
    hours, days = by_table["event_hours"], by_table["hook_days"]
    events: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(COUNTS))
    for dimension, _hour, value, *counts in hours:
        if dimension in _DIMENSIONS:
            _subtract(events[dimension, value], counts)
    runs: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for _day, hook, _event, _role, outcome, _budget, bucket, *counts in days:
        _subtract(runs[hook, outcome, bucket], counts)
    connection.executemany(_EVENTS, [_flat(each) for each in events.items()])
    connection.executemany(_RUNS, [_flat(each) for each in runs.items()])


def _flat(item: tuple[tuple[Any, ...], list[int]]) -> Row:
    return (*item[0], *item[1])


def _subtract(total: list[int], counts: Sequence[int]) -> None:
    for place, count in enumerate(counts):
        total[place] -= count
