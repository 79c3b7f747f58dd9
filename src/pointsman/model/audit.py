"""What an audit of a project says: findings, each with its place, and a score by parts."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is; the words are those of SARIF."""

    ERROR = "error"
    """Something is not enforced, or not allowed, that was meant to be."""
    WARNING = "warning"
    """It holds, and less would be safer."""
    NOTE = "note"
    """To know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: by which check, where (``line`` from 1), what, why, what to do."""

    id: str
    level: Level
    file: str
    line: int
    what: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the score: so many points of so many, and why not all."""

    name: str
    points: int
    most: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything that an audit says. ``files`` are those that were read."""

    findings: tuple[Finding, ...]
    parts: tuple[Part, ...]
    files: tuple[str, ...]

    @property
    def score(self) -> int:
        """The points of all parts together, of 100."""
        return sum(part.points for part in self.parts)

    @property
    def failed(self) -> bool:
        """Whether a finding is an error."""
        return any(finding.level is Level.ERROR for finding in self.findings)
