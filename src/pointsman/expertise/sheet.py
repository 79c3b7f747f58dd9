"""Reads one file of expertise: what it says, how long it is, and what is wrong with it.

A sheet is written by agents and read by agents: it may be anything. What cannot be read is said in
words, and costs no other sheet.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from pointsman.model.expertise import SECTIONS, Flaw, Weight
from pointsman.paths.content import read_regular

MOST_BYTES = 256 * 1024
"""Bytes of a sheet that is read; 750 lines are some 40 KiB."""
MOST_DEPTH = 32
MOST_NODES = 20_000
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Bounds:
    """From how many lines a sheet is long, and too long."""

    warn: int
    error: int


@dataclass(slots=True)
class Read:
    """What one file says; ``lines`` are those with something on them."""

    file: str
    sections: dict[str, Any] = field(default_factory=dict)
    lines: int = 0
    flaws: list[Flaw] = field(default_factory=list)

    def flaw(self, text: str, fix: str, line: int = 1, weight: Weight = Weight.ERROR) -> None:
        """Note something that is wrong."""
        self.flaws.append(Flaw(weight, self.file, line, text, fix))


def read_sheet(path: str, folder: str, bounds: Bounds) -> Read:
    """Return what the file at ``path`` says; ``folder`` is what it must not lead out of."""
    out = Read(path)
    text = _text(out, folder)
    if text is None:
        return out
    out.lines = sum(1 for line in text.splitlines() if line.strip())
    value = _parsed(out, text)
    if value is None:
        return out
    if not isinstance(value, dict):
        out.flaw(f"it holds a {_kind(value)} and no table of sections", "begin with overview:")
        return out
    for name, given in value.items():
        _take(out, str(name), given, text)
    _measure(out, bounds)
    return out


def missing(read: Read) -> list[Flaw]:
    """Return what a sheet leaves out: no fault, but said by ``check``."""
    left = [name for name in SECTIONS if name not in read.sections]
    if not read.sections or not left:
        return []
    text = f"{len(left)} of its {len(SECTIONS)} sections are missing: {', '.join(left)}"
    return [Flaw(Weight.WARNING, read.file, 1, text, "add what is known of them")]


def _text(out: Read, folder: str) -> str | None:
    path = out.file
    real = os.path.realpath(path)
    if real != os.path.normpath(path) and not _is_inside(real, os.path.realpath(folder)):
        out.flaw(f"it is a link to {real}, which is not followed", "put the file itself there")
        return None
    try:
        data = read_regular(path, MOST_BYTES)
    except OSError as error:
        why = error.strerror or str(error)
        out.flaw(f"it cannot be read: {why}", "mend it or take it away")
        return None
    if b"\0" in data:
        out.flaw("it is binary: it holds a NUL byte", "write YAML, in UTF-8")
        return None
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        out.flaw("it is no UTF-8", "write YAML, in UTF-8", line)
        return None


def _is_inside(path: str, folder: str) -> bool:
    return path.startswith(f"{folder.rstrip('/')}/")


def _parsed(out: Read, text: str) -> Any:
    try:
        line, why = _unbounded(text)
        if why:
            out.flaw(why, "write it out, flat and once", line)
            return None
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - the safe loader, in C where there is one
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        line = int(mark.line) + 1 if mark else 1
        out.flaw(f"it is no YAML: {problem}", "mend the line; quote what holds a colon", line)
    except (ValueError, RecursionError) as error:
        out.flaw(f"it is no YAML that can be read: {error}", "quote what is no plain text")
    return None


def _unbounded(text: str) -> tuple[int, str]:
    """Return the line on which a text goes beyond what is read, and how; or no words."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = int(event.start_mark.line) + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            # An alias can hold itself, or be a thousand texts long in ten lines.
            return line, "it has an alias (*name), and aliases are not followed"
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        nodes += isinstance(event, yaml.NodeEvent)
        if depth > MOST_DEPTH:
            return line, f"it is nested more than {MOST_DEPTH} deep"
        if nodes > MOST_NODES:
            return line, f"it has more than {MOST_NODES} values"
    return 0, ""


def _take(out: Read, name: str, given: Any, text: str) -> None:
    wanted = SECTIONS.get(name)
    line = _line_of(text, name)
    if wanted is None:
        known = ", ".join(SECTIONS)
        out.flaw(f"{name!r} is no section", f"there are {known}", line, Weight.WARNING)
    elif given is None:
        out.flaw(f"the section {name} is empty", "fill it or take it out", line, Weight.WARNING)
    elif not isinstance(given, wanted):
        needed = "a table" if wanted is dict else "a list"
        out.flaw(f"the section {name} is a {_kind(given)}", f"write {needed}", line)
    else:
        out.sections[name] = given


def _measure(out: Read, bounds: Bounds) -> None:
    if out.lines > bounds.warn:
        most, weight = (
            (bounds.error, Weight.ERROR)
            if out.lines > bounds.error
            else (bounds.warn, Weight.WARNING)
        )
        fix = "take out what is old or known from the code: first examples, then known_issues"
        out.flaw(f"it has {out.lines} lines, more than {most}", fix, out.lines, weight)


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        return "table"
    return "list" if isinstance(value, list) else type(value).__name__


def _line_of(text: str, name: str) -> int:
    found = re.search(rf"^[\"']?{re.escape(name)}[\"']?\s*:", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1
