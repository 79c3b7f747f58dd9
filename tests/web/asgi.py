"""Requests to an application without a server, and a ledger with events of every kind."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from pointsman.model.places import Places

PORT = 8123
HOME = f"127.0.0.1:{PORT}"


@dataclass
class Answered:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def places_in(folder: Path) -> Places:
    """Return the places of a test, with the state directory made."""
    places = Places(folder / "state", folder / "config")
    places.state.mkdir(mode=0o700)
    return places


def call(
    app: ASGIApp,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Answered:
    """Make one request and return the whole answer."""
    return asyncio.run(request(app, path, method, headers, body))


async def request(
    app: ASGIApp,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Answered:
    """Make one request in this loop."""
    path, _, query = path.partition("?")
    given = {"host": HOME, **(headers or {})}
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "scheme": "http",
        "raw_path": path.encode(), "root_path": "", "query_string": query.encode(),
        "headers": [(key.lower().encode(), value.encode()) for key, value in given.items()],
        "client": ("127.0.0.1", 40000), "server": ("127.0.0.1", PORT),
    }  # fmt: skip
    sent: list[Any] = []
    asked = 0

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if asked > 1:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    return Answered(
        start["status"],
        {key.decode(): value.decode() for key, value in start["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )
