"""What is known of the parts of a project: written down by earlier work, told to later work.

A *domain* is a part of a project that somebody may know about; a *sheet* is what is written of it:
``.claude/agents/experts/<domain>/expertise.yaml`` in the repository or in the user's own directory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

SECTIONS: Mapping[str, type] = {
    "overview": dict,
    "core_implementation": dict,
    "key_operations": dict,
    "decision_trees": dict,
    "patterns": dict,
    "safety_protocols": list,
    "best_practices": list,
    "known_issues": list,
    "potential_enhancements": list,
}
"""The nine sections of a sheet, and whether each is a table or a list."""

FILE_NAMES = ("expertise.yaml", "expertise.yml")
"""What a sheet is called; the first that is there counts."""
EXPERTS = "experts"
"""The folder of sheets, beside the files of agents."""
WARN_LINES, ERROR_LINES = 600, 750
"""Lines with something on them from which a sheet is long, and too long. 600 are some 2,400
tokens."""
TOKENS, MOST_TOKENS = 1000, 2000
"""What is told at once: by default, and the most that may be set. Of more than 10,000 characters of
context Claude Code shows the first 2 KB alone (measured with 2.1.330); 2,000 tokens are 6,000 and
leave room for the others."""
IMPROVERS = ("improve-agent", "*-improve-agent")
"""The agents that may write sheets where the settings say nothing."""


class Level(StrEnum):
    """Whose a sheet is. In the order in which they are merged: the later has the last word."""

    USER = "user"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A file that a sheet is made of."""

    level: Level
    path: str


@dataclass(frozen=True, slots=True)
class Domain:
    """A part of a project.

    ``signs`` say what it was known by, ``paths`` which files belong to it: prefixes that end with
    a slash, and suffixes that begin with a star; relative to the repository.
    """

    name: str
    signs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    files: tuple[SheetFile, ...] = ()


class Weight(StrEnum):
    """How bad something is that is wrong with a sheet."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is wrong with a sheet, and what to do about it."""

    weight: Weight
    file: str
    line: int
    text: str
    fix: str

    def __str__(self) -> str:
        """Render as ``file:line: text; fix``."""
        return f"{self.file}:{self.line}: {self.text}; {self.fix}"


def is_sheet(path: str) -> bool:
    """Whether a path is where a sheet lies: ``experts/<domain>/expertise.yaml``."""
    parts = path.split("/")
    return len(parts) > 2 and parts[-1] in FILE_NAMES and parts[-3] == EXPERTS


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is written of a domain, merged: ``sections`` by name, ``lines`` by file."""

    domain: Domain
    sections: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    flaws: tuple[Flaw, ...] = ()
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


class Experts(Protocol):
    """Finds, reads and shortens sheets. All of it touches the disk: call it in a thread."""

    def domains(self, root: str) -> Sequence[Domain]:
        """Return the domains of a repository, those with a sheet first."""

    def sheet(self, domain: Domain, warn: int = WARN_LINES, error: int = ERROR_LINES) -> Sheet:
        """Return what is written of a domain; what cannot be read is a flaw of it."""

    def concerned(
        self, sheets: Sequence[Sheet], paths: Sequence[str], agent: str
    ) -> Sequence[Sheet]:
        """Return the sheets that these paths, or an agent of this name, have to do with."""

    def told(self, sheets: Sequence[Sheet], root: str, paths: Sequence[str], tokens: int) -> str:
        """Return the most telling lines of these sheets, at most so many tokens of them."""


class NoExperts:
    """The sheets of a hook that is asked outside the daemon."""

    def domains(self, root: str) -> Sequence[Domain]:
        """Return none."""
        del root
        return ()

    def sheet(self, domain: Domain, warn: int = WARN_LINES, error: int = ERROR_LINES) -> Sheet:
        """Return an empty one."""
        del warn, error
        return Sheet(domain)

    def concerned(
        self, sheets: Sequence[Sheet], paths: Sequence[str], agent: str
    ) -> Sequence[Sheet]:
        """Return none."""
        del sheets, paths, agent
        return ()

    def told(self, sheets: Sequence[Sheet], root: str, paths: Sequence[str], tokens: int) -> str:
        """Return nothing."""
        del sheets, root, paths, tokens
        return ""
