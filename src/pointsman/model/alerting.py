"""What becomes of what was found wrong: alerts, the steps of their life, and agents on hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from pointsman.model.alert import Severity
from pointsman.model.event import MAIN_THREAD, Event


class State(StrEnum):
    """Where an alert stands."""

    OK = "ok"
    """Nothing was found yet: where each alert begins."""
    WARNING = "warning"
    CRITICAL = "critical"
    ESCALATED = "escalated"
    """Nobody has taken it up in time, and the next on the ladder was told."""
    ACKNOWLEDGED = "acknowledged"
    """A person has taken it up; it is told again only if it becomes worse."""
    RECOVERED = "recovered"


OPEN = (State.WARNING, State.CRITICAL, State.ESCALATED, State.ACKNOWLEDGED)
"""The states of an alert that is not over."""
UNATTENDED = (State.WARNING, State.CRITICAL, State.ESCALATED)
"""The states in which nobody has taken it up."""

STEPS: Mapping[State, tuple[State, ...]] = {
    State.OK: (State.WARNING, State.CRITICAL),
    State.WARNING: (State.CRITICAL, State.ESCALATED, State.ACKNOWLEDGED, State.RECOVERED),
    State.CRITICAL: (State.ESCALATED, State.ACKNOWLEDGED, State.RECOVERED),
    # Each rung of the ladder is a step of its own.
    State.ESCALATED: (State.ESCALATED, State.CRITICAL, State.ACKNOWLEDGED, State.RECOVERED),
    # Who took up a warning has not taken up what it has become.
    State.ACKNOWLEDGED: (State.CRITICAL, State.RECOVERED),
    # Back within the cool-down: the same alert, not another one.
    State.RECOVERED: (State.WARNING, State.CRITICAL),
}
"""Where an alert may go from each state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that was found wrong with a run, or with Pointsman, and what became of it.

    Findings with the same detector, key, agent and session are one alert. ``count`` is how often
    it was found, ``level`` the rung of the ladder it has reached, ``told_ns`` when people were last
    told (0: not yet). ``lasting`` is of what has happened and does not pass: only a person ends it.
    """

    number: int
    state: State
    severity: Severity
    detector: str
    key: str
    summary: str
    host: str = ""
    session: str = ""
    agent_id: str | None = None
    agent_type: str | None = None
    repository: str | None = None
    lasting: bool = False
    count: int = 1
    level: int = 0
    opened_ns: int = 0
    seen_ns: int = 0
    changed_ns: int = 0
    told_ns: int = 0
    by: str = ""
    seqs: tuple[int, ...] = ()
    figures: Mapping[str, float | int | str] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What tells it from others: detector, key, agent and session."""
        return self.detector, self.key, self.agent_id or "", self.session

    @property
    def agent(self) -> str:
        """Who it is about, as a person calls it."""
        return self.agent_type or self.agent_id or MAIN_THREAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step in the life of an alert.

    ``tell`` says that people are to be told, ``sinks`` whom (none named: those of the settings),
    ``does`` what is done beside that (a word of ``DOES``).
    """

    alert: Alert
    before: State
    ns: int
    by: str
    text: str
    tell: bool = False
    sinks: tuple[str, ...] = ()
    does: str = ""
    number: int = 0
    """Its place in the order of all changes, once it is kept."""

    @property
    def after(self) -> State:
        """Where the alert stands now."""
        return self.alert.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """An agent, or a whole session (``agent_id`` is ``None``), that a person has stopped."""

    session: str
    agent_id: str | None
    by: str
    reason: str
    ns: int
    alert: int = 0


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder: who is told, and what is done, after so many minutes."""

    after_s: float
    sinks: tuple[str, ...] = ()
    least: Severity = Severity.WARNING
    does: str = ""


STOPPED_RULE = "stopped.by-person"
"""The rule of every call that is denied because of a hold."""

DOES = ("stop-agent", "stop-session")
"""What a rung may do beside telling somebody."""


class Standing(Protocol):
    """What hooks are told of alerts and of agents that are on hold."""

    @property
    def holds(self) -> bool:
        """Whether anybody is on hold."""

    def held(self, event: Event) -> Hold | None:
        """Return by what whoever acts in this event is stopped."""

    def news(self, event: Event) -> tuple[Alert, ...]:
        """Return the alerts that whoever sits at this session has not been told of yet."""


class NothingStands:
    """Nobody is on hold, and nothing is found."""

    holds = False

    def held(self, event: Event) -> Hold | None:
        """Return none."""
        del event
        return None

    def news(self, event: Event) -> tuple[Alert, ...]:
        """Return none."""
        del event
        return ()
