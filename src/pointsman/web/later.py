"""Pages whose tables a ledger may not have: an older one, or one that nothing was counted in."""

import time

from starlette.requests import Request
from starlette.responses import Response

from pointsman.model.places import Places
from pointsman.store.signed_state import signed_state
from pointsman.web.reading import read
from pointsman.web.replies import Cover


class Later:
    """How far the record is signed, where it has a chain."""

    def __init__(self, places: Places, cover: Cover) -> None:
        self._places = places
        self._cover = cover

    async def verification(self, _: Request) -> Response:
        """Return how far the record is signed; ``available`` is false where it has no chain."""
        now = time.time_ns()
        return self._cover.reply(
            await read(self._places.ledger, lambda one: signed_state(one, now))
        )
