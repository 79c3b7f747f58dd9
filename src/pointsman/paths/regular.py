"""Regular languages with "and" and "not", decided by derivatives.

A term is a number; equal terms have equal numbers. The derivative of a language by a character
is what may follow that character (Brzozowski 1964): a word is in a language when, derived by all
its characters, it contains the empty word. So emptiness is a search, and its answer a word.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Term = int
_Node = tuple[str, frozenset[int] | int, int]

NOTHING: Term = 0
EMPTY: Term = 1


class TooMuch(Exception):
    """The search has come to its cap without an answer."""


@dataclass(slots=True)
class _Work:
    left: int

    def take(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise TooMuch


class Terms:
    """Makes terms over an alphabet of ``size`` characters, numbered from 0.

    ``most`` bounds the work of everything that is done with them, in steps of about a
    microsecond; past it ``TooMuch`` is raised.
    """

    def __init__(self, size: int, most: int) -> None:
        self.size = size
        self._work = _Work(most)
        self._nodes: list[_Node] = [("0", 0, 0), ("e", 0, 0)]
        self._nullable = [False, True]
        self._known: dict[_Node, Term] = {node: term for term, node in enumerate(self._nodes)}
        self._derived: dict[tuple[Term, int], Term] = {}
        self.any = self.set(range(size))
        self.all = self.star(self.any)

    def set(self, characters: Iterable[int]) -> Term:
        """Return the words of one of these characters."""
        mask = 0
        for character in characters:
            mask |= 1 << character
        return self._make(("c", mask, 0), nullable=False) if mask else NOTHING

    def then(self, first: Term, second: Term) -> Term:
        """Return the words of the one followed by those of the other."""
        if NOTHING in {first, second}:
            return NOTHING
        if EMPTY in {first, second}:
            return second if first == EMPTY else first
        kind, inner, rest = self._nodes[first]
        # To the right: otherwise one language would have many terms.
        if kind == "." and isinstance(inner, int):
            return self.then(inner, self.then(rest, second))
        nullable = self._nullable[first] and self._nullable[second]
        return self._make((".", first, second), nullable=nullable)

    def sequence(self, terms: Sequence[Term]) -> Term:
        """Return the words of these, one after the other."""
        out = EMPTY
        for term in reversed(terms):
            out = self.then(term, out)
        return out

    def star(self, term: Term) -> Term:
        """Return the words of this, as often as wanted."""
        if term in {NOTHING, EMPTY}:
            return EMPTY
        if self._nodes[term][0] == "*":
            return term
        return self._make(("*", term, 0), nullable=True)

    def either(self, terms: Iterable[Term]) -> Term:
        """Return the words of any of these."""
        parts = self._flat("|", terms) - {NOTHING}
        if self.all in parts:
            return self.all
        if len(parts) < 2:
            return next(iter(parts), NOTHING)
        return self._make(("|", parts, 0), nullable=any(self._nullable[each] for each in parts))

    def both(self, terms: Iterable[Term]) -> Term:
        """Return the words that are in all of these."""
        parts = self._flat("&", terms) - {self.all}
        negated = {self._nodes[each][1] for each in parts if self._nodes[each][0] == "!"}
        if NOTHING in parts or negated & parts:
            return NOTHING
        if len(parts) < 2:
            return next(iter(parts), self.all)
        return self._make(("&", parts, 0), nullable=all(self._nullable[each] for each in parts))

    def no(self, term: Term) -> Term:
        """Return the words that are not in this."""
        kind, inner, _ = self._nodes[term]
        if kind == "!" and isinstance(inner, int):
            return inner
        if term == NOTHING:
            return self.all
        if term == self.all:
            return NOTHING
        return self._make(("!", term, 0), nullable=not self._nullable[term])

    def word(
        self, term: Term, banned: frozenset[tuple[int, ...]] = frozenset()
    ) -> list[int] | None:
        """Return one of the shortest words of a language that is not banned, or ``None``.

        Raises:
            TooMuch: the cap was reached first.
        """
        # On the way to a banned word a state is one of its own: another way to it is free.
        prefixes = {word[:end] for word in banned for end in range(len(word) + 1)}
        waiting: deque[tuple[Term, tuple[int, ...]]] = deque([(term, ())])
        seen: set[tuple[Term, tuple[int, ...] | None]] = set()
        while waiting:
            state, path = waiting.popleft()
            if self._nullable[state] and path not in banned:
                return list(path)
            for character in range(self.size):
                following = self.derive(state, character)
                longer = (*path, character)
                key = (following, longer if longer in prefixes else None)
                if following == NOTHING or key in seen:
                    continue
                seen.add(key)
                waiting.append((following, longer))
        return None

    def derive(self, term: Term, character: int) -> Term:
        """Return what may follow this character in the words of a language."""
        key = (term, character)
        known = self._derived.get(key)
        if known is None:
            self._work.take(1)
            known = self._derived[key] = self._derivative(*self._nodes[term], character)
        return known

    def _derivative(
        self, kind: str, inner: frozenset[int] | int, rest: Term, character: int
    ) -> Term:
        if isinstance(inner, frozenset):
            self._work.take(len(inner))
            parts = [self.derive(each, character) for each in inner]
            return self.either(parts) if kind == "|" else self.both(parts)
        if kind == "c":
            return EMPTY if inner >> character & 1 else NOTHING
        if kind == "!":
            return self.no(self.derive(inner, character))
        if kind == "*":
            return self.then(self.derive(inner, character), self.star(inner))
        if kind == ".":
            out = self.then(self.derive(inner, character), rest)
            return (
                self.either([out, self.derive(rest, character)]) if self._nullable[inner] else out
            )
        return NOTHING

    def _flat(self, kind: str, terms: Iterable[Term]) -> frozenset[int]:
        out: set[int] = set()
        for term in terms:
            node = self._nodes[term]
            out |= node[1] if node[0] == kind and isinstance(node[1], frozenset) else {term}
        return frozenset(out)

    def _make(self, node: _Node, *, nullable: bool) -> Term:
        known = self._known.get(node)
        if known is None:
            self._work.take(1)
            known = self._known[node] = len(self._nodes)
            self._nodes.append(node)
            self._nullable.append(nullable)
        return known
