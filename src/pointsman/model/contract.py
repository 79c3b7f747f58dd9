"""What an agent may touch."""

from dataclasses import dataclass, field

ALLOW_ALL = ("**",)
"""What an agent without a declaration may modify: everything, dotfiles included."""

EVERY_AGENT = "*"
"""Whom a declaration binds that cannot be read at all: it might be anybody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Something that must be there before the agent starts."""

    type: str
    key: str
    path: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One agent's contract; both dialects are read into this.

    ``allowed`` and ``forbidden`` are globs relative to ``root`` (minimatch's semantics, with
    dotfiles matched); forbidden wins. ``source`` is the file that declares it.
    """

    agent: str
    source: str
    root: str
    allowed: tuple[str, ...] = ALLOW_ALL
    forbidden: tuple[str, ...] = ()
    read_only: bool = False
    requires: tuple[Requirement, ...] = ()
    problems: tuple[str, ...] = field(default=())
    """What could not be read in the declaration; such a contract denies every edit."""
