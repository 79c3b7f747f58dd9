"""What an analysis of a shell command says: values only."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

UNKNOWN = "\x00"
"""Stands in a word for a part that cannot be known without running the command."""


ENDLESS = "\x00endless"
"""The program of an invocation that stands for work which multiplies without end."""


class Kind(StrEnum):
    """What a command does to something: to files (the first six), or otherwise (``ACTS``)."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    DELETE_TREE = "delete tree"
    MOVE = "move"
    CHMOD = "chmod"
    NETWORK = "network"
    """It speaks to a host: the path is that host or URL."""
    PROCESS = "process"
    """It ends or steers processes: the path is the process, job, service or machine."""
    PRIVILEGE = "privilege"
    """It acts as somebody else, or in another name space: the path is whom or which."""
    EXECUTE = "execute"
    """It runs code: the path is the file, empty where the code stands in the command."""
    OPAQUE = "opaque"
    """What it does cannot be known: the path is the place that it is confined to, if any is."""


CHANGES = frozenset({Kind.WRITE, Kind.DELETE, Kind.DELETE_TREE, Kind.MOVE, Kind.CHMOD})
"""The kinds that change a file."""
ACTS = frozenset({Kind.NETWORK, Kind.PROCESS, Kind.PRIVILEGE, Kind.EXECUTE, Kind.OPAQUE})
"""The kinds that are about something else than the content of a file."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a command does. ``path`` is absolute where it is a file's and is known.

    It may hold ``UNKNOWN`` for a part that is not, and may be empty, and glob characters as the
    shell would see them; ``construct`` is the command or redirection that does it. What ``path``
    is for a kind that is not about a file stands with the kind.
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
    remote: str = ""
    """The host or container it runs in, empty for this machine: its files are not ours."""
    environment: tuple[tuple[str, str], ...] = ()
    """What it is told by variables that change what it does to files."""
    began: str = ""
    """Where the whole command began, for a program to which another place is another matter."""

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
    """What a command does. ``unverified`` are reasons why that is not all of it.

    ``asked`` are files whose content outside the command it could use, ``started`` those of them
    that the command runs.
    """

    invocations: tuple[Invocation, ...] = ()
    effects: tuple[Effect, ...] = ()
    unverified: tuple[str, ...] = ()
    steps: int = 0
    asked: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
