"""Asks a server whether it does what it is for, in both eras of the protocol.

No ``ping``: revision 2026-07-28 has none. It asks for what a host needs, the list of tools.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from pointsman.mcp_health.channel import (
    INITIALIZE,
    MODERN,
    MODERN_META,
    Channel,
    Deadline,
    Reply,
    Unanswered,
)
from pointsman.mcp_health.http_channel import HttpChannel
from pointsman.mcp_health.sse_channel import SseChannel
from pointsman.mcp_health.stdio_channel import StdioChannel
from pointsman.model.server_health import Health, Server, Verdict

SESSIONS = 6
"""Sessions that are tried where a server keeps some: over a balancer that hashes the request's
header, one session in two holds by luck with two workers (measured), six in 64."""
_PER_SESSION = 2
"""Further requests in each of them, each on a connection of its own."""
_MOST_PAGES = 64
_MOST_TOOLS = 4096
_UNSUPPORTED = -32022
_FIRST_SHARE = 0.4
"""Of the time, what a server has to answer ``server/discover``: some old ones ignore it."""


@dataclass(frozen=True, slots=True)
class _Spoken:
    """How a server is spoken to: the era, and what each request carries for it."""

    era: str
    params: Mapping[str, Any]


class _Verdict(Exception):
    """The talk ends here with a verdict."""

    def __init__(self, verdict: Verdict, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.verdict = verdict
        self.more = more


def probe(
    server: Server, within: float, environ: Mapping[str, str], sessions: int = SESSIONS
) -> Health:
    """Return how a server fares; it takes at most about ``within`` seconds.

    The environment is what a child inherits. A server that may not be probed, or for which
    something is missing here, is not touched.
    """
    now = time.time_ns()
    if server.held:
        return Health(verdict=Verdict.UNPROBED, detail=server.held, at_ns=now)
    if server.problem:
        return Health(verdict=Verdict.UNKNOWN, detail=server.problem, at_ns=now)
    if server.unset:
        names = ", ".join(server.unset[:10])
        detail = f"{names} has no value where the probe runs: set it, or probe from where it is set"
        return Health(verdict=Verdict.UNKNOWN, detail=detail, at_ns=now)
    proxy = _proxy(server, environ)
    if proxy:
        detail = f"{proxy} is set here, and the probe goes by no proxy: not known"
        return Health(verdict=Verdict.UNKNOWN, detail=detail, at_ns=now)
    deadline = Deadline.after(within)
    try:
        found = _TALKS.get(server.transport, _over_http)(server, deadline, environ, sessions)
    except _Verdict as said:
        found = Health(verdict=said.verdict, detail=str(said), at_ns=now, **said.more)
    except Unanswered as error:
        found = Health(verdict=_of(error), detail=str(error), at_ns=now)
    return replace(found, at_ns=now)


def _of(error: Unanswered) -> Verdict:
    if error.late:
        return Verdict.WEDGED
    return Verdict.UNKNOWN if error.ours else Verdict.DOWN


def _proxy(server: Server, environ: Mapping[str, str]) -> str:
    """Return the variable by which a host would go to this server by a proxy."""
    if server.transport == "stdio":
        return ""
    parts = urlsplit(server.url)
    host = parts.hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1":
        return ""
    spared = environ.get("no_proxy", environ.get("NO_PROXY", "")).split(",")
    if any(_is_spared(host, each.strip()) for each in spared):
        return ""
    names = (f"{parts.scheme}_proxy", f"{parts.scheme.upper()}_PROXY", "ALL_PROXY", "all_proxy")
    return next((name for name in names if environ.get(name)), "")


def _is_spared(host: str, pattern: str) -> bool:
    """Whether an entry of NO_PROXY fits a host: all, that host, or what is below a domain."""
    domain = pattern.lstrip(".")
    return pattern == "*" or (bool(domain) and f".{host}".endswith(f".{domain}"))


def _over_pipes(
    server: Server, deadline: Deadline, environ: Mapping[str, str], sessions: int
) -> Health:
    del sessions
    with contextlib.closing(_child(server, environ)) as first:
        try:
            spoken = _negotiated(first, deadline)
        except Unanswered as error:
            if error.late:
                raise
            # Some end at the first word that they do not know: these get `initialize` alone.
            with contextlib.closing(_child(server, environ)) as again:
                return _healthy(again, _initialized(again, deadline), deadline)
        return _healthy(first, spoken, deadline)


def _child(server: Server, environ: Mapping[str, str]) -> StdioChannel:
    home = server.cwd or server.root
    return StdioChannel(server.command, {**environ, **server.env}, home if _is_dir(home) else "")


def _is_dir(path: str) -> bool:
    return bool(path) and os.path.isdir(path)  # noqa: PTH112 - an empty one is none


def _over_http(
    server: Server, deadline: Deadline, environ: Mapping[str, str], sessions: int
) -> Health:
    channel = HttpChannel(server.url, server.headers)
    try:
        spoken = _negotiated(channel, deadline)
    except _Verdict as said:
        # What an endpoint of the older transport says to a POST (405 by the specification).
        if said.more.get("codes", (0,))[-1] not in {404, 405} or said.verdict is not Verdict.DOWN:
            raise
        with contextlib.suppress(Unanswered, _Verdict):
            return _over_sse(server, deadline, environ, sessions)
        raise
    if not channel.session:
        return _healthy(channel, spoken, deadline)
    return _held_together(server, channel, spoken, deadline, sessions)


def _over_sse(
    server: Server, deadline: Deadline, environ: Mapping[str, str], sessions: int
) -> Health:
    del environ, sessions
    with contextlib.closing(SseChannel(server.url, server.headers, deadline)) as channel:
        if channel.refused is not None:
            _refuse(channel.refused)
            raise _Verdict(Verdict.DOWN, f"it answers {channel.refused.status} and opens no stream")
        return _healthy(channel, _initialized(channel, deadline), deadline)


_TALKS: Mapping[str, Callable[[Server, Deadline, Mapping[str, str], int], Health]] = {
    "stdio": _over_pipes,
    "sse": _over_sse,
    "http": _over_http,
}


def _negotiated(channel: Channel, deadline: Deadline) -> _Spoken:
    """Find out which era a server speaks: the newer one first."""
    try:
        reply = channel.ask("server/discover", {"_meta": MODERN_META}, deadline.share(_FIRST_SHARE))
    except Unanswered as error:
        if not error.late or not isinstance(channel, StdioChannel):
            raise
        return _initialized(channel, deadline)
    _ask_who(reply)
    # Any other refusal may be an older server's, which does not know the method.
    known = (reply.result or {}).get("supportedVersions")
    if isinstance(known, list) and MODERN in known:
        return _Spoken(MODERN, {"_meta": MODERN_META})
    if reply.error.get("code") == _UNSUPPORTED and not _is_legacy(reply):
        raise _Verdict(Verdict.UNKNOWN, "it speaks revisions that this probe does not know")
    return _initialized(channel, deadline)


def _is_legacy(reply: Reply) -> bool:
    data = reply.error.get("data")
    known = data.get("supported") if isinstance(data, Mapping) else None
    return not isinstance(known, list) or any(str(each) < MODERN for each in known)


def _initialized(channel: Channel, deadline: Deadline) -> _Spoken:
    reply = channel.ask("initialize", INITIALIZE, deadline)
    _refuse(reply)
    version = (reply.result or {}).get("protocolVersion")
    if not isinstance(version, str):
        raise _Verdict(Verdict.DOWN, _oddity("initialize", reply), codes=(reply.status,))
    if isinstance(channel, HttpChannel):
        channel.version = version
    told = channel.tell("notifications/initialized", deadline)
    if isinstance(channel, HttpChannel) and channel.session and told.status >= 300:
        raise _Verdict(
            Verdict.AFFINITY, _lost(told), era=version, sessions=1,
            codes=(reply.status, told.status),
        )  # fmt: skip
    return _Spoken(version, {})


def _healthy(channel: Channel, spoken: _Spoken, deadline: Deadline) -> Health:
    """Read the whole list of tools."""
    began = time.monotonic()
    tools: dict[str, str] = {}
    cursor, first_ms = None, 0.0
    for _ in range(_MOST_PAGES):
        more: dict[str, Any] = {"cursor": cursor} if cursor else {}
        reply = channel.ask("tools/list", {**spoken.params, **more}, deadline)
        first_ms = first_ms or (time.monotonic() - began) * 1000
        _refuse(reply)
        if reply.result is None:
            return _without_tools(channel, reply, spoken)
        tools.update(_hashes(reply.result.get("tools")))
        cursor = reply.result.get("nextCursor")
        if not isinstance(cursor, str) or not cursor or len(tools) > _MOST_TOOLS:
            break
    return Health(
        verdict=Verdict.HEALTHY, detail=f"{len(tools)} tools", at_ns=0, era=spoken.era,
        latency_ms=round(first_ms, 1), tools=tools, tools_hash=hash_of(tools),
    )  # fmt: skip


def _without_tools(channel: Channel, reply: Reply, spoken: _Spoken) -> Health:
    if isinstance(channel, HttpChannel) and channel.session and _is_strange(reply):
        raise _Verdict(
            Verdict.AFFINITY, _lost(reply), era=spoken.era, sessions=1, codes=(reply.status,)
        )  # fmt: skip
    if reply.error.get("code") == -32601:
        # Prompts and resources alone are a server, too.
        return Health(
            verdict=Verdict.HEALTHY, detail="it has no tools", at_ns=0, era=spoken.era,
            tools_hash=hash_of({}),
        )  # fmt: skip
    raise _Verdict(Verdict.DOWN, _oddity("tools/list", reply), era=spoken.era)


def _held_together(
    server: Server, channel: HttpChannel, spoken: _Spoken, deadline: Deadline, sessions: int
) -> Health:
    """Try whether the requests of a session reach who knows it, on several sessions."""
    found = _healthy(channel, spoken, deadline)
    tried, codes = 1, [200]
    try:
        codes += _again(channel, spoken, deadline)
        while tried < sessions and deadline.left() > 0:
            other = HttpChannel(channel.url, server.headers)
            try:
                spoken = _initialized(other, deadline)
                codes += _again(other, spoken, deadline)
            finally:
                other.forget(deadline)
            tried += 1
    except _Verdict as said:
        codes += said.more.get("codes", ())
        more = {"era": spoken.era, "sessions": tried + 1, "codes": tuple(codes)}
        raise _Verdict(said.verdict, str(said), **more) from None
    except Unanswered as error:
        if not error.late:
            raise
        # The list was read: what the time did not suffice for is not known, and no fault.
    finally:
        channel.forget(deadline)
    detail = f"{found.detail}; {tried} of {sessions} sessions tried, each held together"
    return replace(found, detail=detail, sessions=tried, codes=tuple(codes))


def _again(channel: HttpChannel, spoken: _Spoken, deadline: Deadline) -> list[int]:
    codes = []
    for _ in range(_PER_SESSION):
        reply = channel.ask("tools/list", spoken.params, deadline)
        codes.append(reply.status)
        if _is_strange(reply):
            raise _Verdict(Verdict.AFFINITY, _lost(reply), codes=tuple(codes))
    return codes


def _is_strange(reply: Reply) -> bool:
    """Whether a session that was just given out is not known where this request went.

    404 is what the specification says for a session that is over; 400 is what some answer.
    """
    said = str(reply.error.get("message", "")) + reply.text
    return reply.status == 404 or (reply.status == 400 and "session" in said.lower())


def _lost(reply: Reply) -> str:
    said = reply.error.get("message") or reply.text.strip()[:80] or "no words"
    return (
        "a session that it had just given out was not known to where the next request went: "
        f"{reply.status} {said}"
    )[:300]


def _ask_who(reply: Reply) -> None:
    """End the talk where a server asks for authentication, or has had enough."""
    challenge = reply.headers.get("www-authenticate", "")
    if reply.status in {401, 403, 407} or (challenge and reply.status >= 400):
        kind = challenge.split(" ")[0][:40] or "no challenge"
        raise _Verdict(
            Verdict.AUTH, f"it answers {reply.status} ({kind}): it is there and asks who"
        )
    if reply.status == 429:
        raise _Verdict(Verdict.UNKNOWN, "it answers 429: too many requests, of whomever")


def _refuse(reply: Reply) -> None:
    """End the talk where an answer says all: authentication, or nobody behind a balancer."""
    _ask_who(reply)
    if reply.status in {404, 405, 410} and not reply.error:
        text = f"it answers {reply.status}: no MCP endpoint stands at this address"
        raise _Verdict(Verdict.DOWN, text, codes=(reply.status,))
    if reply.status >= 500 and reply.message is None:
        said = " ".join(reply.text.split())[:100]
        raise _Verdict(Verdict.DOWN, f"it answers {reply.status}: {said}", codes=(reply.status,))


def _oddity(method: str, reply: Reply) -> str:
    error = reply.error.get("message")
    what = f"the error {error!r}" if error else f"{' '.join(reply.text.split())[:80]!r}"
    return f"to {method} it answers {reply.status} with {what}"[:300]


def _hashes(listed: object) -> dict[str, str]:
    found = {}
    for tool in (listed if isinstance(listed, list) else [])[:_MOST_TOOLS]:
        if isinstance(tool, Mapping) and isinstance(tool.get("name"), str):
            shape = {key: tool.get(key) for key in _SHAPE}
            found[tool["name"][:200]] = hash_of(shape)
    return found


_SHAPE = ("name", "description", "inputSchema", "outputSchema", "annotations")
"""What a model and a host go by: if one of them changes, it is another tool."""


def hash_of(value: Mapping[str, Any]) -> str:
    """Return a hash that is the same for equal values, whatever the order of their keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
