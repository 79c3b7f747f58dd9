"""What a hook may answer.

A decision is a value, never an exception, and a hook that has no opinion returns ``None``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Action(StrEnum):
    """What should become of the action that the event announces."""

    DENY = "deny"
    ASK = "ask"
    MODIFY = "modify"
    ALLOW = "allow"


class Cause(StrEnum):
    """Why a call is stopped: three things that a reader must be able to tell apart."""

    VIOLATION = "violation"
    """A rule says no."""
    UNVERIFIED = "could not verify"
    """Nothing forbids it, but what it does could not be established."""
    FAILURE = "our own failure"
    """Pointsman itself is broken; nothing is known about the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One answer: an action, or only context for the model (``action`` is ``None``).

    ``rule`` is the id of the rule that spoke, ``hook`` the name of the hook (the engine fills
    it in), ``reason`` the text that the agent and its person read, ``context`` text for the
    model, ``updated_input`` the whole new tool input of a ``MODIFY``.
    """

    action: Action | None
    reason: str = ""
    rule: str = ""
    hook: str = ""
    context: str = ""
    cause: Cause = Cause.VIOLATION
    updated_input: Mapping[str, Any] | None = None
    updated_output: Any = None
    """What the model sees in the place of a tool's output; ``None``: what the tool gave."""
    notice: str = ""
    """Text for the person alone; nothing hangs on it."""
    ends: bool = False
    """Of a denial: the run is over with it, where the host can be told so."""

    def by(self, hook: str) -> "Decision":
        """Return the same decision with the name of the hook that took it."""
        return replace(self, hook=hook)


NO_OPINION = Decision(action=None)
"""What a fold of nothing amounts to: the host goes on as it would without us."""


def deny(reason: str, *, rule: str = "", context: str = "") -> Decision:
    """Stop the action, because of a rule."""
    return Decision(action=Action.DENY, reason=reason, rule=rule, context=context)


def ask(reason: str, *, rule: str = "", context: str = "") -> Decision:
    """Put the action before a person."""
    return Decision(action=Action.ASK, reason=reason, rule=rule, context=context)


def allow(reason: str = "", *, rule: str = "") -> Decision:
    """Let the action pass **and skip the user's own prompt**; prefer returning ``None``."""
    return Decision(action=Action.ALLOW, reason=reason, rule=rule)


def modify(updated_input: Mapping[str, Any], reason: str = "", *, rule: str = "") -> Decision:
    """Let the action pass with another input, which must be given whole."""
    # A copy: the hook could still change its own mapping after this has been judged.
    frozen = MappingProxyType(dict(updated_input))
    return Decision(action=Action.MODIFY, reason=reason, rule=rule, updated_input=frozen)


def inject(context: str, *, rule: str = "") -> Decision:
    """Say nothing about the action, and give the model this text."""
    return Decision(action=None, context=context, rule=rule)


def unverified(reason: str, *, rule: str) -> Decision:
    """Ask, because what the action does could not be established."""
    return Decision(action=Action.ASK, reason=reason, rule=rule, cause=Cause.UNVERIFIED)


def failure(reason: str, *, rule: str) -> Decision:
    """Stop the action, because Pointsman could not check it; the reason names the next step."""
    return Decision(action=Action.DENY, reason=reason, rule=rule, cause=Cause.FAILURE)
