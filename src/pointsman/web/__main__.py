"""``python -m pointsman.web FD``: serve the dashboard on a socket that was handed down."""

import os
import socket
import sys
from pathlib import Path

from pointsman.model.places import Places
from pointsman.web.server import serve


def main(descriptor: int) -> None:
    """Serve until standard input ends (the daemon is gone) or nobody has looked for a while."""
    os.umask(0o077)
    # Both are in the environment: the daemon says where they are.
    places = Places.from_environ(os.environ, home=Path("/nonexistent"))
    serve(socket.socket(fileno=descriptor), places)


if __name__ == "__main__":
    main(int(sys.argv[1]))
