"""Who is at the other end of a TCP connection on this machine, by the kernel's own tables."""

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

Address = tuple[str, int | None] | tuple[str, int] | None
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_MAPPED = "0000000000000000FFFF0000"
"""How the table of IPv6 begins an IPv4 address."""


def is_ours(client: Address, server: Address) -> bool:
    """Whether the process that connected runs as our user; elsewhere than on Linux nobody can say.

    Root is let in: it can read the key anyway.
    """
    if sys.platform != "linux":  # pragma: no cover - the key alone keeps others out there
        return True
    found = _row(client, server)
    return found is not None and found[0] in {os.geteuid(), 0}


def pid_of(client: Address, server: Address) -> int:
    """Return the process that connected, 0 where it cannot be found."""
    found = _row(client, server)
    if found is None or not found[1]:
        return 0
    wanted = f"socket:[{found[1]}]"
    return next((process for process in _processes() if _has_open(process, wanted)), 0)


def _has_open(process: int, wanted: str) -> bool:
    """Whether a process holds this socket; one that cannot be looked into is none of ours."""
    folder = f"/proc/{process}/fd"
    try:
        names = os.listdir(folder)  # noqa: PTH208 - for every process of the machine
    except OSError:
        return False
    return any(_target(f"{folder}/{name}") == wanted for name in names)


def _target(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - for thousands of them
    except OSError:
        return ""


def _processes() -> Iterator[int]:
    yield from (int(name) for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208


def _row(client: Address, server: Address) -> tuple[int, int] | None:
    """Return user id and inode of the connecting end."""
    if client is None or server is None or client[1] is None or server[1] is None:
        return None
    near, far = _spelled(client[0], client[1]), _spelled(server[0], server[1])
    for name in _TABLES:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in Path(name).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                # An IPv6 socket that speaks IPv4 stands in the other table.
                if fields[1].removeprefix(_MAPPED) == near and fields[2].endswith(far):
                    return int(fields[7]), int(fields[9])
    return None


def _spelled(host: str, port: int) -> str:
    """Return an address as the kernel's table spells it: the machine's own byte order."""
    (number,) = struct.unpack("=I", socket.inet_aton(host))
    return f"{number:08X}:{port:04X}"
