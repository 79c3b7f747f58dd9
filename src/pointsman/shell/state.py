"""What a shell knows at one point of a command, and how much an analysis may do.

A state is one table and a journal of its changes: a subshell or a branch is a mark in the journal
and a way back to it, so that neither costs more than what it changes.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tree_sitter import Node

from pointsman.shell.descriptors import placed
from pointsman.shell.effects import UNKNOWN

MOST_TEXT = 128 * 1024
"""Bytes of a command that are analysed; a longer one cannot be verified."""
MOST_DEPTH = 64
_LONGEST_PATH = 4096
_MOST_CHOICES = 4
"""Values that one name may have at one point; past that it is unknown."""


class Spent(Exception):
    """The analysis has used up its steps."""


@dataclass(slots=True)
class Steps:
    """How much work an analysis may do, in visited nodes."""

    left: int
    used: int = 0

    def take(self, count: int = 1) -> None:
        """Use steps.

        Raises:
            Spent: none is left.
        """
        self.used += count
        self.left -= count
        if self.left < 0:
            raise Spent


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that is one of several, by the branch that was taken."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: its value, the shell that set it, and whether its children see it."""

    value: "str | Choice | None"
    shell: int = 0
    exported: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """The body of a function and the text that it stands in."""

    body: Node
    source: bytes


Entry = Variable | Function | Choice | str | tuple[str, ...] | Mapping[str, str] | None
_MISSING: Final = object()
_CWD = "cwd"
_NAME = re.compile(rb"[A-Za-z_]\w*")
_INHERITED = frozenset({"HOME", "PATH", "PWD", "TMPDIR", "USER", "LANG", "TERM", "SHELL", "EDITOR"})


@dataclass(slots=True)
class Feed:
    """What a command reads on stdin: the words of the program that feeds it, text if constant."""

    by: tuple[str, ...] = ()
    text: str | None = None
    at: int = 0

    @property
    def rest(self) -> str | None:
        """What has not been read yet."""
        return self.text if self.text is None or not self.at else self.text[self.at :]

    def line(self, end: str = "\n") -> str | None:
        """Take the next line, without its end; ``None`` where there is none or it is unknown."""
        if self.text is None or self.at >= len(self.text):
            return None
        cut = self.text.find(end, self.at)
        cut = len(self.text) if cut < 0 else cut
        line, self.at = self.text[self.at : cut], cut + 1
        return line


@dataclass(slots=True)
class State:
    """What a shell knows: its directory, variables, functions, aliases, open files."""

    home: str
    table: dict[str, Entry]
    shell: int = 0
    choices: set[str] = field(default_factory=set)
    """Names that have been a choice at some point."""
    refers: bool = False
    """Whether a variable has been made the name of another."""
    _journal: list[tuple[str, object]] = field(default_factory=list)

    # -- the journal ------------------------------------------------------------------------------

    def put(self, key: str, value: Entry) -> None:
        """Change an entry of the table."""
        self._journal.append((key, self.table.get(key, _MISSING)))
        self.table[key] = value

    def mark(self) -> int:
        """Return a point to which ``back`` leads."""
        return len(self._journal)

    def back(self, mark: int) -> dict[str, Entry]:
        """Undo all changes since a mark; return what they were."""
        changes: dict[str, Entry] = {}
        while len(self._journal) > mark:
            key, old = self._journal.pop()
            changes.setdefault(key, self.table.get(key))
            if old is _MISSING:
                self.table.pop(key, None)
            else:
                self.table[key] = old  # type: ignore[assignment]  # it came from there
        return changes

    def since(self, mark: int) -> dict[str, Entry]:
        """Return what has been changed since a mark, as it is now."""
        return {key: self.table.get(key) for key, _ in self._journal[mark:]}

    def merge(self, branches: list[dict[str, Entry]]) -> None:
        """Take over what one of several branches has changed, whichever it was."""
        for key in dict.fromkeys(key for branch in branches for key in branch):
            before = self.table.get(key)
            values = [branch.get(key, before) if key in branch else before for branch in branches]
            self.put(key, values[0] if values.count(values[0]) == len(values) else _one_of(values))
            if isinstance(self.table[key], (Choice, Variable)):
                self.choices.add(key)

    # -- variables --------------------------------------------------------------------------------

    @property
    def cwd(self) -> str:
        """The directory, ``UNKNOWN`` where it is not known."""
        found = self.table.get(_CWD)
        return found if isinstance(found, str) else UNKNOWN

    def go(self, directory: str) -> None:
        """Change the directory."""
        self.put("OLDPWD", Variable(self.cwd, self.shell, exported=True))
        # The kernel takes no longer path.
        self.put(_CWD, directory if len(directory) <= _LONGEST_PATH else UNKNOWN)

    def get(self, name: str) -> str | None:
        """Return a variable's value; ``None`` where it has never been set here."""
        refers = self.table.get(f"ref {name}") if self.refers else None
        name = refers if isinstance(refers, str) and refers else name
        found = self.table.get(name)
        if not isinstance(found, Variable):
            own = self.home if name == "HOME" else self.cwd if name == "PWD" else None
            return " \t\n" if name == "IFS" else own
        if found.shell != self.shell and not found.exported:
            return ""
        return UNKNOWN if isinstance(found.value, Choice) else (found.value or "")

    def is_set(self, name: str) -> bool:
        """Whether this shell has given it a value."""
        found = self.table.get(name)
        return isinstance(found, Variable) and found.value is not None

    def exported(self, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Return those of these variables that a child process sees, with their values."""
        if not any(name in self.table for name in names):
            return ()
        found = ((name, self.table.get(name)) for name in names)
        return tuple(
            (name, self.get(name) or "")
            for name, entry in found
            if isinstance(entry, Variable) and entry.exported and entry.value
        )

    def set(self, name: str, value: str, *, exported: bool = False) -> None:
        """Give a variable a value."""
        refers = self.table.get(f"ref {name}") if self.refers else None
        name = refers if isinstance(refers, str) and refers else name
        before = self.table.get(name)
        kept = isinstance(before, Variable) and before.exported
        self.put(name, Variable(value, self.shell, exported or kept or name in _INHERITED))

    def unset(self, name: str) -> None:
        """Take a variable away: it is known to have no value."""
        self.put(name, Variable(None, self.shell))
        self.put(f"list {name}", None)

    def forget(self) -> int:
        """Let every variable be unknown, as after a file that nobody has read; return how many."""
        found = list(self.table.items())
        for key, entry in found:
            if isinstance(entry, Variable):
                self.put(key, Variable(UNKNOWN, entry.shell, entry.exported))
            elif isinstance(entry, Mapping):
                self.put(key, dict.fromkeys(entry, UNKNOWN))
        self.put("arguments", None)
        return len(found)

    def array(self, name: str) -> Mapping[str, str] | None:
        """Return the items of an array by their keys."""
        found = self.table.get(f"list {name}")
        return found if isinstance(found, Mapping) else None

    def arguments(self) -> tuple[str, ...] | None:
        """Return the positional parameters, ``None`` where they are not known."""
        found = self.table.get("arguments")
        return found if isinstance(found, tuple) else None

    def open_choices(self, text: bytes) -> list[tuple[str, Choice]]:
        """Return the names in a text that may have one of several values, and these."""
        out: list[tuple[str, Choice]] = []
        named = {each.decode() for each in _NAME.findall(text)}
        for name in sorted((named & self.choices) | ({_CWD} & self.choices)):
            found = self.table.get(name)
            value = found.value if isinstance(found, Variable) else found
            if isinstance(value, Choice):
                out.append((name, value))
        return out

    def pick(self, name: str, value: str) -> None:
        """Let a choice be one of its values."""
        found = self.table.get(name)
        if isinstance(found, Variable):
            self.put(name, Variable(value, found.shell, found.exported))
        else:
            self.put(name, value)


def _one_of(values: Iterable[Entry]) -> Entry:
    """Return what an entry is that has another value in each branch."""
    texts: list[str] = []
    last: Entry = None
    for each in values:
        if isinstance(each, Variable):
            last = each
        value = each.value if isinstance(each, Variable) else each
        if isinstance(value, Choice):
            texts += value.values
        elif isinstance(value, str):
            texts.append(value)
        elif isinstance(value, Mapping):
            return dict.fromkeys(value, UNKNOWN)
        elif isinstance(value, (tuple, Function)):
            return value if isinstance(value, Function) else None
        else:
            texts.append(UNKNOWN)
    known = tuple(dict.fromkeys(texts))
    value = Choice(known) if len(known) <= _MOST_CHOICES else UNKNOWN
    if isinstance(last, Variable):
        return Variable(value, last.shell, last.exported)
    return value


def fresh(cwd: str, home: str, variables: Mapping[str, str]) -> State:
    """Return the state at the start of a command."""
    table: dict[str, Entry] = {name: Variable(text, 0, True) for name, text in variables.items()}
    return State(home, {**table, _CWD: cwd, "arguments": ()})


def walked(path: str, cwd: str) -> str | None:
    """Return a path as the kernel walks it, ``..`` and all, where the text may lead elsewhere.

    Behind a symbolic link ``..`` is not what the text says; whoever can look at the disk has to
    follow this one, too. ``None`` where there is no difference.
    """
    if "/../" not in f"/{path}/" or not f"{cwd}/{path}".startswith("/"):
        return None
    return path if path.startswith("/") else f"{cwd}/{path}"


def resolve(path: str, cwd: str) -> str:
    """Return a path from the shell's directory, textually; unknown stays unknown."""
    path = placed(path, cwd)
    if path.startswith(("/", UNKNOWN)):
        # Two slashes in front are kept by `normpath`; here they are one.
        return posixpath.normpath(f"/{path.lstrip('/')}") if path.startswith("/") else path
    if cwd.startswith("/") and len(cwd) <= _LONGEST_PATH:
        return posixpath.normpath(f"{cwd}/{path}")
    return f"{UNKNOWN}/{path.removeprefix('./')}" if path not in {"", "."} else UNKNOWN
