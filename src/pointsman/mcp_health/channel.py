"""What a probe talks over: a request out, an answer in, all of it before one deadline."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

MOST_ANSWER = 8 * 1024 * 1024
"""Bytes of one answer that are read; a server that says more is not understood."""
MODERN = "2026-07-28"
"""The first revision without sessions: ``server/discover`` in the place of ``initialize``."""
LEGACY = "2025-11-25"
"""The last revision with ``initialize``, which we offer; a server may answer an older one."""
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_ME = {"name": "pointsman-probe", "version": "1"}
MODERN_META = {
    VERSION_KEY: MODERN,
    "io.modelcontextprotocol/clientInfo": _ME,
    "io.modelcontextprotocol/clientCapabilities": {},
}
INITIALIZE = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": _ME}


class Unanswered(Exception):
    """No answer came. ``late``: the time is over, but somebody is there; ``ours``: by our doing."""

    def __init__(self, text: str, *, late: bool = False, ours: bool = False) -> None:
        super().__init__(text)
        self.late = late
        self.ours = ours


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: the HTTP status (200 over pipes), its headers in lower case, the message."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    message: Mapping[str, Any] | None = None
    text: str = ""

    @property
    def result(self) -> Mapping[str, Any] | None:
        """The result; ``None`` where the answer is an error or nothing that can be read."""
        found = (self.message or {}).get("result")
        return found if isinstance(found, Mapping) else None

    @property
    def error(self) -> Mapping[str, Any]:
        """The error of the protocol; empty where there is none."""
        found = (self.message or {}).get("error")
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the moment in so many seconds."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Return the seconds until then, never less than zero."""
        return max(0.0, self.at - time.monotonic())

    def share(self, part: float) -> "Deadline":
        """Return the moment at which a part of what is left is over."""
        return Deadline.after(self.left() * part)


class Channel(Protocol):
    """A way to a server.

    Raises (each method):
        Unanswered: nobody is there, or no answer came in time.
    """

    def ask(self, method: str, params: Mapping[str, Any], deadline: Deadline) -> Reply:
        """Send a request and wait for its answer."""

    def tell(self, method: str, deadline: Deadline) -> Reply:
        """Send a notification."""

    def close(self) -> None:
        """Let go of it; whatever was started is ended."""


def message(number: int | None, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message of JSON-RPC; without a number it is a notification."""
    said: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if number is not None:
        said["id"] = number
    return {**said, "params": dict(params)} if params else said
