"""What hooks are told of the other agents of a session."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pointsman.model.event import Event

SPAWNING_TOOLS = frozenset({"Agent", "Task"})
"""The tools that start an agent; the host calls both by the first name."""

DEFAULT_AGENT = "general-purpose"
"""The type of an agent that is started without one."""

GIVEN_UP = "completion.given-up"
"""The rule of an end whose checks failed once too often: it passes, and is no completion."""


MOST_PROMPT = 32 * 1024
"""Characters of an agent's prompt that are remembered until it starts."""
_MOST_WAITS = 128
_MOST_MESSAGE = 64 * 1024
_FENCED = re.compile(r"```(?:json)?\s*\n(\{.*?\})\s*\n```", re.DOTALL)
_UNDONE = frozenset({"blocked", "failed"})
"""The states of a worker's result that say it did not do its work."""


@dataclass(frozen=True, slots=True)
class Member:
    """An agent that is being started or runs: its type, and the id of the agent or of the call."""

    agent: str
    key: str
    isolated: bool = False
    """Whether it works in a worktree of its own."""
    prompt: str = ""
    """What it is told to do, as far as ``MOST_PROMPT``."""


class Team(Protocol):
    """The agents of each session."""

    def running(self, session: str) -> Sequence[Member]:
        """Return who is being started or runs."""

    def begin(self, event: Event, agent: str, *, isolated: bool) -> None:
        """Note a start that nothing speaks against, until it is known what became of it."""

    def ended(self, session: str, agent: str) -> str | None:
        """Return how the last agent of this type ended: the empty string is well."""

    def waits_for(self, session: str, task: str, more: Iterable[str]) -> Sequence[str]:
        """Return the tasks that have to be done before this one and are not."""

    def round_of(self, session: str, waits: Iterable[tuple[str, str]]) -> Sequence[str]:
        """Return the round that these waits, each a task and its blocker, would close."""

    def sent_back(self, event: Event) -> int:
        """Count that this agent is sent back by what it left behind; return how often it was."""

    def edited(self, event: Event) -> Sequence[str]:
        """Return the files that this agent has changed by a file tool, canonical."""

    def began(self, event: Event) -> int:
        """Return when this agent was first seen, in ns since the epoch, 0 where it was not."""

    def prompt(self, event: Event) -> str:
        """Return what the agent of this event was told to do when it was started."""


class Nobody:
    """The team of a hook that is asked outside the daemon."""

    def running(self, session: str) -> Sequence[Member]:
        """Return nobody."""
        del session
        return ()

    def begin(self, event: Event, agent: str, *, isolated: bool) -> None:
        """Note nothing."""

    def ended(self, session: str, agent: str) -> str | None:
        """Return that nobody has ended."""
        del session, agent
        return None

    def waits_for(self, session: str, task: str, more: Iterable[str]) -> Sequence[str]:
        """Return no task."""
        del session, task, more
        return ()

    def round_of(self, session: str, waits: Iterable[tuple[str, str]]) -> Sequence[str]:
        """Return no round."""
        del session, waits
        return ()

    def sent_back(self, event: Event) -> int:
        """Count the first time."""
        del event
        return 1

    def edited(self, event: Event) -> Sequence[str]:
        """Return no file."""
        del event
        return ()

    def began(self, event: Event) -> int:
        """Return that it was not seen."""
        del event
        return 0

    def prompt(self, event: Event) -> str:
        """Return nothing."""
        del event
        return ""


def new_waits(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the waits that an update of a task adds, each a task and its blocker."""
    name = given.get("taskId")
    if not isinstance(name, str):
        return []
    before, after = given.get("addBlockedBy"), given.get("addBlocks")
    waits = [(name, each) for each in (before if isinstance(before, list) else ())]
    waits += [(each, name) for each in (after if isinstance(after, list) else ())]
    return [each for each in waits if all(isinstance(one, str) for one in each)][:_MOST_WAITS]


def undone(message: str) -> str:
    """Return in what words an agent's last message says that it did not do its work, or nothing."""
    result = _result(message)
    # A list or a table, which a message may well say, cannot be looked up in a set.
    if str(result.get("status")) not in _UNDONE:
        return ""
    why = result.get("error") or result.get("blockedBy") or result.get("summary") or ""
    return f"it says of itself: {result['status']} {why}".strip()[:500]


def _result(message: str) -> dict[str, Any]:
    """Return the structured result that a worker ends with, empty where there is none."""
    text = message[-_MOST_MESSAGE:].strip()
    fenced = _FENCED.findall(text)
    for candidate in (text, *fenced[-1:]):
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return {}
