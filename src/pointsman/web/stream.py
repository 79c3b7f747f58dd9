"""The live stream: server-sent events whose id is the number of the event on the ledger.

Each reader keeps its own place and reads on from there: nothing is queued for it, so a slow one
costs no memory, and none misses an event. After a break the browser names the last one it had.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman.model.errors import PointsmanError
from pointsman.model.places import Places
from pointsman.store import browse
from pointsman.store.alert_count import CRITICAL, open_in
from pointsman.store.approvals import waiting_in
from pointsman.web.reading import read
from pointsman.web.replies import Cover

BATCH = 400
"""Events that one message carries at most."""
MOST_BEHIND = 5000
"""Events that are sent after a break; who missed more is told to read the page anew."""
_POLL = 0.1
_LOOK = 0.4
_BEAT = 10.0
_RETRY_MS = 1000


@dataclass(slots=True)
class _Reader:
    last: int
    waiting: dict[str, int | None] | None = None
    looked: float = -1.0
    beat: float = 0.0


def start_of(header: str, parameter: str) -> int | None:
    """Return the number that a browser had last, ``None`` where it names none."""
    for text in (header, parameter):
        if text.isdecimal() and len(text) <= 19:
            return int(text)
    return None


async def messages(
    places: Places, cover: Cover, start: int | None, gone: Callable[[], Any]
) -> AsyncIterator[bytes]:
    """Yield messages until the browser is gone: ``events``, ``waiting``, ``resync``, a beat."""
    top = await _newest(places.ledger)
    reader = _Reader(top if start is None else start)
    yield f"retry: {_RETRY_MS}\n\n".encode()
    # A number that is ahead is one of another ledger: this one was put in its place.
    if reader.last > top or top - reader.last > MOST_BEHIND:
        yield _message("resync", {"from": reader.last, "to": top}, top)
        reader.last = top
    while not await gone():
        sent = False
        try:
            for message in await _next(places, cover, reader):
                sent = True
                yield message
        except PointsmanError as error:
            yield _message("fault", {"error": str(error), "fix": error.fix})
            await asyncio.sleep(1)
        if sent:
            reader.beat = time.monotonic()
        elif time.monotonic() - reader.beat > _BEAT:
            reader.beat = time.monotonic()
            yield b"event: beat\ndata: {}\n\n"
        await asyncio.sleep(_POLL)


async def _next(places: Places, cover: Cover, reader: _Reader) -> list[bytes]:
    rows = await read(places.ledger, lambda one: browse.after(one, reader.last, BATCH))
    out = []
    if rows:
        # A batch can be many events; its id is that of the last, from which one goes on.
        reader.last = rows[-1]["seq"]
        data = await asyncio.to_thread(cover.bytes, rows)
        out.append(b"event: events\nid: %d\ndata: %b\n\n" % (reader.last, data))
    # Files of their own, and not what an agent waits for: a look now and then is enough.
    if rows or time.monotonic() - reader.looked > _LOOK:
        reader.looked = time.monotonic()
        waiting = await asyncio.to_thread(_waiting, places)
        if waiting != reader.waiting:
            reader.waiting = waiting
            out.append(_message("waiting", waiting))
    return out


def _waiting(places: Places) -> dict[str, int | None]:
    """Return what waits for a person; ``None`` where it cannot be read."""
    return {
        "approvals": waiting_in(places.approvals),
        "alerts": open_in(places.alerts),
        "critical": open_in(places.alerts, CRITICAL),
    }


async def _newest(ledger: Path) -> int:
    try:
        return await read(ledger, browse.newest)
    except PointsmanError:
        return 0


def _message(kind: str, data: dict[str, Any], seq: int | None = None) -> bytes:
    named = "" if seq is None else f"id: {seq}\n"
    return f"event: {kind}\n{named}data: {json.dumps(data)}\n\n".encode()
