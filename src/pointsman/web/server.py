"""The life of the process: who is accepted, and when it ends."""

import asyncio
import contextlib
import socket
import sys
import time
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pointsman.model.places import Places
from pointsman.web.app import build
from pointsman.web.peer import is_ours

IDLE_S = 900.0
"""Seconds without a connection after which the process ends; the daemon takes the door back."""
_MOST_CONNECTIONS = 96
_MOST_HEAD = 32 * 1024
_FOREIGN = (
    b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n"
    b"This dashboard answers the user that it belongs to, and nobody else on this machine.\n"
)


class _Guarded(H11Protocol):
    """Accepts connections of our own user only, before a byte of them is read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Look who it is; somebody else is told so and shut out."""
        super().connection_made(transport)
        if not is_ours(self.client, self.server):
            transport.write(_FOREIGN)
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless the connection is being closed on somebody."""
        if not self.transport.is_closing():
            super().data_received(data)


def serve(listener: socket.socket, places: Places) -> None:
    """Serve the dashboard on a socket that listens already."""
    listener.setblocking(False)
    _, port = listener.getsockname()
    config = uvicorn.Config(
        build(places, port),
        http=_Guarded,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        h11_max_incomplete_event_size=_MOST_HEAD,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=1,
    )
    asyncio.run(_run(uvicorn.Server(config), listener))


async def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    watching = [asyncio.ensure_future(each) for each in (_orphaned(server), _idle(server))]
    try:
        await server.serve(sockets=[listener])
    finally:
        for each in watching:
            each.cancel()


async def _orphaned(server: uvicorn.Server) -> None:
    """End with the daemon: standard input is a pipe whose other end it holds."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, ValueError):
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.read()
    server.should_exit = True


async def _idle(server: uvicorn.Server) -> None:
    last = time.monotonic()
    while True:
        await asyncio.sleep(1)
        connections: set[Any] = server.server_state.connections
        if connections:
            last = time.monotonic()
        elif time.monotonic() - last > IDLE_S:
            server.should_exit = True
            return
