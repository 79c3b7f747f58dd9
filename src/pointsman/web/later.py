"""Pages whose tables come with another part of the package: empty until it is there."""

import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pointsman.model.places import Places
from pointsman.web.reading import read
from pointsman.web.replies import Cover


class Later:
    """Cost and verification, where the ledger has what they are made of."""

    def __init__(self, places: Places, cover: Cover) -> None:
        self._places = places
        self._cover = cover

    async def cost(self, _: Request) -> Response:
        """Return what was used, by whom; ``available`` is false where nothing was counted."""
        return self._cover.reply(await read(self._places.ledger, _cost))

    async def verification(self, _: Request) -> Response:
        """Return how far the record proves itself; ``available`` is false where it does not."""
        return self._cover.reply({"available": False})


def _has(connection: sqlite3.Connection, table: str) -> bool:
    sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(sql, (table,)).fetchone() is not None


def _cost(connection: sqlite3.Connection) -> dict[str, Any]:
    return {"available": _has(connection, "usage"), "rows": []}
