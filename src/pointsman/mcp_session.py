"""A client session of the official MCP SDK that outlives its server: for agents in Python.

The SDK's own client is done for once its server was: after a restart every call fails for ever, in
either era (measured with mcp 1.30 and 2.3). Here the client lives in a task of its own, is thrown
away when it breaks and made anew, with jittered back-off. What became of a call is never made up::

    from pointsman.mcp_session import OutcomeUnknown, supervised

    async with supervised("http://127.0.0.1:8000/mcp") as session:
        result = await session.call_tool("search", {"text": "hook"})

It needs the extra ``pointsman[mcp]`` and asyncio (docs/mcp-health.md).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

from pointsman.model.backoff import delay

try:
    import httpx2
    from mcp import Client, MCPError, StdioServerParameters
    from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT, CallToolResult, Tool
except ImportError as error:  # pragma: no cover - only without the extra
    raise ImportError("pointsman.mcp_session needs: pip install 'pointsman[mcp]'") from error

_T = TypeVar("_T")
_log = logging.getLogger("pointsman.mcp_session")
_SETTLE_S = 2.0
"""Seconds that a client that breaks has to say why."""
_MOST_PAGES = 64
_FORGOTTEN = ("session not found", "session terminated")
_NO_ANSWER = "server returned an error response"
"""What the SDK makes of an HTTP error without a message of the protocol, a balancer's say."""


class OutcomeUnknown(Exception):
    """The connection broke while a call was under way: it may have run, or not.

    It was not sent again, as the tool is marked neither read-only nor idempotent. Whoever gets this
    looks at what the call was to change before anything else.
    """

    def __init__(self, tool: str, why: str) -> None:
        super().__init__(
            f"outcome unknown: the connection broke while {tool!r} was under way ({why}). It may "
            "have run. It was not sent again: check what it was to change before you repeat it"
        )
        self.tool = tool
        self.why = why


class ServerGone(Exception):
    """The server did not come back within the patience; the call has not run."""


class _Refused(Exception):
    """The request was not carried out, for certain: nobody took it, or the session is unknown."""


class _Broken(Exception):
    """No answer came, and nobody knows what became of the request."""


class _Link:
    """One client in a task of its own, from its making to its end."""

    def __init__(self, make: Callable[[], Client]) -> None:
        self.client: Client | None = None
        self.error: BaseException | None = None
        self.repeatable: frozenset[str] | None = None
        self.flying = 0
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self.dead = asyncio.Event()
        self._task = asyncio.ensure_future(self._live(make))

    async def _live(self, make: Callable[[], Client]) -> None:
        try:
            async with make() as client:
                self.client = client
                self._ready.set()
                await self._over.wait()
        # What breaks in the SDK's own tasks comes as any exception, a stray cancellation included;
        # it ends here, in a task that nobody else is in.
        except BaseException as error:  # noqa: BLE001 - see above
            self.error = error
        finally:
            self.client = None
            self._ready.set()
            self.dead.set()

    async def ready(self, within: float) -> bool:
        """Wait for the handshake; return whether there is a client."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), within)
        return self.client is not None

    async def end(self) -> None:
        """Let go of it, whatever state it is in."""
        self._over.set()
        done, _ = await asyncio.wait({self._task}, timeout=_SETTLE_S)
        if not done:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_SETTLE_S)


class McpSession:
    """A supervised session; made by ``supervised``, used as an asynchronous context manager."""

    def __init__(
        self,
        make: Callable[[], Client],
        *,
        patience: float = 60.0,
        replays: int = 3,
        first: float = 0.2,
        most: float = 10.0,
        repeatable: Iterable[str] = (),
    ) -> None:
        self._make = make
        self._patience, self._replays = patience, replays
        self._first, self._most = first, most
        self._own = frozenset(repeatable)
        self._link: _Link | None = None
        self._building = asyncio.Lock()
        self.rebuilt = 0
        """How often the client was made anew."""

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            ServerGone: nobody was there within the patience.
        """
        await self._linked()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the server."""
        del kind, error, trace
        link, self._link = self._link, None
        if link is not None:
            await link.end()

    async def call_tool(
        self, name: str, arguments: dict[str, Any] | None = None, *, within: float | None = None
    ) -> CallToolResult:
        """Call a tool, on a new client where the old one has broken; ``within`` is in seconds.

        An error of the tool's own is a result, with ``is_error``. A call that was under way when
        the connection broke is sent again only if the tool is marked read-only or idempotent; one
        that certainly never ran (no connection, or the server did not know the session) always is.

        Raises:
            OutcomeUnknown: it may have run, and must not simply be sent again.
            ServerGone: the server did not come back; it has not run.
            MCPError: what else the server answered in its place.
        """

        async def call(client: Client) -> CallToolResult:
            return await client.call_tool(name, arguments)

        return await self._through(name, call, within, repeatable=None)

    async def list_tools(self, *, within: float | None = None) -> list[Tool]:
        """Return the tools of all pages.

        Raises:
            ServerGone, MCPError: as ``call_tool``.
        """
        return await self._through("tools/list", _all_tools, within, repeatable=True)

    async def read(
        self, ask: Callable[[Client], Awaitable[_T]], *, within: float | None = None
    ) -> _T:
        """Do something with the client that only reads, and may be repeated.

        Raises:
            ServerGone, MCPError: as ``call_tool``.
        """
        return await self._through("a request", ask, within, repeatable=True)

    async def _through(
        self,
        name: str,
        ask: Callable[[Client], Awaitable[_T]],
        within: float | None,
        *,
        repeatable: bool | None,
    ) -> _T:
        until = time.monotonic() + self._patience
        sent_again = 0
        while True:
            link = await self._linked(until)
            if repeatable is None and link.repeatable is None:
                link.repeatable = await self._marked(link)
            may_repeat = repeatable or name in self._own | (link.repeatable or frozenset())
            try:
                return await _asked(link, ask, within)
            except _Refused as error:
                why = str(error)
            except _Broken as error:
                why = str(error)
                if not may_repeat:
                    await self._drop(link, why)
                    raise OutcomeUnknown(name, why) from error
            sent_again += 1
            await self._drop(link, why)
            if sent_again > self._replays:
                raise ServerGone(f"{name!r} was tried {sent_again} times; the last: {why}")

    async def _marked(self, link: _Link) -> frozenset[str]:
        """Return the tools that the server marks read-only or idempotent: its own word, no more."""
        try:
            tools = await _asked(link, _all_tools, _SETTLE_S * 5)
        except (_Refused, _Broken, MCPError):
            return frozenset()  # The call itself will find out what is wrong.
        return frozenset(each.name for each in tools if _is_repeatable(each))

    async def _linked(self, until: float | None = None) -> _Link:
        """Return a client that is connected, made anew where there is none."""
        until = time.monotonic() + self._patience if until is None else until
        async with self._building:
            attempt, why = 0, ""
            while self._link is None or self._link.dead.is_set():
                link = _Link(self._make)
                left = until - time.monotonic()
                if left > 0 and await link.ready(left):
                    self.rebuilt += self._link is not None or attempt > 0
                    self._link = link
                    break
                await link.end()
                why = _words(link.error) or "no handshake in time"
                attempt += 1
                wait = delay(attempt, self._first, self._most)
                if time.monotonic() + wait >= until:
                    raise ServerGone(f"no session after {attempt} attempts: {why}")
                _log.info("no session yet (%s); next try in %.1f s", why, wait)
                await asyncio.sleep(wait)
            return self._link

    async def _drop(self, link: _Link, why: str) -> None:
        if not link.dead.is_set():
            await link.end()
        if self._link is link:
            _log.warning("the session has broken and is made anew: %s", why)


def supervised(
    server: str | StdioServerParameters | Callable[[], Client], **options: Any
) -> McpSession:
    """Return a session with a server: its URL, its command, or what makes a client of the SDK.

    ``options`` are those of ``McpSession``: ``patience`` (seconds that a server has to come back),
    ``replays``, ``first`` and ``most`` (seconds of the back-off), ``repeatable`` (names of tools
    that may be sent again whatever the server marks).
    """
    if callable(server):
        return McpSession(server, **options)
    known = server
    return McpSession(lambda: Client(known), **options)


async def _all_tools(client: Client) -> list[Tool]:
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return tools


def _is_repeatable(tool: Tool) -> bool:
    marks = tool.annotations
    return marks is not None and bool(marks.read_only_hint or marks.idempotent_hint)


async def _asked(
    link: _Link,
    ask: Callable[[Client], Awaitable[_T]],
    within: float | None,
) -> _T:
    """Ask one client once.

    Raises:
        _Refused, _Broken: no answer; ``MCPError`` where there was one.
    """
    client = link.client
    if client is None:
        raise _Refused(_words(link.error) or "the client is gone")
    link.flying += 1
    alone = link.flying == 1
    call: asyncio.Future[_T] = asyncio.ensure_future(ask(client))
    dead: asyncio.Future[Any] = asyncio.ensure_future(link.dead.wait())
    try:
        ends: set[asyncio.Future[Any]] = {call, dead}
        await asyncio.wait(ends, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if call.done() and not call.cancelled() and call.exception() is None:
            return call.result()
        if not call.done() and not dead.done():
            raise _Broken(f"no answer within {within:g} s")
        error = call.exception() if call.done() and not call.cancelled() else None
        raise await _judged(link, error, alone=alone)
    finally:
        link.flying -= 1
        for task in (call, dead):
            task.cancel()
        await asyncio.gather(call, dead, return_exceptions=True)


async def _judged(link: _Link, error: BaseException | None, *, alone: bool) -> BaseException:
    """Return what an error of a call means: an answer, a refusal, or nobody knows."""
    if isinstance(error, MCPError):
        said = str(error).lower()
        if any(each in said for each in _FORGOTTEN):
            return _Refused(str(error))
        closed = error.code in {CONNECTION_CLOSED, REQUEST_TIMEOUT} or said == _NO_ANSWER
        if not closed:
            return error
    elif isinstance(error, Exception) and not _is_transport(error):
        return error
    # The SDK's own tasks know why; they come to their end a moment later.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(link.dead.wait(), _SETTLE_S if link.client is None else 0.2)
    cause = link.error or error
    # Whose request found nobody is certain only where there was no other one.
    if alone and any(isinstance(each, httpx2.ConnectError) for each in _leaves(cause)):
        return _Refused(_words(cause))
    return _Broken(_words(cause) or "connection closed")


def _is_transport(error: Exception) -> bool:
    if isinstance(error, httpx2.HTTPError | OSError | EOFError | ExceptionGroup | RuntimeError):
        return True
    return type(error).__name__ in {"ClosedResourceError", "BrokenResourceError", "EndOfStream"}


def _leaves(error: BaseException | None) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [] if error is None else [error]


def _words(error: BaseException | None) -> str:
    leaves = _leaves(error)
    texts = dict.fromkeys(f"{type(each).__name__}: {each}".rstrip(": ") for each in leaves)
    return "; ".join(texts)[:300]
