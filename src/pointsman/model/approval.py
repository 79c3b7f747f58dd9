"""A question that was put to a person who was not there, and what became of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

NOT_KNOWN = "not known"
"""What is said of a risk that nobody has established; nothing is made up."""


class State(StrEnum):
    """Where an approval stands."""

    WAITING = "waiting"
    """Nobody has answered yet."""
    APPROVED = "approved"
    """A person said yes; good for one call, for a while."""
    USED = "used"
    """The one call has been let through."""
    REFUSED = "refused"
    """A person said no."""
    LAPSED = "lapsed"
    """Nobody answered in time: it counts as no."""
    EXPIRED = "expired"
    """A person said yes, and no call came in time."""
    ASKED = "asked"
    """The host asks at its own prompt; we only look on."""
    ANSWERED_YES = "answered yes"
    """The host's prompt, by what followed: the call was made."""
    ANSWERED_NO = "answered no"
    """The host's prompt, by what followed: the call was not made, and the work went on."""
    UNKNOWN = "unknown"
    """The host's prompt: what followed does not tell."""


class Timeout(StrEnum):
    """What becomes of a question that nobody answers in time."""

    DENY = "deny"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment by two clocks: ``wall_ns`` since the epoch, ``boot_ns`` since this ``boot``.

    The wall clock may jump; the other one may not, and is worth nothing after a restart.
    """

    wall_ns: int
    boot_ns: int = 0
    boot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What can be said of a call before it is made; each is ``NOT_KNOWN`` where nobody can."""

    reversible: str = NOT_KNOWN
    reach: tuple[str, ...] = ()
    """Of files, repository, machine, network, other people; empty: not known."""
    cost: str = NOT_KNOWN
    rollback: str = NOT_KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What an approval is good for, and nothing else.

    ``session`` is empty where any session of the same agent will do. ``rules`` are all rules
    that asked, sorted. ``digest`` is the hash of the arguments.
    """

    host: str
    session: str
    agent: str
    repository: str
    cwd: str
    tool: str
    digest: str
    rules: tuple[str, ...]

    @property
    def key(self) -> str:
        """One text that is the same for the same binding only."""
        parts = [
            self.host, self.session, self.agent, self.repository, self.cwd, self.tool,
            self.digest, list(self.rules),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a question waits and what then, and how long a yes is good. Seconds."""

    wait: float = 3600.0
    on_timeout: Timeout = Timeout.DENY
    valid_for: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One question with all that is known of it. Times in ns since the epoch, 0 for never.

    ``input`` is what would run, ``modified`` what a person wrote in its place. ``call`` is the
    host's id of the call that asked last, or that used it.
    """

    id: str
    state: State
    binding: Binding
    terms: Terms
    rule: str
    hook: str
    reason: str
    cause: str
    input: Mapping[str, Any] = field(default_factory=dict)
    cut: bool = False
    """Whether ``input`` is only a part of what would run, for its size."""
    risk: Risk = Risk()
    session: str = ""
    """The session that asked; what it is good for stands in ``binding``."""
    agent_id: str | None = None
    call: str = ""
    host_pid: int = 0
    requests: int = 1
    created_ns: int = 0
    wait_until_ns: int = 0
    escalated_ns: int = 0
    shown_ns: int = 0
    decided: Moment | None = None
    decided_by: str = ""
    note: str = ""
    modified: Mapping[str, Any] | None = None
    used_ns: int = 0

    def is_over(self, now_ns: int) -> bool:
        """Whether it has waited for an answer in vain, and longer is not waited."""
        last = self.terms.on_timeout is Timeout.DENY or self.escalated_ns > 0
        return self.state is State.WAITING and last and now_ns >= self.wait_until_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of state; ``before`` is empty for the first."""

    number: int
    id: str
    ns: int
    before: str
    after: str
    by: str
    text: str
