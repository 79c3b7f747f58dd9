"""Conventions that a program can check: what a project's own instructions say, line by line.

A rule is *proposed* by reading a file of instructions and *confirmed* or *rejected* by a person. It
holds for as long as its line says the same.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

AGAIN = 3
"""So often a convention is broken until its line is said to be unclear."""


class Kind(StrEnum):
    """What a check looks at."""

    TOKEN = "token"  # noqa: S105 - a word of a program
    """No new use of a word in code."""
    PATTERN = "pattern"
    """No new line of a known form, such as a default export."""
    COMMAND = "command"
    """A program that is not to be run."""
    LINES = "lines"
    """A file has no more lines than so many."""
    COLUMNS = "columns"
    """No new line is longer than so many characters."""
    INDENT = "indent"
    """New lines are indented with tabs, or with spaces."""
    NAME = "name"
    """A new file's name is spelled in a style."""
    TESTS_IN = "tests-in"
    """New tests lie in a directory."""
    TEST_NAME = "test-name"
    """New tests end with a suffix, or begin with a prefix."""
    PATH = "path"
    """Files that are not to be changed."""


class State(StrEnum):
    """What a person has said of a rule."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    STALE = "stale"
    """It was confirmed, and its line no longer says so."""


@dataclass(frozen=True, slots=True)
class Check:
    """What is looked for. ``value`` is the word, the number, the style or the path.

    ``instead`` is what to do in its place, ``suffixes`` which files it is about (empty: all code),
    ``under`` the directory that it holds below, relative to the repository, with a slash.
    """

    kind: Kind
    value: str
    instead: str = ""
    suffixes: tuple[str, ...] = ()
    under: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it to be kept."""
        return {"kind": self.kind.value, "value": self.value, "instead": self.instead,
                "suffixes": list(self.suffixes), "under": self.under}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Convention:
    """One rule: where it stands (``line`` counts from 1), what it says, what is checked."""

    file: str
    line: int
    text: str
    check: Check
    state: State = State.PROPOSED
    depth: int = 0
    """How many imports away from a file that the host itself reads."""

    @property
    def hash(self) -> str:
        """Return what the line says, as a hash: where it stands does not matter."""
        return line_hash(self.text)

    @property
    def id(self) -> str:
        """Return its name: the same as long as file, words and check are."""
        made_of = f"{self.file}\0{self.hash}\0{sorted(self.check.as_dict().items())}"
        return hashlib.sha256(made_of.encode("utf-8", "replace")).hexdigest()[:8]

    @property
    def where(self) -> str:
        """Return ``file:line``."""
        return f"{self.file}:{self.line}"


def line_hash(text: str) -> str:
    """Return the hash of a line's words."""
    words = " ".join(text.split())
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit would do to one file. ``path`` is relative to the repository.

    ``after`` is ``None`` where only the path is known (a shell command); ``new`` says that there is
    no such file yet.
    """

    path: str
    before: str = ""
    after: str | None = None
    new: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """A convention that an edit would break: where in the new text, and by what."""

    convention: Convention
    path: str
    line: int
    found: str

    def __str__(self) -> str:
        """Render in words to whoever makes the edit."""
        at = f"{self.path}:{self.line}" if self.line else self.path
        instead = self.convention.check.instead
        then = f" Instead: {instead}." if instead else ""
        said = " ".join(self.convention.text.split())[:200]
        return f"{at} has {self.found}; {self.convention.where} says: “{said}”.{then}"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the files of instructions themselves.

    ``matter`` is ``missing``, ``contradiction``, ``stale`` or ``unreadable``.
    """

    matter: str
    where: str
    text: str
    fix: str

    def __str__(self) -> str:
        """Render as ``where: text; fix``."""
        return f"{self.where}: {self.text}; {self.fix}"


class Conventions(Protocol):
    """The conventions of every repository."""

    def confirmed(self, root: str) -> Sequence[Convention]:
        """Return the rules in force; quick where no file has changed."""

    def broken(self, rules: Sequence[Convention], change: Change) -> Sequence[Violation]:
        """Return the rules that a change would break that were not broken before."""

    def commands(self, rules: Sequence[Convention], programs: Sequence[str]) -> Sequence[Violation]:
        """Return the rules that running these programs would break."""

    def remarks(self, root: str) -> Sequence[Remark]:
        """Return what is wrong with the files of instructions. It reads the disk."""


class NoConventions:
    """The conventions of a hook that is asked outside the daemon."""

    def confirmed(self, root: str) -> Sequence[Convention]:
        """Return none."""
        del root
        return ()

    def broken(self, rules: Sequence[Convention], change: Change) -> Sequence[Violation]:
        """Return none."""
        del rules, change
        return ()

    def commands(self, rules: Sequence[Convention], programs: Sequence[str]) -> Sequence[Violation]:
        """Return none."""
        del rules, programs
        return ()

    def remarks(self, root: str) -> Sequence[Remark]:
        """Return none."""
        del root
        return ()
