"""Calls of a program, told by a line of text: ``kubectl|oc delete !--dry-run``.

Words stand apart by spaces. The first is the program; ``a|b`` are alternatives and ``*`` is any
part of a word. ``...`` stands for any words between two. A word with a dash is an option that is
given anywhere (``--opt=value`` also as two words), one that begins with ``!`` an option or word
that must not stand there. Words that may be an option's value are passed over, so that
``kubectl -n prod delete pod x`` is a ``kubectl delete``.
"""

import re
from dataclasses import dataclass
from fnmatch import translate

from pointsman.hooks.rule import Call, Scene
from pointsman.shell.effects import UNKNOWN, Invocation

_TRIES = frozenset({
    "--help", "--dry-run", "--dryrun", "--what-if", "--whatif", "-WhatIf",
    "--simulate", "--just-print",
})  # fmt: skip
"""Options with which a program only says what it would do."""
_ANYTHING = None
_SHORTEST = 4
"""Characters of a shortened long option that is still taken for it (``--re``)."""
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Pattern:
    words: tuple[re.Pattern[str] | None, ...]
    needed: tuple[tuple[str, ...], ...]
    barred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """The words of one call: all of them, those that are no options, and the options."""

    words: tuple[str, ...]
    letters: frozenset[str]
    longs: frozenset[str]
    first: str
    """The first word that is no option; empty without one."""

    @classmethod
    def of(cls, each: Invocation) -> "Given":
        """Return what an invocation is given: read once for all the rules that ask in a row.

        Some rules ask for each of the effects of one call, which may be as many as its words.
        """
        known, given = _last[0]
        if known is not each:
            given = cls._read(each)
            _last[0] = (each, given)
        return given

    @classmethod
    def _read(cls, each: Invocation) -> "Given":
        letters: set[str] = set()
        longs: set[str] = set()
        for word in each.argv[1:]:
            if word == "--":
                break
            if word.startswith("-") and len(word) > 1:
                longs.add(word.partition("=")[0])
                if not word.startswith("--"):
                    letters.update(f"-{char}" for char in word.partition("=")[0][1:])
        first = next((word for word in each.argv[1:] if word[:1] != "-" or word == "-"), "")
        return cls(each.argv[1:], frozenset(letters), frozenset(longs), first)

    def has(self, option: str) -> bool:
        """Whether an option is given, ``--a=b`` with that value."""
        name, equals, value = option.partition("=")
        return self._is_set(name, value) if equals else name in self.longs or name in self.letters

    def has_long(self, option: str) -> bool:
        """Whether a long option is given, in full or shortened as getopt allows (``--rec``)."""
        return any(len(each) >= _SHORTEST and option.startswith(each) for each in self.longs)

    def _is_set(self, name: str, value: str) -> bool:
        for index, word in enumerate(self.words):
            if word == f"{name}={value}":
                return True
            if word == name and self.words[index + 1 : index + 2] == (value,):
                return True
        return False

    def only_tries(self) -> bool:
        """Whether nothing is done: the help is shown, or what would be done."""
        if self.words[-1:] in {("-h",), ("help",)} or self.words[:1] in {("help",), ("--version",)}:
            return True
        for word in self.words:
            name, _, value = word.partition("=")
            if name in _TRIES and value not in {"none", "false", "no"}:
                return True
        return False


_last = [(Invocation((), ""), Given((), frozenset(), frozenset(), ""))]


def calls(says: str, *lines: str) -> Call:
    """Return the test for calls of programs; ``says`` is what such a call does."""
    table: dict[str, list[_Pattern]] = {}
    for line in lines:
        programs, *words = line.split()
        pattern = _compiled(words)
        for program in programs.split("|"):
            table.setdefault(program, []).append(pattern)

    def find(each: Invocation, scene: Scene) -> str | None:
        del scene
        given = Given.of(each)
        for pattern in table.get(each.program, ()):
            shown = _meets(pattern, given)
            if shown is not None:
                told = " ".join([each.program, *shown]).replace(UNKNOWN, "…")
                return None if given.only_tries() else f"{told} {says}"
        return None

    return Call(frozenset(table), find)


def _compiled(words: list[str]) -> _Pattern:
    plain: list[re.Pattern[str] | None] = []
    needed: list[tuple[str, ...]] = []
    barred: list[str] = []
    for word in words:
        if word == "...":
            plain.append(_ANYTHING)
        elif word.startswith("!"):
            barred += word[1:].split("|")
        elif word.startswith("-"):
            needed.append(tuple(word.split("|")))
        else:
            plain.append(re.compile("|".join(translate(each) for each in word.split("|"))))
    return _Pattern(tuple(plain), tuple(needed), tuple(barred))


def _meets(pattern: _Pattern, given: Given) -> list[str] | None:
    """Return the words that a pattern names, where a call has all of them."""
    for options in pattern.needed:
        if not any(given.has(option) for option in options):
            return None
    if any(given.has(each) if each[0] == "-" else each in given.words for each in pattern.barred):
        return None
    return _named(pattern.words, given.words)


def _named(wanted: tuple[re.Pattern[str] | None, ...], words: tuple[str, ...]) -> list[str] | None:
    shown: list[str] = []
    index, loose, valued = 0, False, False
    for word in words:
        if index == len(wanted):
            break
        if word.startswith("-") and len(word) > 1:
            valued = "=" not in word
            continue
        if wanted[index] is _ANYTHING:
            index, loose = index + 1, True
        pattern = wanted[index]
        if pattern is not None and pattern.match(word):
            index, loose = index + 1, False
            shown.append(word)
        elif not (loose or valued):
            return None
        valued = False
    return shown[:_MOST_SHOWN] if index == len(wanted) else None


def names(text: str) -> frozenset[str]:
    """Return the words of a text as a set of names."""
    return frozenset(text.split())
