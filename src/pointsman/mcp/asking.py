"""What an answer is made of: who asks, and what may be looked into."""

import sqlite3
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from pointsman.model.event import Identity
from pointsman.model.events import PreToolUse
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.store import own
from pointsman.store.own import OpenCall
from pointsman.store.query import iso


class Policies(Protocol):
    """Where the settings in force come from."""

    def policy_for(self, repository: str | None) -> Policy:
        """Return the policy in force for a repository, or for none."""


@dataclass(frozen=True)
class Asked:
    """One question: whose it is, and the record and the settings to answer it from.

    ``limit`` and ``mine`` are how many rows are wanted, and whether the agent's own alone.
    ``daemon`` says that one runs.
    """

    who: OpenCall
    connection: sqlite3.Connection
    places: Places
    policies: Policies
    now_ns: int
    daemon: bool
    limit: int = 20
    mine: bool = False

    @cached_property
    def policy(self) -> Policy:
        """What is in force where the agent works."""
        root = self.who.repository
        return self.policies.policy_for(root if root and Path(root).is_dir() else None)

    @property
    def agent(self) -> str:
        """The name that a contract is looked up by."""
        return self.event.identity.agent

    @property
    def agents(self) -> list[str | None] | None:
        """Whose rows are wanted, as the readers of the store take it."""
        return [self.who.agent_id] if self.mine else None

    @property
    def event(self) -> PreToolUse:
        """The call that asks, as a guard would meet it now."""
        who = self.who
        identity = Identity(
            host=who.host, session=who.session, agent_id=who.agent_id, agent_type=who.agent_type,
            parent=who.parent, prompt_id=who.prompt_id, tool_use_id=who.tool_use_id, cwd=who.cwd,
            repository=who.repository,
        )  # fmt: skip
        return PreToolUse(identity=identity, received_ns=self.now_ns, tool_name=who.tool)

    def notes(self) -> list[str]:
        """Say what an answer cannot know."""
        found = []
        until = own.read_until(self.connection, self.who.session)
        if until is None:
            found.append("no message of this session has been read from its transcript yet")
        else:
            found.append(f"tokens and money are those of messages up to {iso(until)}")
        if not self.daemon:
            found.append(
                "no daemon runs: the answer is from the record alone, what has happened since it "
                "ended is not in it, and no detector looks"
            )
        if self.policy.problems:
            found.append("some settings do not check out: the last good ones are in force")
        return found
