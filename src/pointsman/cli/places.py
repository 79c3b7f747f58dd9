"""Where this user's state and settings are, as the environment says."""

import os
import pwd
from pathlib import Path

from pointsman.model.places import Places


def places() -> Places:
    """Return the places of the user who runs this command."""
    return Places.from_environ(os.environ, home())


def home() -> Path:
    """Return the home directory: ``HOME``, or what the user database says."""
    value = os.environ.get("HOME", "")
    return Path(value) if value.startswith("/") else Path(pwd.getpwuid(os.geteuid()).pw_dir)
