"""One POST, within a time that nobody at the other end can stretch."""

import contextlib
import gzip
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

MOST_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""
_GZIP_FROM = 1024
_LEVEL = 1


class NotDelivered(Exception):
    """It did not arrive, or nobody knows. ``wait`` is what the other end asks for, in seconds."""

    def __init__(self, text: str, wait: float = 0.0) -> None:
        super().__init__(text)
        self.wait = wait


class Rejected(NotDelivered):
    """It arrived and will never be taken as it is: too large, or not understood."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the other end has answered with success."""

    status: int
    body: bytes


def fault_of_url(text: str) -> str:
    """Return why something is no address that we can send to, or the empty string."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return "it is no http or https URL"
    return "it has a user or a password in it" if "@" in parts.netloc else ""


def post(url: str, body: bytes, headers: Mapping[str, str], within: float) -> Given:
    """Send a body, compressed where that pays; follow no redirect and no proxy.

    Raises:
        Rejected: the body is refused for good (400, 413, 422).
        NotDelivered: anything else but success: nobody there, too slow, no HTTP, another status.
    """
    sent = {"content-type": "application/json", "user-agent": "pointsman", **headers}
    if len(body) >= _GZIP_FROM:
        body = gzip.compress(body, _LEVEL)
        sent["content-encoding"] = "gzip"
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _connected(url, within) as connection:
            connection.request("POST", target, body, sent)
            answer = connection.getresponse()
            given = Given(answer.status, answer.read(MOST_ANSWER))
            wait = answer.headers.get("retry-after", "")
    except (OSError, http.client.HTTPException, ValueError) as error:
        # A socket that was shut at the deadline fails in one of many ways.
        raise NotDelivered(f"{type(error).__name__}: {error}"[:200]) from error
    if 200 <= given.status < 300:
        return given
    said = f"it answers {given.status}: {given.body[:120].decode('utf-8', 'replace')!r}"
    if given.status in {400, 413, 422}:
        raise Rejected(said)
    raise NotDelivered(said, float(wait) if wait.isdecimal() and len(wait) < 6 else 0.0)


@contextlib.contextmanager
def _connected(url: str, within: float) -> Iterator[http.client.HTTPConnection]:
    """Give a connection that is shut at the deadline, whatever trickles in meanwhile."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, parts.port, timeout=within, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=within)
    connection.connect()
    plain = connection.sock
    late = threading.Timer(within, _shut, (plain,))
    late.daemon = True
    late.start()
    try:
        yield connection
    finally:
        late.cancel()
        connection.close()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
