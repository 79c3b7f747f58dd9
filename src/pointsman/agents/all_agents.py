"""Every coding agent we speak with, in one table."""

from collections.abc import Callable
from dataclasses import dataclass

from pointsman.agents import claude_code, claude_live, claude_person, claude_shell, claude_veto
from pointsman.model.answer import Answer
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.places import Places


@dataclass(frozen=True, slots=True)
class Agent:
    """How one coding agent is read and answered; its module's functions, by name."""

    name: str
    read: Callable[[bytes, str, str, int], Event]
    write: Callable[[str, Decision], Answer]
    fault_of_change: Callable[[Event, str, Places | None], str]
    """What a change of its settings would do to our guards, given the home and our places."""
    is_attended: Callable[[str, int], bool]
    """Whether somebody sits at it, given how it was started and its process id."""
    command_of: Callable[[str], str | None]
    """The command in the text that it gives to a shell, where that can be told."""
    hooks_in_force: Callable[[str, str, str], bool]
    """Whether its settings start our guards now: repository, its own directory, home."""
    lately_at_work: Callable[[str, str, str], tuple[str, ...]]
    """Types of a session's subagents that are at work by its own files: session, its directory,
    home."""


AGENTS: dict[str, Agent] = {
    claude_code.NAME: Agent(
        claude_code.NAME,
        claude_code.read,
        claude_code.write,
        claude_veto.fault_of_change,
        claude_person.is_attended,
        claude_shell.command_of,
        claude_veto.hooks_in_force,
        claude_live.lately_at_work,
    ),
}
"""A new agent is one file and one line here."""


def fault_of_change(event: Event, home: str, places: Places | None = None) -> str:
    """Ask the agent that an event comes from what a change of its settings would do."""
    agent = AGENTS.get(event.identity.host)
    return agent.fault_of_change(event, home, places) if agent else ""


def is_attended(host: str, entrypoint: str, pid: int) -> bool:
    """Ask an agent whether somebody sits at it; of one that we do not know it counts as yes."""
    agent = AGENTS.get(host)
    return agent is None or agent.is_attended(entrypoint, pid)
