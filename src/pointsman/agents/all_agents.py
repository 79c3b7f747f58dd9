"""Every coding agent we speak with, in one table."""

from collections.abc import Callable
from dataclasses import dataclass

from pointsman.agents import claude_code, claude_person, claude_veto
from pointsman.model.answer import Answer
from pointsman.model.decision import Decision
from pointsman.model.event import Event


@dataclass(frozen=True, slots=True)
class Agent:
    """How one coding agent is read and answered; its module's functions, by name."""

    name: str
    read: Callable[[bytes, str, str, int], Event]
    write: Callable[[str, Decision], Answer]
    fault_of_change: Callable[[Event, str], str]
    """What a change of its settings would do to our guards, given the home directory."""
    is_attended: Callable[[str, int], bool]
    """Whether somebody sits at it, given how it was started and its process id."""


AGENTS: dict[str, Agent] = {
    claude_code.NAME: Agent(
        claude_code.NAME,
        claude_code.read,
        claude_code.write,
        claude_veto.fault_of_change,
        claude_person.is_attended,
    ),
}
"""A new agent is one file and one line here."""


def fault_of_change(event: Event, home: str) -> str:
    """Ask the agent that an event comes from what a change of its settings would do."""
    agent = AGENTS.get(event.identity.host)
    return agent.fault_of_change(event, home) if agent else ""


def is_attended(host: str, entrypoint: str, pid: int) -> bool:
    """Ask an agent whether somebody sits at it; of one that we do not know it counts as yes."""
    agent = AGENTS.get(host)
    return agent is None or agent.is_attended(entrypoint, pid)
