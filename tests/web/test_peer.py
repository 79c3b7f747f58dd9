"""Who is at the other end, by the kernel's tables."""

import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from pointsman.web.peer import is_ours, pid_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has these tables")


def test_a_connection_of_ours_is_ours_and_its_process_is_found() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = listener.getsockname()
        with closing(socket.create_connection(server)) as client:
            near = client.getsockname()
            assert is_ours(near, server)
            assert pid_of(near, server) == os.getpid()
        code = (
            "import socket, sys\n"
            f"s = socket.create_connection({server!r})\n"
            "print(s.getsockname()[1], flush=True)\n"
            "sys.stdin.read()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            port = int(other.stdout.readline())
            assert pid_of(("127.0.0.1", port), server) == other.pid
            other.communicate()


def test_an_ipv6_socket_that_speaks_ipv4_is_found() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = listener.getsockname()
        try:
            client = socket.socket(socket.AF_INET6)
        except OSError:
            pytest.skip("there is no IPv6 here")
        with closing(client):
            client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            try:
                client.connect((f"::ffff:{server[0]}", server[1]))
            except OSError:
                pytest.skip("there is no IPv6 here")
            near = ("127.0.0.1", client.getsockname()[1])
            assert is_ours(near, server)
            assert pid_of(near, server) == os.getpid()


@pytest.mark.parametrize("client", [None, ("127.0.0.1", 1), ("127.0.0.1", None)])
def test_who_is_in_no_table_is_nobody(client: tuple[str, int] | None) -> None:
    assert not is_ours(client, ("127.0.0.1", 2))
    assert pid_of(client, ("127.0.0.1", 2)) == 0
