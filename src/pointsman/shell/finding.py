"""What ``find`` finds, and what it does with it."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from pointsman.shell.arguments import names
from pointsman.shell.effects import UNKNOWN

_FIND_VALUES = names(
    "-name -iname -path -ipath -wholename -iwholename -regex -iregex -lname -ilname -type"
    " -xtype -maxdepth -mindepth -mtime -mmin -atime -amin -ctime -cmin -newer -anewer -cnewer"
    " -size -perm -user -group -uid -gid -links -inum -samefile -used -fstype -printf -fprint"
    " -fprint0 -fls -regextype -context -newermt -D"
)
"""Tests of ``find`` whose next word is a value, whatever it looks like."""
_FIND_BEFORE = names("-H -L -P -O3 -E -X -x -s -d")
"""What may stand before the places, of GNU and of BSD."""
_FIND_ACTIONS = names("-exec -execdir -ok -okdir")


def find_commands(words: tuple[str, ...]) -> Iterator[list[str]]:
    """Yield the commands that a ``find`` runs, ``{}`` for what it finds."""
    index = 1
    while index < len(words):
        if words[index] in _FIND_VALUES:
            index += 2
            continue
        if words[index] in _FIND_ACTIONS:
            end = next(
                (at for at in range(index + 1, len(words)) if words[at] in {";", "+"}), len(words)
            )
            if words[index + 1 : end]:
                yield list(words[index + 1 : end])
            index = end
        index += 1


def find_deletes(words: tuple[str, ...]) -> bool:
    """Whether ``-delete`` is an action of this ``find``, not a value or a word of a command."""
    index = 1
    while index < len(words):
        word = words[index]
        if word == "-delete":
            return True
        if word in _FIND_ACTIONS:
            index = next(
                (at for at in range(index + 1, len(words)) if words[at] in {";", "+"}), len(words)
            )
        index += 2 if word in _FIND_VALUES else 1
    return False


def find_places(words: tuple[str, ...]) -> list[str]:
    """Return what a ``find`` finds, as globs: its roots, narrowed by its tests of names."""
    named = [
        words[index + 1]
        for index, word in enumerate(words[:-1])
        if word in {"-name", "-iname"} and words[index - 1] not in {"!", "-not"}
    ]
    roots = find_roots(words)
    # Behind an `-o` a name narrows its own side only, so nothing is narrowed.
    if not named or "-o" in words or "-or" in words:
        # Without either of these the place itself is found, too: a directory with all in it.
        whole = "-type" not in words and "-mindepth" not in words
        return roots if whole else [f"{root}/**" for root in roots]
    below = [f"{root.rstrip('/')}/**/{name}" for root in roots for name in named]
    return [root for root in roots if _may_be(root, named)] + below


def _may_be(root: str, named: list[str]) -> bool:
    """Whether a root may itself have one of the names that are looked for."""
    base = root.rstrip("/").rsplit("/", 1)[-1]
    # `find` tests the word it was given: no `-name` is `.` or `..`.
    if base in {".", ".."}:
        return False
    open_ended = any(mark in base for mark in ("*", "?", "[", UNKNOWN))
    return open_ended or any(fnmatchcase(base, name) for name in named)


def find_roots(words: tuple[str, ...]) -> list[str]:
    """Return where a ``find`` begins to search."""
    roots = []
    index = 1
    while index < len(words) and words[index] in _FIND_BEFORE:
        index += 1
    if words[index : index + 1] == ("-f",):
        index += 1
    for word in words[index:]:
        if word.startswith(("-", "(", "!", ")")):
            break
        roots.append(word)
    return roots or ["."]
