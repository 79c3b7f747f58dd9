"""What a rule of command safety is: one thing that is stopped, with an example either way."""

from collections.abc import Callable
from dataclasses import dataclass

from pointsman.model.decision import Action
from pointsman.shell.effects import Invocation


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a command runs: the agent's directory, the home, where temporary files live."""

    cwd: str
    home: str
    temporary: tuple[str, ...] = ("/tmp", "/var/tmp", "/private/tmp", "/dev/shm")  # noqa: S108 - named, not used


Find = Callable[[Invocation, Scene], str | None]
"""Returns what is dangerous about an invocation, in a few words, or ``None``."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is stopped."""

    id: str
    action: Action
    why: str
    find: Find
    stopped: str
    passes: str
