"""What stands before every page: whose request it is, whence it comes, how large it may be."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pointsman.model.errors import TransportError
from pointsman.serve.dashboard_key import COOKIE_S, holds, is_token, key_of, sign

MOST_BODY = 512 * 1024
MOST_QUERY = 8 * 1024
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
OPEN = "/open"
_USED_MOST = 1000
_SIGN_IN = """<!doctype html><meta charset="utf-8"><title>Pointsman</title>
<h1>This browser is not let in</h1><p>{reason}</p>
<p>In a terminal of your own, type:</p><pre>pointsman dashboard</pre>
"""


class Access:
    """Refuses what does not come from this user's own browser or script, and sets the headers."""

    def __init__(
        self, app: ASGIApp, key: Path, port: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._key = key
        self._clock = clock
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        self._cookie = f"pointsman_{port}"
        self._used: dict[str, None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with why not."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        answer = self._refusal(scope, headers)
        if answer is not None:
            await answer(scope, receive, _with_headers(send))
            return
        taken = _Bounded(receive)
        await self._app(scope, taken, _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        fault = self._foreign(scope, headers) or _too_large(scope, headers)
        if fault is not None:
            return fault
        try:
            key = key_of(self._key)
        except TransportError as error:
            return refused(503, str(error), error.fix)
        if scope["path"] == OPEN:
            return self._open(scope, key)
        return self._unknown(headers, key)

    def _foreign(self, scope: Scope, headers: Headers) -> Response | None:
        """Refuse another site's page: by the name it asks for, and by where it comes from."""
        host = " and ".join(headers.getlist("host"))
        if host not in self._hosts:  # Two names are none of ours: another reader may take either.
            return refused(403, f"the name {host[:100]!r} is not one of this dashboard's")
        origins = headers.getlist("origin")
        origin = " and ".join(origins) if origins else None
        if origin is not None and origin not in {f"http://{each}" for each in self._hosts}:
            return refused(403, f"a page of {origin[:100]!r} may not use this dashboard")
        site = headers.get("sec-fetch-site", "same-origin")
        # A person who types the address or follows a link from outside comes to a page, by GET.
        arrives = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if site not in {"same-origin", "none"} and not arrives:
            return refused(403, f"a {site[:20]} request may not use this dashboard")
        if scope["method"] not in {"GET", "HEAD"} and origin is None and not _bearer(headers):
            return refused(403, "a request that changes something must say where it comes from")
        return None

    def _open(self, scope: Scope, key: str) -> Response:
        """Let a browser in by a link that works once."""
        code = parse_qs(scope["query_string"].decode("latin-1")).get("code", [""])[0]
        if code in self._used or not holds(key, "link", code, self._clock()):
            return _page(401, "The link was used already, or it is too old.")
        self._used[code] = None
        while len(self._used) > _USED_MOST:
            self._used.pop(next(iter(self._used)))
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            self._cookie, sign(key, "cookie", self._clock(), COOKIE_S), max_age=COOKIE_S,
            httponly=True, samesite="strict", path="/",
        )  # fmt: skip
        return answer

    def _unknown(self, headers: Headers, key: str) -> Response | None:
        token = _bearer(headers)
        if token:
            return None if is_token(key, token) else refused(401, "the token is not the right one")
        cookie = cookie_parser(headers.get("cookie", "")).get(self._cookie, "")
        if holds(key, "cookie", cookie, self._clock()):
            return None
        if "text/html" in headers.get("accept", ""):
            return _page(401, "It has no key, or an old one.")
        return refused(401, "this needs a cookie or a token", "pointsman dashboard")


class TooLarge(Exception):
    """A request's body is longer than may be."""


class _Bounded:
    """Reads a body up to its cap, whatever its header says."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = MOST_BODY

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise TooLarge
        return message


def refused(code: int, text: str, fix: str = "") -> JSONResponse:
    """Return a refusal as JSON: what is wrong, and what to type."""
    return JSONResponse({"error": text, "fix": fix}, code)


def _page(code: int, reason: str) -> HTMLResponse:
    return HTMLResponse(_SIGN_IN.format(reason=reason), code)


def _too_large(scope: Scope, headers: Headers) -> Response | None:
    if len(scope["query_string"]) > MOST_QUERY or len(scope["path"]) > MOST_QUERY:
        return refused(414, f"the address is longer than {MOST_QUERY} characters")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MOST_BODY:
        return refused(413, f"the body is longer than {MOST_BODY} bytes")
    return None


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending
