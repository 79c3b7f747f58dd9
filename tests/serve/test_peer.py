"""Who is at the other end."""

import os
import socket

import pytest

from pointsman.serve.peer import peer_uid


def test_it_is_us() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert peer_uid(one) == os.geteuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_is_somebody_else() -> None:
    os.seteuid(65534)
    try:
        one, other = socket.socketpair()
    finally:
        os.seteuid(0)
    with one, other:
        assert peer_uid(one) == 65534
