"""What a rule of command safety is: one thing that is stopped, with an example either way."""

from collections.abc import Callable
from dataclasses import dataclass

from pointsman.model.decision import Action
from pointsman.shell.effects import Analysis, Effect, Invocation, Kind


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a command runs: the agent's directory, the home, where temporary files live."""

    cwd: str
    home: str
    temporary: tuple[str, ...] = ("/tmp", "/var/tmp", "/private/tmp", "/dev/shm")  # noqa: S108 - named, not used


@dataclass(frozen=True, slots=True)
class Call:
    """Looks at one invocation of one of these programs, whatever its words are.

    ``find`` returns what is dangerous about it, in a few words, or ``None``.
    """

    programs: frozenset[str]
    find: Callable[[Invocation, Scene], str | None]


@dataclass(frozen=True, slots=True)
class Deed:
    """Looks at one effect of one of these kinds, whichever program has it."""

    kinds: frozenset[Kind]
    find: Callable[[Effect, Invocation, Scene], str | None]


@dataclass(frozen=True, slots=True)
class Flow:
    """Looks at a whole command: what comes from where, and where it goes.

    ``find`` returns the invocation that does it beside what is dangerous about it.
    """

    find: Callable[[Analysis, Scene], tuple[Invocation, str] | None]


Test = Call | Deed | Flow


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is stopped.

    ``why`` it is, in a sentence; ``stopped`` and ``passes`` are commands that are and are not;
    ``instead`` says what to do, where there is something better than to ask a person. ``plain``
    says that what is found says ``why`` by itself, so that nobody is told it twice.
    """

    id: str
    action: Action
    why: str
    test: Test
    stopped: str
    passes: str
    instead: str = ""
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """Rules about one matter, tuned together as ``pack.NAME``."""

    name: str
    what: str
    rules: tuple[Rule, ...]
