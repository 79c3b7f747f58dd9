"""Who is at the other end of a socket: the one seam between Linux and macOS."""

import socket
import struct
import sys

_MAC_LOCAL_PEERCRED = 1
_MAC_LOCAL_PEERPID = 2
_MAC_XUCRED = struct.Struct("=II")


def peer_uid(connection: socket.socket) -> int:
    """Return the user id of the process that connected (or that listens)."""
    if sys.platform == "darwin":  # pragma: no cover - not run on Linux
        # SOL_LOCAL is 0 there; an xucred begins with its version and the user id.
        data = connection.getsockopt(0, _MAC_LOCAL_PEERCRED, 76)
        return int(_MAC_XUCRED.unpack_from(data)[1])
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", data)[1])


def peer_pid(connection: socket.socket) -> int:
    """Return the id of the process that connected."""
    if sys.platform == "darwin":  # pragma: no cover - not run on Linux
        return int.from_bytes(connection.getsockopt(0, _MAC_LOCAL_PEERPID, 4), sys.byteorder)
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", data)[0])
