"""A request is read whole, however large it is and however it arrives."""

import socket

import pytest

from pointsman.serve import protocol
from pointsman.serve.intake import Connection

HEADER = {"host": "claude-code", "event": "PreToolUse", "cwd": "/with\ttab and \\ and\nnewline"}


@pytest.mark.parametrize("size", [0, 1, 16_000, 16_384, 70_000, 300_000])
@pytest.mark.parametrize("piece", [1 << 20, 5_000, 16_384])
def test_a_request_in_pieces(size: int, piece: int) -> None:
    body = bytes(number % 251 for number in range(size))
    frame = protocol.request(HEADER, body)
    theirs, ours = socket.socketpair()
    with theirs, ours:
        theirs.setblocking(False)
        ours.setblocking(False)
        connection = Connection(ours)
        whole, sent = connection.read(), 0
        while not whole:
            sent += theirs.send(frame[sent : sent + piece]) if sent < len(frame) else 0
            whole = connection.read()
        assert sent == len(frame)
        assert (connection.header, connection.body) == (HEADER, body)


def test_a_client_that_goes_is_noticed() -> None:
    theirs, ours = socket.socketpair()
    with ours:
        ours.setblocking(False)
        theirs.sendall(protocol.request(HEADER, b"{}")[:-1])
        theirs.close()
        with pytest.raises(ConnectionResetError):
            Connection(ours).read()
