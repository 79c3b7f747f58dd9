"""A glob as a regular language, with the meaning that ``paths/globs.py`` gives it.

Characters that no pattern tells apart stand for one another: the alphabet is one of each kind.
"""

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pointsman.paths.globs import check, expanded
from pointsman.paths.regular import EMPTY, NOTHING, Term, Terms
from pointsman.paths.segments import TOKEN, is_one_character, is_segment

_OTHERS = " \n\t\x01\x7f\u00a0éßΩж中\U0001f600"
"""Characters beyond ASCII's printable ones that a class may tell apart."""
_GROUP = re.compile(r"[?*+@!]\(")
_MOST_GROUPS = 16
"""How deep extended globs may lie in one another to be looked at."""


class Undecided(Exception):
    """A pattern that this module does not put into a language; the words say why."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """One character of each kind; ``numbers`` are those of the characters that stand for them."""

    characters: str
    signs: dict[str, int] = field(default_factory=dict)

    def matching(self, token: str) -> Iterator[int]:
        """Yield the characters that a class matches, or ``?``."""
        for number, character in enumerate(self.characters):
            if character != "/" and is_one_character(token, character):
                yield number


def alphabet_of(patterns: Iterable[str]) -> Alphabet:
    """Return an alphabet in which these patterns can be told apart, the root's slash first."""
    # As written, and as braces make them: {1..3} has a 2 in it.
    texts = [each for text in patterns for each in (text, *_read(text))]
    classes = sorted({each for text in texts for each in _classes(text)})
    own = {character for text in texts for character in text}
    near = {chr(ord(character) + step) for each in classes for character in each
            for step in (-1, 1) if 0 < ord(character) + step < 0x110000}  # fmt: skip
    # Letters first: a witness should look like a path.
    order = string.ascii_lowercase + string.ascii_uppercase + string.digits + "-_."
    wanted = dict.fromkeys(
        ["/", *order, *sorted(own), *string.punctuation, *_OTHERS, *sorted(near)]
    )
    kinds: dict[tuple[object, ...], str] = {}
    for character in wanted:
        if character == "\0":
            continue
        # A character that is written somewhere is of a kind of its own, and so is a dot.
        alone = character if character in own or character in "/." else ""
        kind = (alone, *(is_one_character(token, character) for token in classes))
        kinds.setdefault(kind, character)
    characters = "".join(kinds.values())
    return Alphabet(characters, {character: n for n, character in enumerate(characters)})


@dataclass(slots=True)
class GlobTerms:
    """Turns patterns into terms.

    Where the matcher's reading of a negated group cannot be stated exactly, ``upper`` gives a
    language that holds at least what it matches, and else one that holds at the most that.
    """

    terms: Terms
    alphabet: Alphabet
    _plain: Term = field(init=False)
    _slash: Term = field(init=False)

    def __post_init__(self) -> None:
        self._slash = self.terms.set([self.alphabet.signs["/"]])
        others = (number for sign, number in self.alphabet.signs.items() if sign != "/")
        self._plain = self.terms.set(others)

    def literal(self, text: str) -> Term:
        """Return the language of this one text.

        Raises:
            Undecided: it has a character that the alphabet was not made for.
        """
        return self.terms.sequence([self._sign(character) for character in text])

    def paths(self, *, hidden: bool) -> Term:
        """Return every path that is relative, and has no empty part, ``.`` or ``..`` in it.

        Without ``hidden`` no part of it begins with a dot.
        """
        terms = self.terms
        dot = self._sign(".")
        dots = terms.either([dot, terms.then(dot, dot)]) if hidden else terms.then(dot, terms.all)
        part = terms.both([terms.then(self._plain, terms.star(self._plain)), terms.no(dots)])
        return terms.then(part, terms.star(terms.then(self._slash, part)))

    def glob(self, pattern: str, *, upper: bool) -> Term:
        """Return the language of a pattern that ``globs.check`` has nothing against.

        Raises:
            Undecided: it is not put into a language.
        """
        plain, alternatives = expanded(pattern)
        found = [self._segments(each.split("/"), upper=upper) for each in alternatives]
        # A file may have the very name that is written: `app/[id]/page.tsx`.
        return self.terms.either([self.literal(plain), *found])

    def _segments(self, parts: Sequence[str], *, upper: bool) -> Term:
        terms = self.terms
        whole = terms.star(self._plain)
        out = whole if parts[-1] == "**" else self._segment(parts[-1], upper=upper)
        if parts[-1] == "**":
            # Something in the directory, at any depth, never the directory itself.
            out = terms.then(terms.star(terms.then(whole, self._slash)), whole)
        for part in reversed(parts[:-1]):
            if part == "**":
                out = terms.then(terms.star(terms.then(whole, self._slash)), out)
            else:
                out = terms.sequence([self._segment(part, upper=upper), self._slash, out])
        return out

    def _segment(self, part: str, *, upper: bool) -> Term:
        if any("\\" in each for each in _classes(part)):
            raise Undecided(f"a class with a backslash: {part}")
        found = _Segment(self, part, upper).read()
        # In a whole path the first part is empty, which a star is not: the matcher says what is.
        filled = self.terms.both([found, self.terms.then(self._plain, self.whole)])
        return self.terms.either([filled, EMPTY]) if is_segment(part, "") else filled

    def _sign(self, character: str) -> Term:
        number = self.alphabet.signs.get(character)
        if number is None:
            raise Undecided(f"the character {character!r}")
        return self.terms.set([number])

    def token(self, given: str) -> Term:
        """Return the language of one token of a segment that is no group."""
        if given[0] == "*":
            return self.whole
        if given == "?":
            return self._plain
        if given[0] == "[" and len(given) > 1:
            matching = list(self.alphabet.matching(given))
            if not matching:
                raise Undecided(f"a class that matches nothing: {given}")
            return self.terms.set(matching)
        return self._sign(given[-1])

    @property
    def whole(self) -> Term:
        """What a star stands for: any text without a slash."""
        return self.terms.star(self._plain)


class _Segment:
    """One part of a pattern, read from the right: a negated group looks at what follows it."""

    def __init__(self, make: GlobTerms, part: str, upper: bool) -> None:
        self._make = make
        self._terms = make.terms
        self._upper = upper
        self._text = part

    def read(self) -> Term:
        return self._read(self._text, EMPTY, 0)

    def _read(self, text: str, rest: Term, depth: int) -> Term:
        """Return the language of a text with what follows it."""
        if depth > _MOST_GROUPS:
            raise Undecided(f"more than {_MOST_GROUPS} groups in one another")
        out = rest
        for token in reversed(_tokens(text)):
            if _GROUP.match(token):
                out = self._group(token, out, depth)
            else:
                out = self._terms.then(self._make.token(token), out)
        return out

    def _group(self, token: str, rest: Term, depth: int) -> Term:
        terms = self._terms
        alternatives = _alternatives(token[2:-1])
        inner = terms.either([self._read(each, EMPTY, depth + 1) for each in alternatives])
        if token[0] == "!":
            return self._negated(inner, alternatives, rest, depth)
        repeated = {
            "@": inner,
            "?": terms.either([inner, EMPTY]),
            "*": terms.star(inner),
            "+": terms.then(inner, terms.star(inner)),
        }[token[0]]
        return terms.then(repeated, rest)

    def _negated(self, inner: Term, alternatives: list[str], rest: Term, depth: int) -> Term:
        """Return what a negated group stands for, with what follows it.

        The matcher decides a group of fixed lengths by itself. Of any other it asks what the
        whole remainder is, which is the less: the two enclose what it does.
        """
        terms, whole = self._terms, self._make.whole
        free = terms.then(terms.both([whole, terms.no(inner)]), rest)
        if self._upper or all(_is_fixed(each) for each in alternatives):
            return free
        if depth:
            return NOTHING
        return terms.both([terms.then(whole, rest), terms.no(terms.then(inner, rest))])


def _read(pattern: str) -> tuple[str, ...]:
    """Return the globs that a pattern stands for; a directory's name is none."""
    return expanded(pattern)[1] if not check(pattern) else ()


def _classes(text: str) -> Iterator[str]:
    return (token for token in TOKEN.findall(text) if token[0] == "[" and len(token) > 1)


def _is_fixed(text: str) -> bool:
    return all(token[0] != "*" and not _GROUP.match(token) for token in _tokens(text))


@lru_cache(maxsize=1024)
def _tokens(text: str) -> tuple[str, ...]:
    """Return the tokens of a segment, an extended group as one of them."""
    out: list[str] = []
    at = 0
    while at < len(text):
        end = _end_of_group(text, at) if _GROUP.match(text, at) else 0
        if not end:
            found = TOKEN.match(text, at)
            end = found.end() if found else at + 1
            # A star that begins a group is no part of the stars before it.
            if text[at] == "*" and _GROUP.match(text, end - 1):
                end = max(at + 1, end - 1)
        out.append(text[at:end])
        at = end
    return tuple(out)


def _end_of_group(text: str, at: int) -> int:
    """Return where the group that begins here ends, 0 where it does not."""
    depth = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        token = found[0] if found else text[at]
        # Escapes and classes go by whole: a bracket in them closes nothing.
        step = len(token) if token[0] in "\\[" else 1
        depth += (text[at] == "(") - (text[at] == ")") if step == 1 else 0
        at += step
        if depth == 0 and text[at - 1] == ")":
            return at
    return 0


def _alternatives(text: str) -> list[str]:
    """Return the alternatives of a group; those of groups in it belong to them."""
    out, depth = [""], 0
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        each = found[0] if found and found[0][0] in "\\[" else text[at]
        depth += (each == "(") - (each == ")")
        if each == "|" and depth == 0:
            out.append("")
        else:
            out[-1] += each
        at += len(each)
    return out
