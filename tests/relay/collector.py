"""A collector on 127.0.0.1 that takes what is sent, or behaves badly in one of many ways."""

import contextlib
import gzip
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any


class Collector:
    """Listens on a port of its own; ``mode`` says how it behaves from the next request on: good,
    refusing, garbage, page, slow, broken, busy, moved, too large (than ``most`` bytes), partial."""

    def __init__(self, port: int = 0) -> None:
        self.mode = "good"
        self.most = 10**9
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening: from now on it is down."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def spans(self, name: str = "") -> dict[str, dict[str, Any]]:
        """Return the spans that have arrived, each once, whose name begins so."""
        found = {}
        for path, _, body in self.requests:
            for resource in body.get("resourceSpans", []) if path == "/v1/traces" else []:
                for span in resource["scopeSpans"][0]["spans"]:
                    if span["name"].startswith(name):
                        found[span["spanId"]] = span
        return found

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(30)
            self._answer(connection, connection.makefile("rb"))

    def _answer(self, connection: socket.socket, file: Any) -> None:
        path = file.readline().split()[1].decode()
        headers = {}
        while line := file.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = file.read(int(headers["content-length"]))
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        mode = self.mode
        if mode == "slow":
            self._ended.wait(20)
        elif mode == "broken":
            return
        elif mode == "garbage":
            connection.sendall(b"\x00\xff not HTTP at all \r\n" * 3)
        elif mode == "busy":
            connection.sendall(_reply(429, b"", "retry-after: 7\r\n"))
        elif mode == "moved":
            connection.sendall(_reply(302, b"", f"location: {self.url}/elsewhere\r\n"))
        elif mode == "too large" and len(body) > self.most:
            connection.sendall(_reply(413, b"no"))
        elif mode in {"refusing", "page"}:
            code, said = (503, b"later") if mode == "refusing" else (200, b"<html>hello</html>")
            connection.sendall(_reply(code, said))
        else:
            self.requests.append((path, headers, json.loads(body)))
            partial = b'{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "one is odd"}}'
            connection.sendall(_reply(200, partial if mode == "partial" else b"{}"))


def _reply(code: int, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {code} X\r\ncontent-length: {len(body)}\r\n{more}connection: close\r\n\r\n"
    return head.encode() + body


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """Give a collector, closed afterwards."""
    made = Collector()
    try:
        yield made
    finally:
        made.close()
