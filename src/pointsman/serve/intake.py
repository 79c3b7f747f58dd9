"""The socket's side of the daemon: request frames in, answer frames out.

Written on the bare socket because this is the path of every tool call: what is ready when the
loop turns is read, decided, committed in one transaction and answered in that same turn.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pointsman.model.answer import Answer
from pointsman.model.errors import TransportError
from pointsman.serve import protocol
from pointsman.serve.peer import peer_uid

REQUEST_WITHIN = 30.0
"""Seconds in which a client that has connected must have sent its whole request."""

_BATCH = 64
_FIRST = 16 * 1024
"""Bytes to ask for first: nearly every request is smaller, and larger buffers are page faults."""
_CHUNK = 256 * 1024


@dataclass(slots=True, eq=False)
class Connection:
    """One client: what it has sent so far, and the one answer it gets."""

    socket: socket.socket
    since: float = field(default_factory=time.monotonic)
    header: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    sending: set[asyncio.Task[None]] = field(default_factory=set)
    """The intake's: answers that did not go out in one piece."""
    _buffer: bytes | bytearray = b""
    _start: int = 0
    """Where the body begins, once the prefix has said so."""
    _needed: int = protocol.PREFIX.size

    def read(self) -> bool:
        """Take what there is; return whether the request is whole.

        Raises:
            TransportError: it is no request of this protocol.
            ConnectionError: the client has gone.
        """
        while len(self._buffer) < self._needed:
            try:
                data = self.socket.recv(min(max(self._needed - len(self._buffer), _FIRST), _CHUNK))
            except (BlockingIOError, InterruptedError):
                return False
            if not data:
                raise ConnectionResetError
            # Nearly every request comes in one piece, which is then not copied.
            if not self._buffer:
                self._buffer = data
            else:
                if isinstance(self._buffer, bytes):
                    self._buffer = bytearray(self._buffer)
                self._buffer += data
            # As soon as the prefix is there: what announces more than the caps is read no further.
            if not self._start and len(self._buffer) >= self._needed:
                header, body = protocol.lengths(bytes(self._buffer[: self._needed]))
                self._start = self._needed + header
                self._needed = self._start + body
        self.header = protocol.read_header(bytes(self._buffer[protocol.PREFIX.size : self._start]))
        # Reading may have taken more: what follows the one request of a connection is nobody's.
        self.body = bytes(self._buffer[self._start : self._needed])
        return True

    @property
    def magic(self) -> bytes:
        """The first bytes, which name the protocol."""
        return bytes(self._buffer[:4])

    def reply(self, answer: Answer) -> None:
        """Send the answer and close; a client that has gone is no matter any more."""
        self._send(protocol.answer(answer))

    def refuse(self, text: str) -> None:
        """Tell a client of another protocol so."""
        self._send(protocol.skew(text))

    def close(self) -> None:
        """Close without an answer: the client will ask again."""
        self.socket.close()

    def _send(self, data: bytes) -> None:
        try:
            sent = self.socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            sent = len(data)
        if sent == len(data):
            self.socket.close()
        else:
            task = asyncio.get_running_loop().create_task(self._send_rest(data[sent:]))
            self.sending.add(task)  # The loop alone would let it be collected under way.
            task.add_done_callback(self.sending.discard)

    async def _send_rest(self, data: bytes) -> None:
        # A client that does not read its answer must not hold a descriptor for ever.
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(REQUEST_WITHIN):
                await asyncio.get_running_loop().sock_sendall(self.socket, data)
        self.socket.close()


class Intake:
    """Accepts clients and hands whole requests on, in batches of what is ready together."""

    def __init__(
        self,
        listener: socket.socket,
        serve: Callable[[Sequence[Connection]], None],
        refused: Callable[[bytes], None] = lambda _magic: None,
    ) -> None:
        self._listener = listener
        self._serve = serve
        self._refused = refused
        self._incomplete: set[Connection] = set()
        self._sending: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(listener.fileno(), self._accept)

    def close(self) -> None:
        """Accept nobody any more; whoever has not sent a whole request will ask again."""
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()
        for connection in tuple(self._incomplete):
            self._drop(connection)

    async def sent(self, within: float) -> None:
        """Wait until the answers given so far have left."""
        if self._sending:
            await asyncio.wait(tuple(self._sending), timeout=within)

    def sweep(self) -> None:
        """Drop clients that connected long ago and never said what they want."""
        limit = time.monotonic() - REQUEST_WITHIN
        for connection in tuple(self._incomplete):
            if connection.since < limit:
                self._drop(connection)

    def _accept(self) -> None:
        ready = []
        us = os.geteuid()
        # Bounded, so that a crowd leaves the loop other work; it calls again while anybody waits.
        for _ in range(_BATCH):
            try:
                accepted, _address = self._listener.accept()
            except OSError:  # Nobody is left, or no descriptor is: the next turn tries again.
                break
            accepted.setblocking(False)
            connection = Connection(accepted, sending=self._sending)
            # Before a byte is read: modes can be loosened, what the kernel says of the peer cannot.
            if not _is_ours(accepted, us):
                connection.close()
            elif self._is_whole(connection):
                ready.append(connection)
        if ready:
            self._serve(ready)

    def _is_whole(self, connection: Connection) -> bool:
        try:
            if connection.read():
                return True
        except TransportError as error:
            self._refused(connection.magic)
            connection.refuse(str(error))
            return False
        except OSError:
            connection.close()
            return False
        self._incomplete.add(connection)
        self._loop.add_reader(connection.socket.fileno(), self._go_on, connection)
        return False

    def _go_on(self, connection: Connection) -> None:
        # Off the loop first: serving closes the socket, and the kernel gives its number out again.
        self._loop.remove_reader(connection.socket.fileno())
        self._incomplete.discard(connection)
        if self._is_whole(connection):
            self._serve([connection])

    def _drop(self, connection: Connection) -> None:
        self._loop.remove_reader(connection.socket.fileno())
        self._incomplete.discard(connection)
        connection.close()


def _is_ours(accepted: socket.socket, us: int) -> bool:
    try:
        return peer_uid(accepted) == us
    except OSError:
        return False
