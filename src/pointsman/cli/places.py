"""Where this user's state and settings are, as the environment says."""

import os
import pwd
from pathlib import Path

from pointsman.model.errors import ConfigError
from pointsman.model.places import Places
from pointsman.paths.repository import repository_root


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


def repository_here(named: str | None = None) -> str:
    """Return the root of the repository that a command was typed in, or that of a named directory.

    Raises:
        ConfigError: it lies in none.
    """
    start = os.path.realpath(named or here())
    root = repository_root(start)
    if root is None:
        raise ConfigError(
            f"{start} lies in no repository (there is no .git or .pointsman above it)",
            fix="git init, or mkdir .pointsman",
        )
    return root
