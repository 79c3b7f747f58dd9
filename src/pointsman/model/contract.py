"""What an agent may touch, what it needs to begin, what is checked when it ends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

ALLOW_ALL = ("**",)
"""What an agent without a declaration may modify: everything, dotfiles included."""

EVERY_AGENT = "*"
"""Whom a declaration binds that cannot be read at all: it might be anybody's."""

REQUIREMENTS = ("spec_file", "expertise", "memory", "prompt", "inbox", "file", "env")
"""Kinds of inputs of the second dialect; the first knows ``path`` and ``context`` beside them."""

VALUES = ("string", "number", "integer", "boolean")
"""Kinds of inputs that a prompt gives by name, as they are."""

PRE_SPAWN = ("file_exists", "memory_available", "env_set")
POST_COMPLETE = ("tests_pass", "type_check", "scope_valid", "lint_pass")
CONTEXT_SOURCES = ("spec_file", "prompt", "inbox", "hybrid")
MEMORIES = ("decision", "failure", "insight")
NETWORKS = ("open", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Something that must be there before the agent starts.

    ``path`` is a file or a glob, relative to the repository; for ``env`` the key is the name of
    the variable. ``scope`` says which part of a memory is meant.
    """

    type: str
    key: str
    path: str = ""
    scope: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PreSpawn:
    """A check before the agent starts: one of ``PRE_SPAWN``, and what it looks at."""

    check: str
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostComplete:
    """A check when the agent ends: one of ``POST_COMPLETE``, and the command that makes it.

    ``skip`` is a reason not to run the command: nobody has trusted it.
    """

    check: str
    command: str = ""
    skip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One agent's contract; both dialects are read into this.

    ``allowed`` and ``forbidden`` are globs relative to ``root`` (minimatch's semantics, with
    dotfiles matched); forbidden wins. ``source`` is the file that declares it. ``code`` and
    ``tests`` are the parts of ``allowed`` that the second dialect tells apart; with
    ``requires_tests`` a change of the one needs a change of the other. ``digest`` is the hash of
    the declaration as it was read: what a person trusts.
    """

    agent: str
    source: str
    root: str
    allowed: tuple[str, ...] = ALLOW_ALL
    forbidden: tuple[str, ...] = ()
    read_only: bool = False
    council: bool = False
    """A member of a council: it reads and advises, and is read-only besides."""
    network: str = "open"
    blocked_by: tuple[str, ...] = ()
    requires: tuple[Requirement, ...] = ()
    pre_spawn: tuple[PreSpawn, ...] = ()
    post_complete: tuple[PostComplete, ...] = ()
    code: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    colocated: bool = False
    requires_tests: bool = False
    memories: tuple[str, ...] = MEMORIES
    context_source: str = ""
    digest: str = ""
    problems: tuple[str, ...] = field(default=())
    """What could not be read in the declaration; such a contract denies every edit."""

    @property
    def owns(self) -> bool:
        """Whether it claims files for the agent: what allows everything claims nothing."""
        return not self.problems and not self.read_only and self.allowed is not ALLOW_ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRule:
    """A role of the settings: which tools the agents that have it may use.

    All three are patterns (``*`` and ``?``); ``tools`` is ``None`` where it takes none away.
    """

    role: str
    agents: tuple[str, ...]
    tools: tuple[str, ...] | None = None
    disallowed: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCard:
    """What an agent's own file says of it, whether it has a contract or not.

    ``tools`` are patterns of tool names (``None``: all of them), ``disallowed`` are taken away
    from those. ``spawns`` are the agents it may start where ``Agent(a, b)`` says so. ``model``
    is as written, or empty where the agent takes that of its caller.
    """

    name: str
    source: str
    description: str = ""
    model: str = ""
    tools: tuple[str, ...] | None = None
    disallowed: tuple[str, ...] = ()
    spawns: tuple[str, ...] | None = None
    isolation: str = ""
    problems: tuple[str, ...] = ()


def cycles(by_agent: Mapping[str, tuple[Contract, ...]]) -> list[tuple[str, ...]]:
    """Return the rounds in which agents wait for one another, each once, from its first name."""
    waits = {
        agent: tuple(dict.fromkeys(name for each in several for name in each.blocked_by))
        for agent, several in by_agent.items()
    }
    found: dict[tuple[str, ...], None] = {}
    done: set[str] = set()
    for start in sorted(waits):
        path: dict[str, Iterator[str]] = {} if start in done else {start: iter(waits[start])}
        # Without recursion: a chain of names that stand in files may be long.
        while path:
            name = next(reversed(path))
            after = next(path[name], None)
            if after is None:
                done.add(name)
                del path[name]
            elif after in path:
                names = list(path)
                found.setdefault(_turned(names[names.index(after) :]))
            elif after not in done:
                path[after] = iter(waits.get(after, ()))
    return list(found)


def _turned(names: list[str]) -> tuple[str, ...]:
    first = names.index(min(names))
    return (*names[first:], *names[:first])
