"""Glob patterns with minimatch's semantics, dotfiles matched.

``**`` spans directories only as a whole segment, ``{a,b}`` and ``{1..3}`` expand, extended globs
and classes work. Three things differ on purpose:

- a pattern whose brackets are read to the letter matches too: ``src/[id]/**`` is the directory of
  a route, and it is also ``src/i/**``;
- a leading ``!`` is refused: in a list of which any may match, it would allow everything else;
- a leading ``#`` is refused: minimatch takes it for a comment, so it would forbid nothing.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise

import bracex

from pointsman.paths.segments import holder, matcher

_MOST_ALTERNATIVES = 1000
"""What braces may expand to; a pattern that grows past it is refused."""
_LONGEST = 1024
_MOST_STARS = 2
"""Wildcards in a segment with extended globs: there each may try every length."""
_REPEATED = re.compile(r"[*+]\(([^()]*)(\(?)")
"""A repetition: its alternatives, and whether another group begins among them."""
_ONE_CHARACTER = re.compile(r"[^\\\[\]*?]|\?|\[[^\]]+\]")
_EXTENDED = re.compile(r"[?*+@!]\(")
_WILD_INSIDE = re.compile(r"[*?\[\]]")
_WILD = re.compile(r"[*?{}(),]")
_BRACKET = re.compile(r"(?<!\\)([\[\]])")


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
        above = path in {".", ".."} or path.startswith("../")
        for pattern, plain, matches in self._matchers:
            # No wildcard stands for `.` or `..`; only a pattern that says so leads up.
            if plain == path or (matches(path) and (not above or plain.startswith(".."))):
                return pattern
        return None

    def match_absolute(self, path: str) -> str | None:
        """Return the first absolute pattern that matches an absolute path, or ``None``."""
        for pattern, plain, matches in self._matchers:
            if plain.startswith("/") and (plain == path or matches(path)):
                return pattern
        return None

    def may_hold(self, directory: str) -> bool:
        """Whether something in this directory, at any depth, could match one of the patterns."""
        return directory == "." or any(
            holds(directory) for _, plain, _ in self._matchers for holds in _holders(plain)
        )


def _is_ambiguous(pattern: str) -> bool:
    """Whether it repeats what can be read in more than one way: that takes time without bound."""
    if any(len(_REPEATED.findall(segment)) > 1 for segment in pattern.split("/")):
        return True
    for found in _REPEATED.finditer(pattern):
        alternatives = found[1].split("|")
        if found[2]:
            return True
        if len(alternatives) == 1 and _ONE_CHARACTER.fullmatch(alternatives[0]):
            continue
        # What is empty or wild may take any part of what the next repetition could.
        if any(not each or _WILD_INSIDE.search(each) for each in alternatives):
            return True
        alternatives.sort()
        # Sorted, a text stands right before the ones that begin with it.
        if any(after.startswith(before) for before, after in pairwise(alternatives)):
            return True
    return False


_REFUSED: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda it: not it.strip(), "it is empty"),
    (
        lambda it: it.startswith("!"),
        "a pattern cannot begin with '!'; list what is excluded as forbidden instead",
    ),
    (
        lambda it: it.startswith("#"),
        "a pattern that begins with '#' is a comment; write '\\\\#' for the character",
    ),
    (lambda it: len(it) > _LONGEST, f"it is longer than {_LONGEST} characters"),
    (
        _is_ambiguous,
        "it repeats what can be read in more than one way; repeat plain texts only",
    ),
    (
        lambda it: any(_stars(segment) > _MOST_STARS for segment in it.split("/")),
        f"it has more than {_MOST_STARS} wildcards beside an extended glob",
    ),
)
"""What makes a pattern unusable, and what is said about it."""


def check(pattern: str) -> str:
    """Return what is wrong with a pattern, or the empty string."""
    for is_wrong, message in _REFUSED:
        if is_wrong(pattern):
            return message
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
        # `dir/**` does not match `dir` itself, which could then be moved away or replaced.
        if pattern.endswith("/**") and pattern != "/**":
            out.append(pattern.removesuffix("/**"))
    return tuple(out)


def _stars(segment: str) -> int:
    return len(re.findall(r"\*+|[+!]\(", segment)) if _EXTENDED.search(segment) else 0


def _plain(pattern: str) -> str:
    """Return a pattern without ``./``, and without a name that ``..`` takes back."""
    if "./" not in pattern and not pattern.endswith("/.."):
        return pattern
    kept: list[str] = []
    for part in pattern.split("/"):
        if part == "..":
            if kept and kept[-1] not in {"", ".."} and not _WILD.search(kept[-1]):
                kept.pop()
                continue
        elif part == ".":
            continue
        kept.append(part)
    return "/".join(kept) or "."


def expanded(pattern: str) -> tuple[str, tuple[str, ...]]:
    """Return a pattern as it is matched to the letter, and the globs without braces it stands for.

    One of its alternatives matches where it does, and it matches the path that it spells.
    """
    plain = _plain(pattern)
    return plain, tuple(dict.fromkeys(_expanded(plain)))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Callable[[str], bool]:
    matchers = [matcher(each) for each in _expanded(pattern)]
    if len(matchers) == 1:
        return matchers[0]
    return lambda path: any(matches(path) for matches in matchers)


@lru_cache(maxsize=4096)
def _holders(pattern: str) -> tuple[Callable[[str], bool], ...]:
    return tuple(holder(each) for each in _expanded(pattern))


def _expanded(pattern: str) -> list[str]:
    """Return the patterns without braces that one amounts to."""
    patterns = [pattern]
    if _BRACKET.search(pattern):
        patterns.append(_BRACKET.sub(r"\\\1", pattern))
    found = dict.fromkeys(
        re.sub("/{2,}", "/", each)
        for one in patterns
        for each in bracex.iexpand(one, keep_escapes=True, limit=_MOST_ALTERNATIVES)
    )
    return [re.sub("/{2,}", "/", each) for each in found]
