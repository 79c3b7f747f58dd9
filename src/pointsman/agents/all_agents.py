"""Every coding agent we speak with, in one table."""

from collections.abc import Callable
from dataclasses import dataclass

from pointsman.agents import claude_code
from pointsman.model.answer import Answer
from pointsman.model.decision import Decision
from pointsman.model.event import Event


@dataclass(frozen=True, slots=True)
class Agent:
    """How one coding agent is read and answered; its module's functions, by name."""

    name: str
    read: Callable[[bytes, str, str, int], Event]
    write: Callable[[str, Decision], Answer]


AGENTS: dict[str, Agent] = {
    claude_code.NAME: Agent(claude_code.NAME, claude_code.read, claude_code.write),
}
"""A new agent is one file and one line here."""
