"""A process that is many clients: ``python -m bench.load SOCKET FRAMES COUNT WIDTH``.

Whole request frames are sent on connections of their own, ``WIDTH`` of them open at a time, as
that many clients at once would. Starts on a line on stdin; prints JSON with begin and end on the
machine's monotonic clock, and how many answers were whole. Whoever started it ends it where no
answer comes.
"""

import json
import pickle
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pointsman.model.errors import TransportError
from pointsman.serve import protocol


def main() -> None:
    """Be the load."""
    path, frames, count, width = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    given: list[bytes] = pickle.loads(Path(frames).read_bytes())
    print("ready", flush=True)
    sys.stdin.readline()
    begin = time.monotonic()
    answered = send_all(path, given, count, width)
    print(json.dumps({"begin": begin, "end": time.monotonic(), "answered": answered}))


def send_all(path: str, frames: Sequence[bytes], count: int, width: int) -> int:
    """Send ``count`` requests, ``width`` at a time; return how many were answered whole."""
    answered = 0
    for first in range(0, count, width):
        numbers = range(first, min(first + width, count))
        opened = [_send(path, frames[number % len(frames)]) for number in numbers]
        answered += sum(map(_is_answered, opened))
    return answered


def _send(path: str, frame: bytes) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(path)
    connection.sendall(frame)
    return connection


def _is_answered(connection: socket.socket) -> bool:
    data = b""
    with connection:
        while piece := connection.recv(65536):
            data += piece
            if data.endswith(protocol.TRAILER):
                break
    try:
        protocol.read_answer(data)
    except TransportError:
        return False
    return True


if __name__ == "__main__":
    main()
