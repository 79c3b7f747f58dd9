"""A daemon of the test's: listens where the real one would, and does what the case says."""

import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

Script = Callable[[socket.socket, int], None]
"""Given a connection and how many there were before it."""


def answer(code: int, stdout: bytes = b"", stderr: bytes = b"") -> bytes:
    """Return an answer frame."""
    head = struct.pack(">4sIII", b"PMA1", code, len(stdout), len(stderr))
    return head + stdout + stderr + b"DONE"


def read_request(connection: socket.socket) -> tuple[dict[str, str], bytes, bytes]:
    """Read one whole request; return header, body and the frame as it came."""
    frame = _exactly(connection, 12)
    _, header, body = struct.unpack(">4sII", frame)
    frame += _exactly(connection, header + body)
    lines = frame[12 : 12 + header].decode("utf-8", "surrogateescape").splitlines()
    values = dict(line.split("\t", 1) for line in lines)
    return values, frame[12 + header :], frame


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def sends(data: bytes, *, slowly: bool = False) -> Script:
    """Read the request, then send these bytes and close."""

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        for index in range(len(data)) if slowly else ():
            connection.sendall(data[index : index + 1])
        if not slowly:
            connection.sendall(data)

    return script


def hangs(connection: socket.socket, _number: int) -> None:
    """Read the request and say nothing."""
    read_request(connection)
    while connection.recv(1):
        pass


def closes_first(times: int, then: Script) -> Script:
    """Close so many connections without a word, then do something else."""

    def script(connection: socket.socket, number: int) -> None:
        if number >= times:
            then(connection, number)

    return script


Serve = Callable[[Script], "FakeDaemon"]
"""What the fixture ``serve`` is: starts a daemon with a script, which ends with the test."""


class FakeDaemon:
    """Listens in a state directory until the context ends."""

    def __init__(self, state: Path, script: Script) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self._script = script
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._listener.bind(str(state / "daemon.sock"))
        self._listener.listen(64)
        self._listener.settimeout(0.05)
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._count = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._one, args=(connection, self._count))
            self._count += 1
            thread.start()
            self._threads.append(thread)

    def _one(self, connection: socket.socket, number: int) -> None:
        connection.settimeout(10)
        with connection:
            try:
                self._script(connection, number)
            except (OSError, EOFError):
                time.sleep(0)
