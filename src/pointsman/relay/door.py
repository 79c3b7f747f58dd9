"""What others may ask of the relay, on a port of its own on 127.0.0.1: figures, a place to post.

A token says who may. The figures are for Prometheus, which often runs as a user of its own: so no
user is refused here as the dashboard refuses them, and nothing but figures is to be had.
"""

import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from pointsman.model.errors import LedgerError, PointsmanError
from pointsman.model.places import Places
from pointsman.relay.measures import measured
from pointsman.relay.progress import read
from pointsman.relay.receiving import Receiving
from pointsman.relay.streams import World
from pointsman.serve.dashboard_key import is_token, key_of, posting_token
from pointsman.telemetry.prometheus import CONTENT_TYPE, text_of

HOST = "127.0.0.1"
_TRIES, _BETWEEN = 20, 0.1
_WITHIN = 10.0
_MOST_AT_ONCE = 16
_POSTED_WITH = "x-pointsman-token"
"""As `init --telemetry` has the host send it (`agents/claude_telemetry.py`)."""
_Answer = tuple[int, str, bytes]


class Door:
    """Listens, where the settings ask for it."""

    def __init__(self, places: Places, settings: Mapping[str, Any], world: World) -> None:
        self._places, self._settings, self._world = places, settings, world
        self._server: _Server | None = None
        self._receiving: Receiving | None = None

    def start(self) -> None:
        """Open the port; a fault is put down where ``status`` finds it, and ends nothing else."""
        if not (self._settings.get("prometheus") or self._settings.get("receive")):
            return
        try:
            key = key_of(self._places.telemetry_key)
            if self._settings.get("receive"):
                self._receiving = Receiving(self._places.host_telemetry)
            server = self._bound()
        except (OSError, PointsmanError) as error:
            self._world.progress.listening = {"fault": str(error)}
            self._world.say("telemetry not served", str(error))
            return
        server.key, server.receiving = key, self._receiving
        server.world = self._world if self._settings.get("prometheus") else None
        self._server = server
        url = f"http://{HOST}:{server.server_address[1]}"
        self._world.progress.listening = {"url": url}
        threading.Thread(target=server.serve_forever, daemon=True, name="door").start()

    def close(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._receiving is not None:
            self._receiving.close()

    def _bound(self) -> "_Server":
        """Return the server on the port that is set, that of last time, or a free one.

        Raises:
            OSError: the port that is set is taken.
        """
        wanted = int(self._settings.get("port", 0))
        tried = wanted or _remembered(self._places)
        for left in reversed(range(_TRIES)):
            try:
                return _Server((HOST, tried), _Handler)
            except OSError as error:
                if wanted and not left:
                    said = f"telemetry.port {wanted}: {error.strerror}"
                    raise OSError(error.errno, said) from error
            time.sleep(_BETWEEN)
        return _Server((HOST, 0), _Handler)


def _remembered(places: Places) -> int:
    listening = read(places.telemetry).get("listening")
    url = listening.get("url") if isinstance(listening, dict) else None
    port = str(url).rpartition(":")[2]
    return int(port) if port.isdecimal() and int(port) < 65_536 else 0


class _Server(http.server.ThreadingHTTPServer):
    """Serves a bounded number of requests at a time; more are refused, and come again."""

    daemon_threads = True
    allow_reuse_address = True
    key = ""
    world: World | None = None
    receiving: Receiving | None = None
    _places: ClassVar[threading.BoundedSemaphore] = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a connection to a thread, where one is free."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, for a bounded time."""
        late = threading.Timer(_WITHIN, _shut, (request,))
        late.daemon = True
        late.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            late.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke."""


class _Handler(http.server.BaseHTTPRequestHandler):
    """One request, answered and closed."""

    server: _Server
    timeout = _WITHIN
    server_version = "pointsman"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer a scrape."""
        self._reply(self._foreign() or self._scraped())

    def do_POST(self) -> None:
        """Take a message of OTLP."""
        self._reply(self._foreign() or self._posted())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        """Keep no log of requests."""

    def _foreign(self) -> _Answer | None:
        port = self.server.server_address[1]
        hosts = {f"{HOST}:{port}", f"localhost:{port}"}
        if self.headers.get("host", "") not in hosts or "origin" in self.headers:
            return _said(403, "this is for programs of this machine")
        return None

    def _scraped(self) -> _Answer:
        world = self.server.world
        if world is None or self.path.partition("?")[0] != "/metrics":
            return _said(404, "nothing here")
        if not is_token(self.server.key, self._token()):
            return _said(401, "the token is not the right one")
        try:
            figures = measured(world, time.time_ns())
        except LedgerError as error:
            return _said(503, str(error))
        return 200, CONTENT_TYPE, text_of(figures.families).encode("utf-8", "replace")

    def _posted(self) -> _Answer:
        receiving = self.server.receiving
        signal = self.path.removeprefix("/v1/")
        if receiving is None or signal not in Receiving.SIGNALS:
            return _said(404, "nothing here")
        given = self.headers.get(_POSTED_WITH, "") or self._token()
        if not is_token(posting_token(self.server.key), given):
            return _said(401, "the token is not the right one")
        length = self.headers.get("content-length", "")
        if not length.isdecimal():
            return _said(411, "the length is missing")
        if int(length) > Receiving.MOST_BODY:
            return _said(413, f"more than {Receiving.MOST_BODY} bytes")
        body = self.rfile.read(int(length))
        encoding = self.headers.get("content-encoding", "")
        code, text = receiving.take(signal, body, encoding)
        return code, "application/json", text.encode()

    def _token(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def _reply(self, answer: _Answer) -> None:
        code, kind, body = answer
        self.close_connection = True
        self.send_response(code)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.send_header("cache-control", "no-store")
        self.send_header("x-content-type-options", "nosniff")
        self.end_headers()
        self.wfile.write(body)


def _said(code: int, text: str) -> _Answer:
    return code, "text/plain; charset=utf-8", f"{text}\n".encode()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
