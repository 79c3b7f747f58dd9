"""Where a path lies: the system's, the home's, temporary, the project's own."""

import re

from pointsman.hooks.rule import Scene
from pointsman.shell.effects import UNKNOWN

SYSTEM = (
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root",
    "/run", "/sbin", "/srv", "/sys", "/usr", "/var", "/Users", "/System", "/Library",
    "/Applications", "/mnt", "/media",
)  # fmt: skip
USER = r"(?:/home/[^/]+|/Users/[^/]+|/root|~[^/]*)"
"""The home of whichever user, as the begin of a pattern."""
_QUOTED_HOME = re.compile(r"""["']?(?:\$HOME\b|\$\{HOME\}|~)["']?(?=/|\Z)""")


def inside(path: str, directory: str) -> bool:
    """Whether a path lies below a directory."""
    return path.startswith(f"{directory}/")


def static(path: str) -> str:
    """Return the part of a path before the first glob or unknown."""
    cut = min((path.find(mark) for mark in ("*", "?", "[", UNKNOWN) if mark in path), default=-1)
    return path if cut < 0 else path[: path.rfind("/", 0, cut) + 1].rstrip("/") or "/"


def is_temporary(path: str, scene: Scene) -> bool:
    """Whether a path lies where temporary files do."""
    return any(inside(path, directory) for directory in scene.temporary)


def is_own(path: str, scene: Scene) -> bool:
    """Whether a path lies in the project, or where temporary files do."""
    return inside(path, scene.cwd) or is_temporary(path, scene)


def shown(path: str) -> str:
    """Return a path as it is told to somebody."""
    return path.replace(UNKNOWN, "…")[:160]


def meant(path: str, scene: Scene) -> str:
    """Return the path that is meant where the shell does not expand the home.

    ``X='rm -rf ~'; $X`` deletes a file of that odd name; whoever wrote it meant the home.
    """
    name = path.removeprefix(f"{scene.cwd}/")
    found = _QUOTED_HOME.match(name) if "HOME" in name or "~" in name[:2] else None
    return f"{scene.home}{name[found.end() :]}" if found else path
