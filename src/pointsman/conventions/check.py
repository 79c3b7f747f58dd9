"""What an edit would break: only what is new counts, never what stood there before."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pointsman.conventions.code import SUFFIXES, code_of
from pointsman.conventions.terms import IN_COMMENTS, PATTERNS, STYLES
from pointsman.model.convention import Change, Check, Convention, Kind, Violation
from pointsman.paths.globs import Globs

MOST_TEXT = 1024 * 1024
"""Characters of a file that are looked at; a longer one is no work of a hand."""
MOST_VIOLATIONS = 20
_MOST_SHOWN = 80
_TEST_FILE = re.compile(
    r"(?:^|/)(?:test_[^/]*|[^/]*_test|[^/]*[.-](?:test|spec)|[^/]*_spec)\.\w{1,5}\Z"
)
Found = tuple[int, str]
"""A line of the new text (0: the file itself), and what is wrong there."""


@dataclass(frozen=True)
class _File:
    """One file of a change, its texts split and blanked once for all rules."""

    change: Change

    @cached_property
    def suffix(self) -> str:
        name = self.change.path.rpartition("/")[2]
        dot = name.rfind(".")
        return name[dot:].lower() if dot > 0 else ""

    @cached_property
    def lines(self) -> list[str]:
        return (self.change.after or "").split("\n")

    @cached_property
    def code(self) -> list[str]:
        found = code_of(self.change.after or "", self.suffix)
        return found.split("\n") if found is not None else []

    @cached_property
    def before(self) -> list[str]:
        return self.change.before.split("\n")

    @cached_property
    def new(self) -> list[int]:
        """The lines (from 0) that were not there before, however often they were."""
        left = Counter(self.before)
        out = []
        for number, line in enumerate(self.lines):
            if left[line] > 0:
                left[line] -= 1
            else:
                out.append(number)
        return out


def broken(rules: Sequence[Convention], change: Change) -> list[Violation]:
    """Return the rules that a change would break, each once, with the first place."""
    if len(change.after or "") > MOST_TEXT or len(change.before) > MOST_TEXT:
        return []
    file = _File(change)
    out = []
    for rule in rules:
        if not _concerns(rule.check, file):
            continue
        if rule.check.kind in _OF_TEXT and change.after is None:
            continue
        found = next(iter(_CHECKS[rule.check.kind](rule.check, file)), None)
        if found is not None:
            out.append(Violation(rule, change.path, found[0], found[1]))
        if len(out) >= MOST_VIOLATIONS:
            break
    return out


def commands(rules: Iterable[Convention], programs: Sequence[str]) -> list[Violation]:
    """Return the rules that running these programs (with their words) would break."""
    return [
        Violation(rule, "the command", 0, f"`{program[:_MOST_SHOWN]}`")
        for rule in rules
        if rule.check.kind is Kind.COMMAND
        for program in programs[:1000]
        if program == rule.check.value or program.startswith(f"{rule.check.value} ")
    ][:MOST_VIOLATIONS]


def _concerns(check: Check, file: _File) -> bool:
    path = file.change.path
    if check.under and not path.startswith(check.under):
        return False
    if check.kind is Kind.PATH:
        return True
    if check.suffixes:
        return file.suffix in check.suffixes
    return file.suffix in SUFFIXES


def _token(check: Check, file: _File) -> Iterator[Found]:
    word = _word(check.value)
    for number in file.new:
        line = file.code[number] if number < len(file.code) else ""
        if word.search(line):
            yield number + 1, f"`{_shown(file.lines[number])}`"


@lru_cache(maxsize=512)
def _word(value: str) -> re.Pattern[str]:
    """Return what finds a word that is not a part of a longer one."""
    before = r"(?<![\w$])" if value[:1].isalnum() or value[:1] in "_$" else ""
    after = r"(?![\w$])" if value[-1:].isalnum() or value[-1:] in "_$" else ""
    spaced = r"\s+".join(re.escape(part) for part in value.split())
    return re.compile(before + spaced + after)


def _pattern(check: Check, file: _File) -> Iterator[Found]:
    pattern, suffixes, name = PATTERNS[check.value]
    if suffixes and file.suffix not in suffixes:
        return
    # Where an import comes from is a string; what a line is, is told by the code.
    raw = check.value in IN_COMMENTS or "import" in check.value
    for number in file.new:
        line = file.code[number] if number < len(file.code) else ""
        looked = (
            file.lines[number] if raw and (line.strip() or check.value in IN_COMMENTS) else line
        )
        if pattern.search(looked[:2000]):
            yield number + 1, f"{name}: `{_shown(file.lines[number])}`"


def _lines(check: Check, file: _File) -> Iterator[Found]:
    most = int(check.value)
    count = len(file.lines) - (not file.lines[-1])
    before = len(file.before) - (not file.before[-1])
    if count > most and count > before:
        yield 0, f"{count} lines, more than {most}"


def _columns(check: Check, file: _File) -> Iterator[Found]:
    most = int(check.value)
    for number in file.new:
        if len(file.lines[number]) > most and "://" not in file.lines[number]:
            yield number + 1, f"a line of {len(file.lines[number])} characters, more than {most}"


def _indent(check: Check, file: _File) -> Iterator[Found]:
    unwanted = " " if check.value == "tabs" else "\t"
    for number in file.new:
        line = file.lines[number]
        # One space may only align, as in a block comment.
        if line.startswith(unwanted * 2 if unwanted == " " else unwanted) and line.strip():
            yield number + 1, "an indent of spaces" if unwanted == " " else "an indent of tabs"


def _name(check: Check, file: _File) -> Iterator[Found]:
    if not file.change.new:
        return
    name = file.change.path.rpartition("/")[2]
    # Of a.test.ts or [id].tsx the first part is the name; special names are the language's own.
    stem = name.partition(".")[0]
    named = stem.strip("_") and not stem.startswith(("[", "(", "$")) and stem not in _SPECIAL
    if named and not STYLES[check.value].fullmatch(stem):
        yield 0, f"the name `{name}`, which is not {check.value}"


_SPECIAL = frozenset({"__init__", "__main__", "index", "README", "Makefile", "Dockerfile", "setup"})


def _tests_in(check: Check, file: _File) -> Iterator[Found]:
    path = file.change.path
    if file.change.new and _is_test(path) and f"/{check.value}/" not in f"/{path}":
        yield 0, f"a test outside {check.value}/"


def _test_name(check: Check, file: _File) -> Iterator[Found]:
    path, name = file.change.path, file.change.path.rpartition("/")[2]
    if not file.change.new or not _is_test(path):
        return
    start = check.value.startswith("test_")
    wanted = check.value.partition("*")[0] if start else check.value.lstrip("*")
    fits = name.startswith(wanted) if start else f".{name}".endswith(wanted)
    bare = wanted.partition(".")[2].partition(".")[0] in {"", "test", "spec"}
    if not fits and not (not start and bare and f"{wanted}." in name):
        yield 0, f"a test with the name `{name}`"


def _is_test(path: str) -> bool:
    named = _TEST_FILE.search(path) is not None
    return named and not path.endswith(("conftest.py", "__init__.py"))


def _path(check: Check, file: _File) -> Iterator[Found]:
    if _globs(check.value).match(file.change.path):
        yield 0, "a change"


@lru_cache(maxsize=256)
def _globs(value: str) -> Globs:
    plain = value.rstrip("/")
    names = [plain, f"{plain}/**"]
    if "/" not in plain:
        names += [f"**/{plain}", f"**/{plain}/**"]
    return Globs(names)


def _nothing(check: Check, file: _File) -> Iterator[Found]:
    del check, file
    return iter(())


def _shown(line: str) -> str:
    text = " ".join(line.split())
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"


_CHECKS: Mapping[Kind, Callable[[Check, _File], Iterator[Found]]] = {
    Kind.TOKEN: _token,
    Kind.PATTERN: _pattern,
    Kind.LINES: _lines,
    Kind.COLUMNS: _columns,
    Kind.INDENT: _indent,
    Kind.NAME: _name,
    Kind.TESTS_IN: _tests_in,
    Kind.TEST_NAME: _test_name,
    Kind.PATH: _path,
    Kind.COMMAND: _nothing,
}
_OF_TEXT = frozenset({Kind.TOKEN, Kind.PATTERN, Kind.LINES, Kind.COLUMNS, Kind.INDENT})
