"""Glob patterns with minimatch's semantics, dotfiles matched.

``**`` spans directories only as a whole segment, ``{a,b}`` and ``{1..3}`` expand, extended globs
and classes work, and a pattern that is the path to the letter matches it even where it holds
brackets (a route file such as ``src/[id]/page.tsx``). A leading ``!`` is refused: in a list of
which any may match, it would allow everything else.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from wcmatch import glob

_FLAGS = glob.GLOBSTAR | glob.BRACE | glob.EXTGLOB | glob.DOTGLOB | glob.FORCEUNIX
_MOST_ALTERNATIVES = 1000
"""What braces may expand to; a pattern that grows past it is refused."""
_LONGEST = 1024


class Globs:
    """A list of patterns, compiled once; ``problems`` are the ones that cannot be used."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.problems: list[tuple[str, str]] = []
        self._matchers: list[tuple[str, str, Callable[[str], bool]]] = []
        for pattern in patterns:
            problem = check(pattern)
            if problem:
                self.problems.append((pattern, problem))
            else:
                plain = _plain(pattern)
                self._matchers.append((pattern, plain, _compiled(plain)))

    def match(self, path: str) -> str | None:
        """Return the first pattern that matches this path, as it was written, or ``None``."""
        for pattern, plain, matches in self._matchers:
            if plain == path or matches(path):
                return pattern
        return None


def check(pattern: str) -> str:
    """Return what is wrong with a pattern, or the empty string."""
    if not pattern.strip():
        return "it is empty"
    if pattern.startswith("!") and not pattern.startswith("!("):
        return "a pattern cannot begin with '!'; list what is excluded as forbidden instead"
    if len(pattern) > _LONGEST:
        return f"it is longer than {_LONGEST} characters"
    try:
        _compiled(_plain(pattern))
    except Exception as error:  # noqa: BLE001 - the library raises what its parser meets
        return f"it cannot be compiled: {error}"
    return ""


def forbidding(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns with the directory itself beside everything in it."""
    out: list[str] = []
    for pattern in patterns:
        out.append(pattern)
        if pattern.endswith("/**") and pattern != "/**":
            out.append(pattern.removesuffix("/**"))
    return tuple(out)


def _plain(pattern: str) -> str:
    while pattern.startswith("./"):
        pattern = pattern[2:]
    return pattern


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Callable[[str], bool]:
    compiled: Any = glob.compile([pattern], flags=_FLAGS, limit=_MOST_ALTERNATIVES)
    match: Callable[[str], bool] = compiled.match
    return match
