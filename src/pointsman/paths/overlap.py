"""Whether one path can belong to several agents, decided with a path that does.

Ownership is a list of globs less another one. What is in all of them is a regular language: a
search finds its shortest path, or proves that there is none. The search is capped; past the cap
nothing is claimed.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pointsman.paths.glob_terms import GlobTerms, Undecided, alphabet_of
from pointsman.paths.globs import Globs, check, forbidding
from pointsman.paths.regular import Term, Terms, TooMuch

MOST = 400_000
"""Steps that one question may take, each about a microsecond."""

_MOST_TRIES = 20
"""Words that the matcher itself refuses, before the search gives up."""


@dataclass(frozen=True, slots=True)
class Territory:
    """The globs that an agent may modify, and those it may not; ``None`` is everything."""

    allowed: tuple[str, ...] | None
    forbidden: tuple[str, ...] = ()

    def holds(self, path: str, root: str) -> bool:
        """Whether a path below the root belongs to it, by the matcher that guards use."""
        absolute = f"{root}/{path}"
        forbidden = _globs(forbidding(self.forbidden))
        if forbidden.match(path) or forbidden.match(absolute):
            return False
        if self.allowed is None:
            return True
        allowed = _globs(self.allowed)
        return bool(allowed.match(path) or allowed.match_absolute(absolute))


@dataclass(frozen=True, slots=True)
class Overlap:
    """What was found: a path relative to the root that all share, or none.

    ``unverified`` says why neither could be established.
    """

    witness: str | None = None
    unverified: str = ""


@lru_cache(maxsize=512)
def overlap(territories: tuple[Territory, ...], root: str = "/", most: int = MOST) -> Overlap:
    """Return a path below the root that belongs to all of these territories, if there is one.

    Absolute globs count for what they match below the root. ``most`` bounds the work.
    """
    root = os.path.normpath(root) if root != "/" else ""
    written = [glob for each in territories for glob in (*(each.allowed or ()), *each.forbidden)]
    for glob in written:
        problem = check(glob)
        if problem:
            return Overlap(unverified=f"the glob {glob!r} cannot be used: {problem}")
    try:
        return _search(territories, root, written, most)
    except Undecided as reason:
        return Overlap(unverified=f"a glob has what is not decided here: {reason}")
    except (TooMuch, RecursionError):
        return Overlap(unverified=f"the globs are too many or too large ({most} steps were taken)")


def _search(
    territories: Sequence[Territory], root: str, written: Iterable[str], most: int
) -> Overlap:
    alphabet = alphabet_of([*written, root])
    terms = Terms(len(alphabet.characters), most)
    make = _Making(GlobTerms(terms, alphabet), terms, f"{root}/")
    everywhere = [make.territory(each) for each in territories]
    shared = terms.both([make.globs.paths(hidden=True), *everywhere])
    plain = terms.word(terms.both([make.globs.paths(hidden=False), shared]))
    refused: set[tuple[int, ...]] = set()
    while len(refused) < _MOST_TRIES:
        # A name that begins with a dot reads as a puzzle: only where there is no other.
        word = plain if plain and not refused else terms.word(shared, frozenset(refused))
        if word is None:
            break
        path = "".join(alphabet.characters[number] for number in word)
        # The language may hold more than the matcher takes: it has the last word.
        if all(each.holds(path, root) for each in territories):
            return Overlap(witness=path)
        refused.add(tuple(word))
    if not refused:
        return Overlap()
    return Overlap(unverified="every path that was found is refused by the matcher")


@dataclass(slots=True)
class _Making:
    """Makes the languages of territories, as seen from the root."""

    globs: GlobTerms
    terms: Terms
    above: str

    def territory(self, given: Territory) -> Term:
        terms = self.terms
        allowed = terms.all
        if given.allowed is not None:
            allowed = terms.either([self._allowed(glob) for glob in given.allowed])
        forbidden = (
            self._below(self.globs.glob(glob, upper=False), relative=True)
            for glob in forbidding(given.forbidden)
        )
        return terms.both([allowed, terms.no(terms.either(forbidden))])

    def _allowed(self, glob: str) -> Term:
        # An allowed glob speaks of the whole path only where it begins at the very top.
        found = self.globs.glob(glob, upper=True)
        return self._below(found, relative=False) if glob.startswith("/") else found

    def _below(self, term: Term, *, relative: bool) -> Term:
        """Return what a language says of paths below the root, by their whole path."""
        derived = term
        for character in self.above:
            derived = self.terms.derive(derived, self.globs.alphabet.signs[character])
        return self.terms.either([derived, *([term] if relative else ())])


@lru_cache(maxsize=1024)
def _globs(patterns: tuple[str, ...]) -> Globs:
    return Globs(patterns)


def is_glob(text: str) -> bool:
    """Whether a text has what makes a pattern of it."""
    return any(character in text for character in "*?[{") or "(" in text
