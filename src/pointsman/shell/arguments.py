"""The words of a command: which are options, which are their values, which are neither."""

from itertools import pairwise

from pointsman.shell.effects import Invocation


def names(text: str) -> frozenset[str]:
    """Return the names in a text, apart by white space: a table that is read at a glance."""
    return frozenset(text.split())


def plain_words(each: Invocation, with_value: frozenset[str] = frozenset()) -> list[str]:
    """Return the words that are neither options nor their values."""
    words, index = each.argv, 1
    out: list[str] = []
    while index < len(words):
        word = words[index]
        if word == "--":
            return out + list(words[index + 1 :])
        if word.startswith("-") and len(word) > 1:
            index += 2 if word in with_value else 1
        else:
            out.append(word)
            index += 1
    return out


def options(each: Invocation) -> set[str]:
    """Return the options, short ones one by one (``-rf`` is ``-r`` and ``-f``)."""
    out: set[str] = set()
    for word in each.argv[1:]:
        if word == "--":
            break
        if word.startswith("--"):
            out.add(word.partition("=")[0])
        elif word.startswith("-"):
            out.update(f"-{char}" for char in word[1:])
    return out


def has_long(each: Invocation, name: str) -> bool:
    """Whether a long option is given, in full or shortened as getopt allows."""
    return any(
        len(word) > 3 and word.startswith("--") and name.startswith(word.partition("=")[0])
        for word in each.argv[1:]
    )


def option_value(each: Invocation, *names: str) -> str | None:
    """Return the value of the first of these options that is given, ``None`` without."""
    for word, after in pairwise((*each.argv, "")):
        if word in names and after:
            return after
        if word.partition("=")[0] in names and "=" in word:
            return word.partition("=")[2]
    return None
