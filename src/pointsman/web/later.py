"""Pages whose tables a ledger may not have: an older one, or one that nothing was counted in."""

import sqlite3
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pointsman.model.places import Places
from pointsman.store import usage_pages
from pointsman.store.alert_pages import alerts
from pointsman.store.signed_state import signed_state
from pointsman.web.reading import read
from pointsman.web.replies import BadRequest, Cover, number

_HOUR_NS = 3600 * 10**9
_MOST_HOURS = 24 * 366


class Later:
    """Cost, alerts and verification, where the ledger has what they are made of."""

    def __init__(self, places: Places, cover: Cover) -> None:
        self._places = places
        self._cover = cover

    async def cost(self, request: Request) -> Response:
        """Return what was used, ``by`` a dimension, in the last ``hours``.

        ``available`` is false where the ledger counts no usage.
        """
        by = request.query_params.get("by", "model")
        if by not in usage_pages.DIMENSIONS:
            raise BadRequest(f"by={by[:40]!r} is no dimension", fix="by=model")
        hours = max(1, number(request, "hours", 24, _MOST_HOURS))
        repository = request.query_params.get("repository", "")
        now_hour = time.time_ns() // _HOUR_NS

        def work(connection: sqlite3.Connection) -> dict[str, Any]:
            if not usage_pages.available(connection):
                return {"available": False, "rows": []}
            found = usage_pages.page(connection, by, hours, now_hour, repository)
            return {"available": True, "dimensions": usage_pages.DIMENSIONS, **found}

        return self._cover.reply(await read(self._places.ledger, work))

    async def alerts(self, _: Request) -> Response:
        """Return what went wrong with runs, of the newest events."""
        return self._cover.reply({"alerts": await read(self._places.ledger, alerts)})

    async def verification(self, _: Request) -> Response:
        """Return how far the record is signed; ``available`` is false where it has no chain."""
        now = time.time_ns()
        return self._cover.reply(
            await read(self._places.ledger, lambda one: signed_state(one, now))
        )
