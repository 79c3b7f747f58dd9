"""What is found wrong with a run while it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a detector has found.

    ``key`` names what it is about within its detector and agent: findings with the same key are
    one alert. ``figures`` are the values that the detector's formula was given, by name.
    """

    detector: str
    key: str
    severity: Severity
    summary: str
    at_ns: int
    host: str = ""
    session: str = ""
    agent_id: str | None = None
    agent_type: str | None = None
    repository: str | None = None
    seqs: tuple[int, ...] = ()
    """Events of the ledger that show it."""
    figures: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Something that was found and is over, as whoever found it says."""

    detector: str
    key: str
    session: str
    agent_id: str | None = None
