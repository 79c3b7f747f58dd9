"""Streamable HTTP, one fresh connection for each message, and Server-Sent Events as answers.

A fresh connection each time is what finds out whether a balancer keeps a session together.
"""

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from pointsman.mcp_health.channel import (
    LEGACY,
    MODERN,
    MOST_ANSWER,
    VERSION_KEY,
    Deadline,
    Reply,
    Unanswered,
    message,
)

SESSION = "mcp-session-id"
_MOST_REDIRECTS = 3
_STREAM = "text/event-stream"


class HttpChannel:
    """An endpoint; ``session`` is what the server calls this session (empty: none)."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        self.session = ""
        self.version = ""
        self._own = dict(headers)
        self._number = 0

    def ask(self, method: str, params: Mapping[str, Any], deadline: Deadline) -> Reply:
        """Send a request and wait for its answer, as JSON or as a stream."""
        self._number += 1
        reply = self._post(message(self._number, method, params), method, params, deadline)
        # Some name a session in a refusal, too: it is none.
        if method == "initialize" and reply.result is not None:
            self.session = reply.headers.get(SESSION, "")
        return reply

    def tell(self, method: str, deadline: Deadline) -> Reply:
        """Send a notification, which a server answers with 202."""
        return self._post(message(None, method, {}), method, {}, deadline)

    def forget(self, deadline: Deadline) -> None:
        """End the session; a server may refuse that."""
        if self.session:
            with contextlib.suppress(Unanswered):
                send("DELETE", self.url, b"", self._headers("", {}), deadline)

    def close(self) -> None:
        """Do nothing: no connection outlives its message."""

    def _post(
        self, said: Mapping[str, Any], method: str, params: Mapping[str, Any], deadline: Deadline
    ) -> Reply:
        body = json.dumps(said).encode()
        for _ in range(_MOST_REDIRECTS):
            reply = send("POST", self.url, body, self._headers(method, params), deadline)
            to = reply.headers.get("location", "")
            if reply.status not in {307, 308} or not _same_place(self.url, urljoin(self.url, to)):
                return reply
            self.url = urljoin(self.url, to)
        return reply

    def _headers(self, method: str, params: Mapping[str, Any]) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "accept": f"application/json, {_STREAM}",
            "user-agent": "pointsman",
            "connection": "close",
            **self._own,
        }
        meta = params.get("_meta")
        if isinstance(meta, Mapping) and VERSION_KEY in meta:
            return {**headers, "mcp-protocol-version": MODERN, "mcp-method": method}
        if self.session:
            headers[SESSION] = self.session
        if self.version or self.session:
            headers["mcp-protocol-version"] = self.version or LEGACY
        return headers


def send(verb: str, url: str, body: bytes, headers: Mapping[str, str], deadline: Deadline) -> Reply:
    """Send one request on a connection of its own, and read its answer.

    Raises:
        Unanswered: nobody is there, what comes is no HTTP, or the time is over.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with connected(url, deadline) as connection, _translated(url, deadline):
        connection.request(verb, target, body or None, dict(headers))
        answer = connection.getresponse()
        given = {name.lower(): value for name, value in answer.headers.items()}
        if given.get("content-type", "").startswith(_STREAM) and answer.status == 200:
            return Reply(answer.status, given, first_answer(events(answer)))
        raw = answer.read(MOST_ANSWER)
    text = raw.decode("utf-8", "replace")
    return Reply(answer.status, given, _parsed(text), text[:300])


@contextlib.contextmanager
def connected(url: str, deadline: Deadline) -> Iterator[http.client.HTTPConnection]:
    """Give a connection that is shut at the deadline, whatever trickles in meanwhile."""
    parts = urlsplit(url)
    within = max(deadline.left(), 0.001)
    host = parts.hostname or ""
    with _translated(url, deadline):
        connection = http.client.HTTPConnection(host, parts.port, timeout=within)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                host, parts.port, timeout=within, context=context
            )
        connection.connect()
    plain = connection.sock
    late = threading.Timer(max(deadline.left(), 0.001), _shut, (plain,))
    late.daemon = True
    late.start()
    try:
        yield connection
    finally:
        late.cancel()
        # First: closing waits for whoever reads from it in another thread.
        _shut(plain)
        connection.close()


@contextlib.contextmanager
def _translated(url: str, deadline: Deadline) -> Iterator[None]:
    place = urlsplit(url).netloc.rpartition("@")[2]
    try:
        yield
    except ConnectionRefusedError as error:
        raise Unanswered(f"nobody listens on {place}: connection refused") from error
    except socket.gaierror as error:
        raise Unanswered(f"the name in {place} is not known: {error.strerror}") from error
    except ssl.SSLCertVerificationError as error:
        # A host may know authorities that we do not.
        text = f"the certificate of {place} is not to be verified here: {error.verify_message}"
        raise Unanswered(text, ours=True) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        # A socket that was shut at the deadline fails in one of many ways.
        if isinstance(error, TimeoutError) or deadline.left() <= 0:
            raise Unanswered(f"{place} takes the request and does not answer", late=True) from error
        if isinstance(error, ValueError):
            # A header that holds a line break, or what no header can hold.
            raise Unanswered(f"the request cannot be made: {error}"[:300], ours=True) from error
        what = str(error) or type(error).__name__
        raise Unanswered(f"{place} breaks off: {what}"[:300]) from error


def events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, str]]:
    """Yield the events of a stream: name and data."""
    data: list[str] = []
    name, read = "message", 0
    while line := answer.readline(MOST_ANSWER):
        read += len(line)
        if read > MOST_ANSWER:
            raise http.client.HTTPException(f"it sends more than {MOST_ANSWER} bytes")
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        field, _, value = text.partition(":")
        if not text:
            if data:
                yield name, "\n".join(data)
            name, data = "message", []
        elif field == "event":
            name = value.removeprefix(" ")
        elif field == "data":
            data.append(value.removeprefix(" "))


def first_answer(stream: Iterator[tuple[str, str]]) -> Mapping[str, Any] | None:
    """Return the first message of a stream that answers a request."""
    for _, data in stream:
        found = _parsed(data)
        if found is not None and ("result" in found or "error" in found):
            return found
    return None


def _parsed(text: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None


def _same_place(one: str, other: str) -> bool:
    mine, theirs = urlsplit(one), urlsplit(other)
    return (mine.scheme, mine.netloc) == (theirs.scheme, theirs.netloc)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
