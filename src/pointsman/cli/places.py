"""Where this user's state and settings are, as the environment says."""

import os
import pwd
from pathlib import Path

from pointsman.model.errors import ConfigError
from pointsman.model.places import Places


def places() -> Places:
    """Return the places of the user who runs this command."""
    return Places.from_environ(os.environ, home())


def home() -> Path:
    """Return the home directory: ``HOME``, or what the user database says.

    Raises:
        ConfigError: neither says.
    """
    value = os.environ.get("HOME", "")
    if value.startswith("/"):
        return Path(value)
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        raise ConfigError(
            f"HOME is {value!r} and user {os.geteuid()} has no home directory",
            fix="export HOME=/path/to/a/directory/of/yours",
        ) from None


def cwd() -> str:
    """Return the working directory, or the empty string where it is gone."""
    try:
        return os.getcwd()  # noqa: PTH109 - as the shell says it
    except OSError:
        return ""


def here() -> str:
    """Return the working directory of a command that cannot do without one.

    Raises:
        ConfigError: it is gone.
    """
    found = cwd()
    if not found:
        raise ConfigError(
            "the directory that you are in does not exist any more",
            fix="cd into the repository that is meant",
        )
    return found
