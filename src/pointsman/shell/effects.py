"""What an analysis of a shell command says: values only."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

UNKNOWN = "\x00"
"""Stands in a word for a part that cannot be known without running the command."""


ENDLESS = "\x00endless"
"""The program of an invocation that stands for work which multiplies without end."""


class Kind(StrEnum):
    """What a command does to something."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    DELETE_TREE = "delete tree"
    MOVE = "move"
    CHMOD = "chmod"


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that happens to one path. ``path`` is absolute where that is known.

    It may hold ``UNKNOWN`` for a part that is not, and glob characters as the shell would see
    them; ``construct`` is the command or redirection that does it.
    """

    kind: Kind
    path: str
    construct: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirection of a command to or from a file."""

    operator: str
    target: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """One simple command as it would be run, with everything unwrapped that can be.

    ``argv`` are its words after expansion, ``cwd`` where it runs (``UNKNOWN`` where that is not
    known), ``stdin`` the text it is fed where that is constant, ``fed_by`` the program at the
    other end of the pipe it reads from, ``text`` the source it stands in.
    """

    argv: tuple[str, ...]
    cwd: str
    redirects: tuple[Redirect, ...] = ()
    stdin: str | None = None
    fed_by: tuple[str, ...] = ()
    text: str = ""
    via: tuple[str, ...] = ()
    """The carriers it was found in, outermost first (``sudo``, ``sh -c`` …)."""

    @property
    def program(self) -> str:
        """The name of the program, without its directory and in lower case.

        Some file systems do not tell ``GIT`` from ``git``; nothing harmless is named so.
        """
        return _name_of(self.argv[0]) if self.argv else ""


@lru_cache(maxsize=1024)
def _name_of(word: str) -> str:
    # Every rule asks for it, of every invocation.
    return word.rsplit("/", 1)[-1].lower().removesuffix(".exe")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a command does. ``unverified`` are reasons why that is not all of it."""

    invocations: tuple[Invocation, ...] = ()
    effects: tuple[Effect, ...] = ()
    unverified: tuple[str, ...] = ()
    steps: int = 0
