"""``python -m pointsman.relay``: the daemon starts it; settings are the first line of stdin."""

import os
import sys
from pathlib import Path

from pointsman.model.places import Places
from pointsman.relay.main import main

if __name__ == "__main__":
    os.umask(0o077)
    # Both are in the environment: the daemon says where they are.
    main(Places.from_environ(os.environ, home=Path("/nonexistent")), sys.stdin.buffer)
