"""What is wrong with a spec: what is missing, what contradicts itself, what leaves one guessing.

The parts are those that an agent needs to end by itself: goal, scope, inputs, acceptance by a
command, what is out of scope, and questions that somebody has answered.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pointsman.model.audit import Finding, Level
from pointsman.specs.read import Line, Section, commands, paths, sections
from pointsman.specs.words import ANSWERED, NEW, VAGUE

_VAGUE = re.compile(
    rf"\b({'|'.join(sorted((re.escape(each) for each in VAGUE), key=len, reverse=True))})\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?](?:\s|$)")
_ITEM = re.compile(r"(\s*)(?:[-*+]|\d+[.)])\s+")
_SENTENCES = 2
_JUDGED = ("goal", "scope", "acceptance")


@dataclass(frozen=True, slots=True)
class Check:
    """A rule, as SARIF names it."""

    id: str
    level: Level
    why: str
    fix: str


CHECKS = {
    each.id: each
    for each in (
        Check("spec.missing", Level.ERROR, "An agent fills in what is not said.",
              "write the section, with something below it"),
        Check("spec.goal", Level.WARNING, "More than one goal is more than one task.",
              "say in one sentence or two what is true when it is done"),
        Check("spec.no-path", Level.ERROR, "A scope that names no path holds nobody.",
              "name files, folders or globs in `code`"),
        Check("spec.path", Level.ERROR, "A path that is not there sends an agent searching.",
              "correct it, or write that it is new"),
        Check("spec.no-command", Level.ERROR, "What no command shows, the agent says of itself.",
              "name the command that passes when it is done, in `code` or in a bash block"),
        Check("spec.question", Level.ERROR, "The agent answers it, and nobody has chosen.",
              "answer it behind the question, after Answer:"),
        Check("spec.contradiction", Level.ERROR, "Whichever the agent obeys, it breaks the other.",
              "leave the path in one of the two"),
        Check("spec.vague", Level.WARNING, "Two readers take it for two tasks.",
              "say what, which or how much"),
    )
}  # fmt: skip
_NEEDED = {"goal": Level.ERROR, "scope": Level.ERROR, "acceptance": Level.ERROR,
           "inputs": Level.NOTE, "out of scope": Level.WARNING,
           "open questions": Level.NOTE}  # fmt: skip


def check(text: str, file: str, exists: Callable[[str], bool]) -> list[Finding]:
    """Return what is wrong with this spec, by line. ``exists`` answers for a path or a glob."""
    found = sections(text)
    parts = (_missing, _goal, _acceptance, _questions, _contradictions, _vague)
    rows = [row for part in parts for row in part(found)]
    if "scope" in found and not found["scope"].is_empty:
        rows += _scope(found["scope"], exists)
    rows.sort(key=lambda row: row[1])
    return [
        Finding(id=id_, level=level or CHECKS[id_].level, file=file, line=line, what=what,
                why=CHECKS[id_].why, fix=CHECKS[id_].fix)
        for id_, line, what, level in rows
    ]  # fmt: skip


_Row = tuple[str, int, str, Level | None]
_Sections = dict[str, Section]


def _missing(found: _Sections) -> Iterator[_Row]:
    for kind, level in _NEEDED.items():
        if kind not in found:
            yield "spec.missing", 1, f"there is no section {kind!r}", level
        elif found[kind].is_empty:
            yield "spec.missing", found[kind].line, f"the section {kind!r} is empty", level


def _goal(found: _Sections) -> Iterator[_Row]:
    if section := found.get("goal"):
        text = " ".join(each.prose.strip() for each in section.lines)
        count = len(_SENTENCE.findall(re.sub(r"\b(e\.g|i\.e|etc|vs)\.", r"\1", text)))
        if count > _SENTENCES:
            yield "spec.goal", section.line, f"the goal has {count} sentences", None


def _scope(section: Section, exists: Callable[[str], bool]) -> Iterator[_Row]:
    named = paths(section)
    if not named:
        yield "spec.no-path", section.line, "the scope names no path", None
    for line, path in named:
        if not NEW.search(line.prose) and not exists(path):
            yield "spec.path", line.number, f"{path} is not there and is not called new", None


def _acceptance(found: _Sections) -> Iterator[_Row]:
    section = found.get("acceptance")
    if section and not section.is_empty and not commands(section):
        yield "spec.no-command", section.line, "nothing in the acceptance can be run", None


def _questions(found: _Sections) -> Iterator[_Row]:
    lines = found["open questions"].lines if "open questions" in found else []
    for at, line in enumerate(lines):
        if "?" in line.prose and not ANSWERED.search(_item(lines, at)):
            yield "spec.question", line.number, f"not answered: {line.text.strip()[:200]}", None


def _item(lines: list[Line], at: int) -> str:
    """Return a line with what belongs to it: those below, up to the next item beside it."""
    mark = _ITEM.match(lines[at].text)
    depth = len(mark[1]) if mark else 0
    text = [lines[at].text]
    for line in lines[at + 1 : at + 20]:
        inner = _ITEM.match(line.text)
        if "?" in line.prose or (inner and len(inner[1]) <= depth):
            break
        text.append(line.text)
    return "\n".join(text)


def _contradictions(found: _Sections) -> Iterator[_Row]:
    if "scope" in found and "out of scope" in found:
        inside = {path.rstrip("/"): line.number for line, path in paths(found["scope"])}
        for line, path in paths(found["out of scope"]):
            if other := inside.get(path.rstrip("/")):
                what = f"{path} is out of scope here and in scope in line {other}"
                yield "spec.contradiction", line.number, what, None


def _vague(found: _Sections) -> Iterator[_Row]:
    for kind in _JUDGED:
        for line in found[kind].lines if kind in found else ():
            # A figure beside the word says how much.
            word = _VAGUE.search(line.prose)
            if word and not re.search(r"\d", line.prose):
                said = f"{word[0]!r}, {VAGUE[word[0].lower()]}: {line.text.strip()[:200]}"
                yield "spec.vague", line.number, said, None
