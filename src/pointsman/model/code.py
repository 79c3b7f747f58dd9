"""What is known of a repository's code: declarations, who uses them, and who can be asked.

The index (syntax) always answers; language servers answer more, if they do in time. Paths are
relative to the repository's root, lines count from 1, columns from 0 in UTF-16 code units (as
the Language Server Protocol counts them).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Source(StrEnum):
    """Where a statement about code comes from."""

    LSP = "lsp"
    SYNTAX = "syntax"


@dataclass(frozen=True, slots=True)
class Place:
    """A point in a file."""

    path: str
    line: int
    column: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """A name and where it stands: in the file that is about to be changed, or where it is bound."""

    name: str
    at: Place


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a name stands for.

    ``text`` is the declaration as the language writes it, without its body; ``kind`` the
    language's own word (function, class, interface, type, variable …); ``members`` are those of a
    class or interface, each as written, without bodies.
    """

    name: str
    kind: str
    place: Place
    text: str
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """A place that uses a name."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Declared:
    """What a language server said of declarations.

    ``problem`` is empty where it has answered everything; else why not (slow, crashed, not
    installed …). No answer is never the answer "there is none". ``stale`` says that the server is
    behind the file on the disk.
    """

    items: tuple[Declaration, ...] = ()
    problem: str = ""
    stale: bool = False
    server: str = ""


@dataclass(frozen=True, slots=True)
class Used:
    """What a language server said of uses; the fields are those of ``Declared``."""

    items: tuple[Use, ...] = ()
    problem: str = ""
    stale: bool = False
    server: str = ""


class CodeServers(Protocol):
    """The language servers of one daemon. Nothing here raises but cancellation."""

    def seen(self, root: str, language: str) -> None:
        """Learn that a repository has files of a language: its server may be started. Quick."""

    async def declarations(
        self, root: str, path: str, asks: Sequence[Ask], seconds: float
    ) -> Declared:
        """Return what the names stand for, within ``seconds``."""

    async def uses(self, root: str, path: str, asks: Sequence[Ask], seconds: float) -> Used:
        """Return who uses what is declared at these places (declarations left out)."""
