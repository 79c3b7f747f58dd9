"""The conventions of every repository of this machine, for hooks and commands."""

import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pointsman.conventions.book import Book
from pointsman.conventions.check import broken, commands
from pointsman.conventions.clash import clashes, missing
from pointsman.conventions.extract import Unchecked, extract
from pointsman.conventions.sources import read_sources
from pointsman.model.convention import Change, Convention, Remark, State, Violation, line_hash
from pointsman.model.errors import ConfigError
from pointsman.paths.content import read_regular
from pointsman.paths.repository import main_repository

_MOST_KEPT = 64
_MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that is known of a repository's conventions."""

    rules: tuple[Convention, ...]
    unchecked: tuple[Unchecked, ...]
    remarks: tuple[Remark, ...]


class Shelf:
    """Reads, keeps and checks conventions (``model.convention.Conventions``)."""

    def __init__(self, state: Path) -> None:
        self.book = Book(state / "conventions.json")
        self._kept: OrderedDict[str, tuple[object, tuple[Convention, ...]]] = OrderedDict()

    def confirmed(self, root: str) -> Sequence[Convention]:
        """Return the rules in force; quick where no file has changed.

        A rule whose line no longer says the same is not in force. Where the book cannot be read
        nothing is: that is a remark at the start of a session.
        """
        stamp = self.book.stamp()
        if stamp is None:
            return ()
        kept = self._kept.get(root)
        if kept is not None:
            files = {each.file for each in kept[1]}
            if kept[0] == (stamp, _stamps(root, files)):
                return [each for each in kept[1] if each.state is State.CONFIRMED]
        try:
            said = self.book.rules(main_repository(root)).values()
        except ConfigError:
            return ()
        wanted = [each for each in said if each.state is State.CONFIRMED]
        rules = tuple(_where_now(root, wanted))
        self._kept[root] = ((stamp, _stamps(root, {each.file for each in rules})), rules)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return [each for each in rules if each.state is State.CONFIRMED]

    def broken(self, rules: Sequence[Convention], change: Change) -> Sequence[Violation]:
        """Return the rules that a change would break that were not broken before."""
        return broken(rules, change)

    def commands(self, rules: Sequence[Convention], programs: Sequence[str]) -> Sequence[Violation]:
        """Return the rules that running these programs would break."""
        return commands(rules, programs)

    def remarks(self, root: str) -> Sequence[Remark]:
        """Return what is wrong with the files of instructions. It reads the disk."""
        return self.found(root).remarks

    def found(self, root: str) -> Found:
        """Read every file of instructions, and what a person has said of their rules."""
        sources = read_sources(root, os.environ.get("HOME", ""))
        rules: dict[str, Convention] = {}
        unchecked: list[Unchecked] = []
        for source in sources.files:
            more, rest = extract(source)
            rules.update((each.id, each) for each in more)
            unchecked += rest
        remarks = [*missing(sources, has_code=_has_code(root)), *sources.remarks]
        try:
            said = self.book.rules(main_repository(root))
        except ConfigError as error:
            remarks.append(Remark("unreadable", str(self.book.path), str(error), error.fix))
            said = {}
        live = [each for each in rules.values() if _state(said, each) is not State.REJECTED]
        remarks += clashes(live)
        known = [replace(each, state=_state(said, each)) for each in rules.values()]
        for name, rule in said.items():
            if name not in rules and rule.state is State.CONFIRMED:
                known.append(replace(rule, state=State.STALE))
                text = "the line of a confirmed rule has gone or changed: it is not checked"
                fix = "confirm it as it is now, or forget it: pointsman conventions"
                remarks.append(Remark("stale", rule.where, text, fix))
        return Found(tuple(known), tuple(unchecked), tuple(remarks))


def _state(said: dict[str, Convention], rule: Convention) -> State:
    known = said.get(rule.id)
    return known.state if known is not None else State.PROPOSED


def _where_now(root: str, rules: Sequence[Convention]) -> list[Convention]:
    """Return the rules with the line that they stand on now; one that has gone is stale."""
    lines: dict[str, dict[str, int]] = {}
    out = []
    for rule in rules:
        if rule.file not in lines:
            lines[rule.file] = _lines_of(_path(root, rule.file))
        now = lines[rule.file].get(rule.hash)
        out.append(replace(rule, line=now) if now else replace(rule, state=State.STALE))
    return out


def _lines_of(path: str) -> dict[str, int]:
    try:
        text = read_regular(path, _MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        return {}
    out: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        out.setdefault(line_hash(line), number)
    return out


def _path(root: str, file: str) -> str:
    if file.startswith("~/"):
        return f"{os.environ.get('HOME', '')}/{file[2:]}"
    return f"{root}/{file}"


def _stamps(root: str, files: set[str]) -> tuple[object, ...]:
    out: list[object] = []
    for file in sorted(files):
        try:
            found = os.stat(_path(root, file))  # noqa: PTH116 - for every edit
        except OSError:
            out.append((file, None))
            continue
        out.append((file, found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns))
    return tuple(out)


def _has_code(root: str) -> bool:
    try:
        with os.scandir(root) as entries:
            names = [each.name for each, _ in zip(entries, range(1000), strict=False)]
    except OSError:
        return False
    return any(name in _CODE or name.endswith(_CODE_SUFFIXES) for name in names)


_CODE = frozenset({
    "src", "lib", "app", "package.json", "pyproject.toml", "go.mod", "Cargo.toml", "pom.xml",
    "Gemfile", "composer.json", "setup.py", "requirements.txt",
})  # fmt: skip
_CODE_SUFFIXES = (".py", ".ts", ".js", ".go", ".rs", ".java", ".rb")
