"""Languages by derivatives, against every short word."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.paths.regular import EMPTY, NOTHING, Term, Terms, TooMuch

WORDS = [word for size in range(5) for word in itertools.product((0, 1), repeat=size)]
_LEAF = st.sampled_from(["a", "b", "[ab]", ""])
_PATTERN = st.recursive(
    _LEAF,
    lambda inner: (
        st.builds(lambda x, y: f"(?:{x})(?:{y})", inner, inner)
        | st.builds(lambda x, y: f"(?:{x}|{y})", inner, inner)
        | inner.map(lambda x: f"(?:{x})*")
    ),
    max_leaves=5,
)


def holds(terms: Terms, term: Term, word: tuple[int, ...]) -> bool:
    for character in word:
        term = terms.derive(term, character)
    return terms.word(term) == []


def term_of(terms: Terms, pattern: str) -> Term:
    """Build the term of a pattern that the strategy above has made."""
    a, b = terms.set([0]), terms.set([1])
    leaves = {"a": a, "b": b, "[ab]": terms.any, "": EMPTY}
    if pattern in leaves:
        return leaves[pattern]
    if pattern.endswith("*"):
        return terms.star(term_of(terms, pattern[3:-2]))
    depth = 0
    for at, character in enumerate(pattern):
        depth += (character == "(") - (character == ")")
        if depth == 1 and character == "|":
            return terms.either(
                [term_of(terms, pattern[3:at]), term_of(terms, pattern[at + 1 : -1])]
            )
        if depth == 0:
            rest = pattern[at + 1 :]
            return terms.then(term_of(terms, pattern[3:at]), term_of(terms, rest[3:-1]))
    raise AssertionError(pattern)


def spelled(word: tuple[int, ...]) -> str:
    return "".join("ab"[number] for number in word)


@settings(deadline=None, max_examples=100)
@given(_PATTERN, _PATTERN)
def test_and_or_not_hold_what_they_say(one: str, other: str) -> None:
    terms = Terms(2, 1_000_000)
    first, second = term_of(terms, one), term_of(terms, other)
    only = terms.both([first, terms.no(second)])
    either = terms.either([first, second])
    for word in WORDS:
        mine = re.fullmatch(one, spelled(word)) is not None
        theirs = re.fullmatch(other, spelled(word)) is not None
        assert holds(terms, only, word) == (mine and not theirs)
        assert holds(terms, either, word) == (mine or theirs)
    shortest = terms.word(only)
    matching = [w for w in WORDS if re.fullmatch(one, spelled(w))
                and not re.fullmatch(other, spelled(w))]  # fmt: skip
    if matching:
        assert shortest is not None
        assert len(shortest) == len(matching[0])
    elif shortest is not None:
        assert len(shortest) >= 5


def test_laws() -> None:
    terms = Terms(2, 10_000)
    a = terms.set([0])
    assert terms.no(terms.no(a)) == a
    assert terms.both([a, terms.no(a)]) == NOTHING
    assert terms.either([a, NOTHING, a]) == a
    assert terms.both([]) == terms.all
    assert terms.no(NOTHING) == terms.all
    assert terms.star(terms.star(a)) == terms.star(a)
    assert terms.then(a, NOTHING) == NOTHING


def test_a_banned_word_gives_way_to_the_next() -> None:
    terms = Terms(2, 10_000)
    found = terms.word(terms.all)
    assert found == []
    assert terms.word(terms.all, frozenset({()})) == [0]
    assert terms.word(terms.set([1]), frozenset({(1,)})) is None


def test_the_cap_ends_the_search() -> None:
    terms = Terms(2, 50)
    with pytest.raises(TooMuch):
        terms.word(terms.sequence([terms.any] * 100))
