"""What was used, for a page: sums by one dimension and their course, from the hourly sums alone."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pointsman.meter.report import ALLOCATED, Row, of_hours
from pointsman.model.usage import Amount
from pointsman.store import usage_query
from pointsman.store.usage_query import Chosen
from pointsman.store.usage_rows import DIMENSIONS, HOUR_NS
from pointsman.web.reading import read
from pointsman.web.replies import BadRequest, Cover, number

BY = (*DIMENSIONS, "day")
"""What a page may be grouped by."""
_MOST_HOURS = 24 * 366
_MOST_ROWS = 200
_LINES = 6
_POINTS = 96


class CostApi:
    """What the transcripts' messages have used, as ``pointsman cost`` says it."""

    def __init__(self, ledger: Path, cover: Cover) -> None:
        self._ledger = ledger
        self._cover = cover

    async def cost(self, request: Request) -> Response:
        """Return what was used, ``by`` a dimension, in the last ``hours``: whole hours, in UTC.

        ``rows`` are those of ``pointsman cost --json``, the dearest first, at most 200.
        ``series`` has, by time, dollars of the first few rows and at last of all others, tokens,
        and how many messages had no price. ``total`` is null where nothing was used.
        """
        by = request.query_params.get("by", "model")
        if by not in BY:
            raise BadRequest(f"by={by[:40]!r} is no dimension", fix="by=model")
        hours = max(1, number(request, "hours", 24, _MOST_HOURS))
        repository = request.query_params.get("repository") or None
        last = time.time_ns() // HOUR_NS
        found = await read(self._ledger, lambda one: page(one, by, (hours, last), repository))
        return self._cover.reply({"dimensions": BY, **found})


def page(
    connection: sqlite3.Connection, by: str, span: tuple[int, int], repository: str | None
) -> dict[str, Any]:
    """Return the same from an open ledger; ``span`` is how many hours, and the last of them."""
    hours, last = span
    chosen = Chosen(repository=repository, since=(last - hours + 1) * HOUR_NS)
    rows = of_hours(connection, by, chosen, _MOST_ROWS)
    whole = usage_query.hourly(connection, "total", chosen).get("", Amount())
    return {
        "by": by,
        "basis": "allocated" if by in ALLOCATED else "measured",
        "rows": [row.as_dict(by) for row in rows],
        "total": Row(key="total", amount=whole).as_dict("total") if whole else None,
        "series": _series(connection, by, chosen, (rows[:_LINES], span)),
    }


def _series(
    connection: sqlite3.Connection, by: str, chosen: Chosen, shown: tuple[list[Row], Any]
) -> list[dict[str, Any]]:
    """Return one point for each step, empty ones too; what is not among the rows is one line."""
    rows, (hours, last) = shown
    step = max(1, -(-hours // _POINTS))
    if step > 12:  # Whole days have sums of their own.
        step = -(-step // 24) * 24
    points: dict[int, dict[str, Any]] = {
        hour: {"at": hour * 3600, "usd": [0.0] * (len(rows) + 1), "tokens": 0, "unpriced": 0}
        for hour in range((last - hours + 1) // step * step, last + 1, step)
    }
    # A day has no lines: each is a point of its own.
    lines = [] if by == "day" else rows
    place = {row.key or "": number for number, row in enumerate(lines)}
    for at, _, amount in usage_query.course(connection, "total", chosen, step, [""]):
        if (point := points.get(at)) is not None:
            point["usd"][-1] += amount.usd_nano / 1e9
            point["tokens"] += amount.tokens
            point["unpriced"] += amount.unpriced
    for at, value, amount in usage_query.course(connection, by, chosen, step, list(place)):
        if (point := points.get(at)) is not None:
            point["usd"][place[value]] += amount.usd_nano / 1e9
            point["usd"][-1] -= amount.usd_nano / 1e9
    for point in points.values():
        point["usd"][-1] = max(0.0, round(point["usd"][-1], 9))
    return list(points.values())
