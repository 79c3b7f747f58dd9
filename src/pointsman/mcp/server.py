"""The Model Context Protocol over stdio, in both of its eras, as far as read-only tools need it.

Until 2025-11-25 a connection begins with ``initialize``; since 2026-07-28 each request says its
version in ``_meta`` and ``server/discover`` tells what there is. Both may come on one connection
(a client that probes does so), so each request is answered by what it says of itself.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any

from pointsman import __version__

MODERN = ("2026-07-28",)
HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
MOST_BYTES = 1024 * 1024
"""Bytes of one message; a longer one is refused unread."""

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
UNSUPPORTED_VERSION = -32022
_INFO = {"name": "pointsman", "title": "Pointsman", "version": __version__}
_INSTRUCTIONS = (
    "What Pointsman has on record about your own session: what you have used, what remains of "
    "your limits, what was denied to you and why. Nothing here changes anything."
)
_CACHED = {"ttlMs": 3_600_000, "cacheScope": "private"}
_MOST_BATCH = 100

Call = Callable[[str, Mapping[str, Any], object], dict[str, Any]]
"""A tool's name, its arguments and the request's ``_meta`` to a ``CallToolResult``."""


class Refused(Exception):
    """A request that is answered with an error of the protocol."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.error: dict[str, Any] = {"code": code, "message": message}
        if data is not None:
            self.error["data"] = data


class Server:
    """Answers requests; ``tools`` are as ``tools/list`` gives them, ``call`` carries one out."""

    def __init__(self, tools: Iterable[Mapping[str, Any]], call: Call) -> None:
        self._tools = [dict(tool) for tool in tools]
        self._call = call
        self._methods: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "initialize": self._initialize,
            "server/discover": self._discover,
            "ping": lambda _params: {},
            "tools/list": lambda _params: {"tools": self._tools},
            "tools/call": self._tool,
        }

    def serve(self, given: IO[bytes], out: IO[bytes]) -> None:
        """Answer until the client closes its end."""
        for answer in self.answers(messages(given)):
            out.write(json.dumps(answer, separators=(",", ":")).encode() + b"\n")
            out.flush()

    def answers(self, found: Iterable[object]) -> Iterator[object]:
        """Yield the answer of each message that wants one."""
        for message in found:
            if isinstance(message, Refused):
                yield {"jsonrpc": "2.0", "id": None, "error": message.error}
            elif isinstance(message, list):
                # Batches are of 2025-03-26 alone, whose servers have to take them.
                whole = [each for one in message[:_MOST_BATCH] if (each := self.answer(one))]
                if whole:
                    yield whole
            elif answer := self.answer(message):
                yield answer

    def answer(self, message: object) -> dict[str, Any] | None:
        """Return the answer to one message, ``None`` to a notification or an answer."""
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            return _failed(None, Refused(INVALID_REQUEST, "not a JSON-RPC 2.0 message"))
        number, method = message.get("id"), message.get("method")
        if not isinstance(method, str) or number is None:
            return None
        if isinstance(number, bool) or not isinstance(number, int | str):
            return _failed(None, Refused(INVALID_REQUEST, "an id is a string or a whole number"))
        try:
            return {"jsonrpc": "2.0", "id": number, "result": self._result(method, message)}
        except Refused as refused:
            return _failed(number, refused)

    def _result(self, method: str, message: Mapping[str, Any]) -> dict[str, Any]:
        params = message.get("params", {})
        if not isinstance(params, dict):
            raise Refused(INVALID_PARAMS, "params is no object")
        modern = _is_modern(params)
        if method not in self._methods or (modern and method in {"initialize", "ping"}):
            raise Refused(NO_METHOD, f"no such method: {method[:80]}")
        result = self._methods[method](params)
        if not modern:
            return result
        cached = _CACHED if method in {"tools/list", "server/discover"} else {}
        return {**result, "resultType": "complete", **cached}

    def _initialize(self, params: Mapping[str, Any]) -> dict[str, Any]:
        asked = params.get("protocolVersion")
        return {
            "protocolVersion": asked if asked in HANDSHAKE else HANDSHAKE[-1],
            "capabilities": {"tools": {}},
            "serverInfo": _INFO,
            "instructions": _INSTRUCTIONS,
        }

    def _discover(self, params: Mapping[str, Any]) -> dict[str, Any]:
        if not _is_modern(params):
            raise Refused(
                INVALID_PARAMS, f"server/discover says its version in _meta {VERSION_KEY}"
            )
        return {
            "supportedVersions": list(MODERN),
            "capabilities": {"tools": {}},
            "instructions": _INSTRUCTIONS,
            "_meta": {"io.modelcontextprotocol/serverInfo": _INFO},
        }

    def _tool(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name, given = params.get("name"), params.get("arguments") or {}
        if not isinstance(name, str) or name not in {tool["name"] for tool in self._tools}:
            known = ", ".join(tool["name"] for tool in self._tools)
            raise Refused(INVALID_PARAMS, f"no such tool: {str(name)[:80]!r}; there are {known}")
        if not isinstance(given, dict):
            raise Refused(INVALID_PARAMS, "arguments is no object")
        return self._call(name, given, params.get("_meta"))


def _is_modern(params: Mapping[str, Any]) -> bool:
    """Whether a request is of the era without a handshake.

    Raises:
        Refused: it asks for a version that is not served.
    """
    meta = params.get("_meta")
    asked = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    if asked is None or asked in HANDSHAKE:
        return False
    if asked not in MODERN:
        data = {"supported": list(MODERN), "requested": str(asked)[:80]}
        raise Refused(UNSUPPORTED_VERSION, f"no such version: {str(asked)[:80]}", data)
    return True


def _failed(number: int | str | None, refused: Refused) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": refused.error}


def messages(given: IO[bytes]) -> Iterator[object]:
    """Yield each message of a stream, one a line; what is none as the ``Refused`` it gets."""
    while line := given.readline(MOST_BYTES + 1):
        if len(line) > MOST_BYTES:
            while line and not line.endswith(b"\n"):
                line = given.readline(MOST_BYTES)
            yield Refused(PARSE_ERROR, f"a message is longer than {MOST_BYTES} bytes")
        elif line.strip():
            yield _parsed(line)


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return Refused(PARSE_ERROR, f"not JSON: {str(error)[:80]}")
