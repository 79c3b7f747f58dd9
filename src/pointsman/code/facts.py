"""What one file says, read by its syntax alone: imports, exports, declarations, names used.

Lines count from 1, columns from 0 in UTF-16 code units. Nothing here depends on where the file
lies, so that the same bytes are read once for all worktrees.
"""

import re
from dataclasses import dataclass

WHOLE = "*"
"""The name of an import that binds a module itself (``import * as m``, ``import m``)."""
ALL = "**"
"""The name of an import that binds everything a module exports (``from m import *``)."""
DEFAULT = "default"
MOST_MEMBERS = 40
MOST_TEXT = 300
"""Characters of one declaration that are kept."""
MOST_MEMBER = 160
MOST_ATTRIBUTES = 60


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a file takes from elsewhere.

    ``module`` as it is written, ``name`` what is taken (``WHOLE``, ``ALL``, the empty string for
    an import that is for its effect), ``local`` what it is called here. ``used`` are the names
    that are asked of it (``local.name``), each with the line of its first use. ``top`` says that
    it is bound where other files can take it from; ``quiet`` that its line is no use of the name.
    """

    module: str
    name: str
    local: str
    line: int
    column: int = 0
    used: tuple[tuple[str, int], ...] = ()
    top: bool = True


@dataclass(frozen=True, slots=True)
class Export:
    """One name that others can take from a file.

    Either ``local`` says which of its declarations that is, or ``module`` and ``original`` say
    where it is passed on from: ``WHOLE`` is that module itself, ``ALL`` (then ``name`` too)
    everything it exports.
    """

    name: str
    line: int
    local: str = ""
    module: str = ""
    original: str = ""
    column: int = 0
    hidden: bool = False
    """Others can take it, but it is not meant for them (an underscore, not in ``__all__``)."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration without its body; ``members`` are those of a class or an interface."""

    name: str
    kind: str
    line: int
    text: str
    column: int = 0
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known of one file. ``names`` are filled where everything is imported."""

    language: str
    imports: tuple[Import, ...] = ()
    exports: tuple[Export, ...] = ()
    declarations: tuple[Declared, ...] = ()
    names: frozenset[str] = frozenset()


_STRING = re.compile(r"""(["'`])((?:\\.|(?!\1).)*)(?:\1|$)""", re.DOTALL)
_MOST_LOOKED_AT = 2000
_LONG = 16
_LONG_VALUE = 8


def clipped(text: str, most: int, *, value: bool = False) -> str:
    """Return a text on one line, cut at ``most`` characters, without what may be a secret.

    The index must not become a second place for secrets: long strings with a digit are left out,
    and of a variable's ``value`` every string of more than a few characters.
    """
    least = _LONG_VALUE if value else _LONG

    def shown(match: re.Match[str]) -> str:
        inside = match[2]
        plain = len(inside) < least or (not value and not any(map(str.isdigit, inside)))
        return match[0] if plain else f"{match[1]}…{match[1]}"

    short = " ".join(_STRING.sub(shown, text[:_MOST_LOOKED_AT]).split())
    return short if len(short) <= most else short[: most - 1] + "…"
