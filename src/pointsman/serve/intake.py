"""One connection: a request frame in, an answer frame out."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from pointsman.model.answer import Answer
from pointsman.model.errors import TransportError
from pointsman.serve import protocol
from pointsman.serve.peer import peer_uid

REQUEST_WITHIN = 30.0
"""Seconds in which a client that has connected must have sent its whole request."""

Handler = Callable[[Mapping[str, str], bytes], Awaitable[Answer]]
"""From a request's header and body to the answer; it never raises."""


class Intake(asyncio.Protocol):
    """Reads one request, has it handled, writes one answer, closes."""

    def __init__(self, handler: Handler, open_connections: set["Intake"]) -> None:
        self._handler = handler
        self._open = open_connections
        self._buffer = bytearray()
        self._needed = protocol.PREFIX.size
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept only processes of our own user."""
        self._transport = cast("asyncio.Transport", transport)
        connection = cast("socket.socket", transport.get_extra_info("socket"))
        if peer_uid(connection) != os.geteuid():
            self._transport.abort()
            return
        self._open.add(self)
        loop = asyncio.get_running_loop()
        self._limit = loop.call_later(REQUEST_WITHIN, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        """Collect the frame; handle it once it is whole."""
        self._buffer += data
        if len(self._buffer) < self._needed or self._task is not None:
            return
        try:
            header, body = protocol.lengths(bytes(self._buffer[: protocol.PREFIX.size]))
        except TransportError as error:
            self._reply(protocol.skew(str(error)))
            return
        start = protocol.PREFIX.size
        self._needed = start + header + body
        if len(self._buffer) < self._needed:
            return
        values = protocol.read_header(bytes(self._buffer[start : start + header]))
        payload = bytes(self._buffer[start + header : self._needed])
        self._task = asyncio.ensure_future(self._handle(values, payload))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what it asked for is decided and recorded all the same."""
        del exc
        self._open.discard(self)
        if self._limit is not None:
            self._limit.cancel()

    def abandon(self) -> None:
        """Close without an answer: the client will ask again."""
        if self._transport is not None:
            self._transport.abort()

    async def _handle(self, values: Mapping[str, str], payload: bytes) -> None:
        answer = await self._handler(values, payload)
        self._reply(protocol.answer(answer))

    def _reply(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self._transport.close()
