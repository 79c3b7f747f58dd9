"""What an agent is told before it changes a file: sections of items, and the text they make."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pointsman.model.code import Source

DEFAULT_TOKENS = 600
MOST_TOKENS = 1200
SERVER_MS = 400


class Kind(StrEnum):
    """What a section is about."""

    DECLARATIONS = "declarations"
    DEPENDENTS = "dependents"
    IMPORTS = "imports"
    EXPORTS = "exports"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Item:
    """One statement: ``name`` stands at ``path`` (relative to the root) and ``line``.

    ``text`` is what it says, ``more`` lines that may be left out where there is no room, ``why``
    why it was chosen. Items of one ``group`` are written on one line.
    """

    path: str
    line: int
    name: str
    text: str
    why: str = ""
    more: tuple[str, ...] = ()
    group: str = ""
    named: bool = False
    """Whether the edit itself names it."""
    key: str = ""
    """Its whole content, by which it is known again however it is shown; empty: ``text``."""


@dataclass(frozen=True, slots=True)
class Section:
    """Items of one kind; ``count`` is how many there are, ``items`` those that are told.

    ``paths`` are all the files of a section about dependents, however few are told.
    """

    kind: Kind
    source: Source
    items: tuple[Item, ...]
    count: int
    stale: bool = False
    tests: int = 0
    paths: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the section as a JSON object."""
        out: dict[str, Any] = {
            "kind": self.kind.value,
            "source": self.source.value,
            "stale": self.stale,
            "count": self.count,
            "items": [
                {
                    "path": each.path,
                    "line": each.line,
                    "name": each.name,
                    "text": "\n".join((each.text, *each.more)),
                    "why": each.why,
                }
                for each in self.items
            ],
        }
        if self.kind is Kind.DEPENDENTS:
            out |= {"tests": self.tests, "paths": list(self.paths)}
        return out


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is told of a file; ``text`` is empty where there is nothing (new) to tell.

    ``notes`` say what could not be found out, and why.
    """

    file: str
    text: str = ""
    tokens: int = 0
    sections: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the bundle as a JSON object."""
        return {
            "file": self.file,
            "text": self.text,
            "tokens": self.tokens,
            "sections": [each.as_json() for each in self.sections],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """An edit that is about to be made: the file and what will be written, as far as is known."""

    root: str
    path: str
    written: str = ""
    whole: bool = False
    """Whether ``written`` is the whole file as it will be."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong with a file before: when (ns), in which tool, what was said."""

    ns: int
    what: str
    text: str
    seq: int


class PastFailures(Protocol):
    """Knows what went wrong with a file before."""

    def __call__(self, path: str, most: int, /) -> Sequence[Failure]:
        """Return the newest failures of a file, by its absolute path; quick and bounded."""


class Told(Protocol):
    """Tells sessions what their edits hang on, each thing once."""

    def knows(self, path: str) -> bool:
        """Whether a file is in a language that can be read."""

    async def tell(self, listener: str, change: Change, seconds: float, most: int) -> Bundle:
        """Return what this listener has not been told yet, in ``most`` tokens.

        ``seconds`` are what language servers have.
        """

    def taken_back(self, listener: str, change: Change) -> None:
        """What was told of this edit did not reach its listener: the call was refused."""

    def forget(self, session: str) -> None:
        """All listeners of a session have lost their memory."""

    def begun(self, root: str) -> None:
        """Learn that a session works in a tree: its index may be built. Quick."""

    def changed(self, root: str, paths: Sequence[str] | None) -> None:
        """Learn that files of a tree have changed (``None``: nobody knows which). Quick."""


class NothingTold:
    """Tells nobody anything: where calls are only looked at."""

    def knows(self, path: str) -> bool:
        """Return that no language can be read."""
        del path
        return False

    async def tell(self, listener: str, change: Change, seconds: float, most: int) -> Bundle:
        """Return an empty bundle."""
        del listener, seconds, most
        return Bundle(change.path)

    def taken_back(self, listener: str, change: Change) -> None:
        """Have nothing to take back."""

    def forget(self, session: str) -> None:
        """Have nothing to forget."""

    def begun(self, root: str) -> None:
        """Build nothing."""

    def changed(self, root: str, paths: Sequence[str] | None) -> None:
        """Read nothing again."""
