"""What is said of a project before it is deployed: the names in its environment, and findings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from pointsman.model.audit import Finding, Level


class Target(StrEnum):
    """Where a project is deployed to."""

    CLOUD_RUN = "cloud-run"
    FUNCTIONS = "functions"
    AGENT_ENGINE = "agent-engine"
    LAMBDA = "lambda"
    KUBERNETES = "kubernetes"


class How(StrEnum):
    """What is done with a variable of the environment."""

    READ = "read"
    SET = "set"
    """By the program itself, or for it on one's own machine."""
    IMAGE = "set in the image"
    """A default: what the platform sets wins over it."""
    DEPLOYED = "handed to the platform"


class Need(StrEnum):
    """What becomes of a program that reads a variable which nobody has set."""

    START = "start"
    """It is not even loaded."""
    REQUEST = "request"
    """It fails where it comes to that place."""
    MAYBE = "maybe"
    """It goes on with nothing in its place."""
    DEFAULT = "default"
    """It goes on with a value of its own."""
    ASKED = "asked"
    """The place only asks whether it is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One place that names a variable of the environment.

    ``start`` and ``end`` are the bytes of the file that a renaming replaces by ``form``, in which
    ``{}`` stands for the new name; ``form`` is empty where the name stands in no such place (it is
    composed, or it follows from another name), and ``why_not`` says so.
    """

    name: str
    file: str
    line: int
    how: How
    start: int = 0
    end: int = 0
    form: str = "{}"
    why_not: str = ""
    need: Need = Need.MAYBE
    """Of a place that reads: what happens where it is not set."""
    fallback: str = field(default="", repr=False)
    """The value that it then has, where that is written there."""


class Files(Protocol):
    """The files of a project, by their paths relative to its root."""

    def __hash__(self) -> int:
        """By identity: what is worked out from the files is kept for as long as they are."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every file that was found, sorted."""

    def read(self, name: str) -> bytes:
        """Return a file's content; empty where it cannot be read or is too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What checks are given: the files, what was found in them, and where it is deployed to."""

    name: str
    prefix: str
    files: Files
    uses: tuple[Use, ...]
    targets: tuple[Target, ...]
    unread: Mapping[str, str] = field(default_factory=dict)
    """Files that could not be understood, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: how bad what it finds usually is, why it is made, and from where the rule is."""

    id: str
    level: Level
    why: str
    source: str
    fix: str
    run: Callable[[Project], Iterable[Finding]]
