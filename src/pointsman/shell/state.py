"""What a shell knows at one point of a command, and how much an analysis may do."""

import posixpath
from dataclasses import dataclass, field, replace

from tree_sitter import Node

from pointsman.shell.effects import UNKNOWN

MOST_TEXT = 128 * 1024
"""Bytes of a command that are analysed; a longer one cannot be verified."""
MOST_DEPTH = 64


class Spent(Exception):
    """The analysis has used up its steps."""


@dataclass(slots=True)
class Steps:
    """How much work an analysis may do, in visited nodes."""

    left: int
    used: int = 0

    def take(self, count: int = 1) -> None:
        """Use steps.

        Raises:
            Spent: none is left.
        """
        self.used += count
        self.left -= count
        if self.left < 0:
            raise Spent


@dataclass(slots=True)
class State:
    """What a shell knows at one point: its directory, variables, functions."""

    cwd: str
    home: str
    variables: dict[str, str]
    functions: dict[str, Node] = field(default_factory=dict)

    def copy(self) -> "State":
        """Return a state of its own, for a subshell."""
        return replace(self, variables=dict(self.variables), functions=dict(self.functions))


def resolve(path: str, cwd: str) -> str:
    """Return a path from the shell's directory, textually; unknown stays unknown."""
    if path.startswith(("/", UNKNOWN)):
        return posixpath.normpath(path) if path.startswith("/") else path
    if cwd.startswith("/"):
        return posixpath.normpath(f"{cwd}/{path}")
    return f"{UNKNOWN}/{path}"
