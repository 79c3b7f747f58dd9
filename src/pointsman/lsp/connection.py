"""A conversation with one language server: questions with their answers, whatever their order."""

import asyncio
import itertools
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from pointsman.lsp.frames import Message, encoded, read_message
from pointsman.model.errors import ServerError

_MOST_UNREAD = 16 * 1024 * 1024
"""Bytes that wait for a server to read them; beyond that it does not read."""
_MOST_STRAYS = 100
_MOST_GIVEN_UP = 10_000
_SAID = 300
_TURNS = 3
_BETWEEN = 0.02

CONTENT_MODIFIED = -32801
SERVER_CANCELLED = -32802
METHOD_NOT_FOUND = -32601

Replies = Callable[[str, Any], Any]
"""Returns the result of a server's own request; raises ``LookupError`` for one we do not know."""
Heard = Callable[[str, Any], None]
"""Takes a server's notification."""


class Refused(ServerError):
    """The server has answered a request with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"it refused: {message[:_SAID]} ({code})")
        self.code = code


class Connection:
    """The two ends of a server's pipes."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        replies: Replies,
        heard: Heard,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._replies = replies
        self._heard = heard
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._given_up: OrderedDict[int, None] = OrderedDict()
        self._strays = 0
        self._closed: ServerError | None = None
        self.last_heard = time.monotonic()
        self.silent_since: float | None = None
        """When the oldest question that it has not answered was put (on the monotonic clock)."""

    async def request(self, method: str, params: Any) -> Any:
        """Ask, and return the result; whoever gives up (cancellation) makes the server stop too.

        Raises:
            Refused: the server has answered with an error.
            ServerError: it is gone, or does not read.
        """
        number = next(self._numbers)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._write({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        self._waiting[number] = future
        if self.silent_since is None:
            self.silent_since = time.monotonic()
        try:
            return await future
        except asyncio.CancelledError:
            # Unless the answer has come in the turn of the loop since then.
            if number in self._waiting:
                self._give_up(number)
            raise
        finally:
            self._waiting.pop(number, None)

    def notify(self, method: str, params: Any) -> None:
        """Tell, without an answer.

        Raises:
            ServerError: it is gone, or does not read.
        """
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    async def listen(self) -> None:
        """Read until the server ends.

        Raises:
            ServerError: it writes what is no message.
        """
        while (message := await read_message(self._reader)) is not None:
            self.last_heard = time.monotonic()
            self._take(message)

    def close(self, why: ServerError) -> None:
        """Answer everything that waits with the reason why nothing comes any more."""
        self._closed = why
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ServerError(str(why), fix=why.fix))
                # Retrieved here: whoever waited may have been cancelled this very moment.
                future.exception()
        self._given_up.clear()

    @property
    def owes(self) -> bool:
        """Whether it has left a question without an answer, one that we gave up included."""
        return bool(self._waiting or self._given_up)

    def _give_up(self, number: int) -> None:
        if self._closed is not None:
            return
        # It still owes an answer, which tells a server that is slow from one that hangs.
        self._given_up[number] = None
        if len(self._given_up) > _MOST_GIVEN_UP:
            self._given_up.popitem(last=False)
        # A server that does not read has its end elsewhere; here somebody wants to be gone.
        try:
            self.notify("$/cancelRequest", {"id": number})
        except ServerError:
            return

    def _write(self, message: Message) -> None:
        if self._closed is not None:
            raise self._closed
        transport = self._writer.transport
        if transport.is_closing():
            raise ServerError("it has ended")
        if transport.get_write_buffer_size() > _MOST_UNREAD:
            raise ServerError(f"it does not read: more than {_MOST_UNREAD} bytes wait for it")
        self._writer.write(encoded(message))

    def _take(self, message: Message) -> None:
        method = message.get("method")
        if isinstance(method, str):
            if "id" in message:
                self._answer(message["id"], method, message.get("params"))
            else:
                self._heard(method, message.get("params"))
            return
        number = message.get("id")
        future = self._waiting.pop(number, None) if isinstance(number, int) else None
        if future is not None:
            if not future.done():
                _settle(future, message)
        elif not isinstance(number, int) or self._given_up.pop(number, self) is self:
            self._strays += 1
            if self._strays > _MOST_STRAYS:
                raise ServerError(f"it answers what was never asked (id {str(number)[:40]})")
        self.silent_since = time.monotonic() if self.owes else None

    def _answer(self, number: Any, method: str, params: Any) -> None:
        reply: Message = {"jsonrpc": "2.0", "id": number}
        try:
            reply["result"] = self._replies(method, params)
        except LookupError:
            reply["error"] = {"code": METHOD_NOT_FOUND, "message": f"no such method: {method}"}
        self._write(reply)


async def asked(connection: Connection, method: str, params: Any) -> Any:
    """Ask, and ask again where the server was overtaken by a change of a file.

    Raises:
        ServerError: as ``Connection.request`` does.
    """
    for _ in range(_TURNS):
        try:
            return await connection.request(method, params)
        except Refused as error:
            if error.code not in {CONTENT_MODIFIED, SERVER_CANCELLED}:
                raise
        await asyncio.sleep(_BETWEEN)
    return await connection.request(method, params)


def _settle(future: asyncio.Future[Any], message: Message) -> None:
    error = message.get("error")
    if error is None and "result" in message:
        future.set_result(message["result"])
    elif isinstance(error, dict):
        code = error.get("code")
        text = str(error.get("message") or "it does not say why")
        future.set_exception(Refused(code if isinstance(code, int) else 0, text))
    else:
        # No result and no error is no answer, least of all an empty one.
        future.set_exception(Refused(0, "an answer with neither a result nor an error"))
