"""Gives variables other names, everywhere in a project or nowhere, and takes that back.

A name is changed in every place that names it, or, where one of them cannot be changed, in none.
What was done is written down (names and places, no values), so that it can be undone to the byte.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman.model.errors import PreflightError
from pointsman.model.preflight import How, Project, Target, Use
from pointsman.preflight.check_env_reserved import keeps
from pointsman.preflight.environment import reader_of
from pointsman.preflight.reserved import GENERIC
from pointsman.preflight.spans import Lines

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MOST_MENTIONS = 10
_TELLS_THE_PORT = frozenset({Target.CLOUD_RUN, Target.FUNCTIONS, Target.AGENT_ENGINE})


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of one file, in bytes, and what comes in its place."""

    start: int
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done: edits by file; and which names are left, with the reason."""

    names: Mapping[str, str]
    edits: Mapping[str, tuple[Edit, ...]]
    left: Mapping[str, str]


def wanted(project: Project) -> dict[str, str]:
    """Return the names that are to be changed, with the new ones."""
    names: dict[str, str] = {}
    for use in project.uses:
        reserved = use.how is not How.READ and any(keeps(at, use.name) for at in project.targets)
        kept = any(keeps(at, use.name) for at in project.targets)
        if reserved or (use.name in GENERIC and not kept):
            names[use.name] = f"{project.prefix}{use.name.lstrip('_')}"
    return names


def plan(project: Project, names: Mapping[str, str], *, asked: bool = False) -> Plan:
    """Return what it takes to give these names; ``asked`` is whether a person named them.

    Raises:
        PreflightError: a name is none, or is to become what another is.
    """
    for old, new in names.items():
        if not _NAME.match(new) or not _NAME.match(old):
            raise PreflightError(
                f"{old}={new} is no pair of names of variables",
                fix="pointsman preflight --rename MODEL=APP_MODEL",
            )
    if len(set(names.values())) < len(names):
        raise PreflightError("two variables cannot be given one name", fix="name each its own")
    left: dict[str, str] = {}
    by_name: dict[str, list[Use]] = {}
    for use in project.uses:
        by_name.setdefault(use.name, []).append(use)
    edits: dict[str, list[Edit]] = {}
    for old, new in names.items():
        uses = by_name.get(old, [])
        why = _hindrance(project, uses, new, by_name, asked=asked)
        if why or not uses:
            left[old] = why or "nothing names it"
            continue
        for use in uses:
            text = use.form.format(new).encode()
            edits.setdefault(use.file, []).append(Edit(use.start, _piece(project, use), text))
    sorted_edits = {
        file: tuple(sorted(set(each), key=lambda edit: edit.start)) for file, each in edits.items()
    }
    return Plan({old: new for old, new in names.items() if old not in left}, sorted_edits, left)


def _piece(project: Project, use: Use) -> bytes:
    return project.files.read(use.file)[use.start : use.end]


def _hindrance(
    project: Project, uses: list[Use], new: str, by_name: Mapping[str, list[Use]], *, asked: bool
) -> str:
    taken = by_name.get(new)
    if taken:
        return f"{new} is used already: {taken[0].file}:{taken[0].line}"
    if any(keeps(at, new) for at in project.targets):
        return f"{new} is reserved as well; give --prefix another beginning"
    for use in uses:
        if not use.form:
            return f"{use.file}:{use.line}: {use.why_not}"
    reads = [use for use in uses if use.name == "PORT" and use.how is How.READ]
    if reads and not asked and _TELLS_THE_PORT.intersection(project.targets):
        return (
            f"{reads[0].file}:{reads[0].line} reads it, as it must: the platform says by PORT "
            "where to listen. Remove the setting instead"
        )
    return ""


def carry_out(root: Path, made: Plan, journal: Path) -> None:
    """Change the files, all or none, and write down how to take it back.

    Raises:
        PreflightError: a file is not what was read, or cannot be written; everything is as it was.
    """
    changes = {file: _apply((root / file).read_bytes(), edits, file)
               for file, edits in made.edits.items()}  # fmt: skip
    originals = {file: (root / file).read_bytes() for file in changes}
    entry = {
        "root": str(root), "names": dict(made.names),
        "files": {file: {"after": _digest(changes[file]), "edits": _reversed(edits)}
                  for file, edits in made.edits.items()},
    }  # fmt: skip
    _write_all(root, changes, originals)
    journal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _replace(journal, json.dumps(entry).encode())


def take_back(root: Path, journal: Path) -> dict[str, str]:
    """Undo the last renaming to the byte; return the names by what they had become.

    Raises:
        PreflightError: there is none, or a file has changed since; everything is as it was.
    """
    try:
        entry: dict[str, Any] = json.loads(journal.read_bytes())
    except (OSError, ValueError) as error:
        raise PreflightError(
            f"no renaming of {root} is on record",
            fix="give the names yourself: pointsman preflight --rename NEW=OLD",
        ) from error
    changes: dict[str, bytes] = {}
    originals: dict[str, bytes] = {}
    for file, known in entry["files"].items():
        data = (root / file).read_bytes() if (root / file).is_file() else b""
        if _digest(data) != known["after"]:
            names = " ".join(f"--rename {new}={old}" for old, new in entry["names"].items())
            raise PreflightError(
                f"{file} has changed since the names were", fix=f"pointsman preflight {names}"
            )
        edits = [Edit(at, old.encode(), new.encode()) for at, old, new in known["edits"]]
        changes[file], originals[file] = _apply(data, edits, file), data
    _write_all(root, changes, originals)
    journal.unlink()
    return {new: old for old, new in entry["names"].items()}


def _reversed(edits: Iterable[Edit]) -> list[tuple[int, str, str]]:
    """Return what takes edits back, by the places in the file that they have made."""
    moved, out = 0, []
    for edit in edits:
        out.append((edit.start + moved, edit.new.decode(), edit.old.decode()))
        moved += len(edit.new) - len(edit.old)
    return out


def _apply(data: bytes, edits: Iterable[Edit], file: str) -> bytes:
    out, at = [], 0
    for edit in edits:
        if edit.start < at or data[edit.start : edit.start + len(edit.old)] != edit.old:
            raise PreflightError(f"{file} is not what was read", fix="pointsman preflight --fix")
        out += [data[at : edit.start], edit.new]
        at = edit.start + len(edit.old)
    return b"".join((*out, data[at:]))


def _write_all(root: Path, changes: Mapping[str, bytes], originals: Mapping[str, bytes]) -> None:
    done: list[str] = []
    try:
        for file, data in changes.items():
            _replace(root / file, data)
            done.append(file)
    except OSError as error:
        for file in done:
            _replace(root / file, originals[file])
        raise PreflightError(
            f"{error.filename or file} cannot be written: {error.strerror}; nothing was changed",
            fix="look at the file's permissions",
        ) from error


def _replace(path: Path, data: bytes) -> None:
    """Put a new content in the place of the old one, in one step; the mode stays."""
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o600
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def mentions(project: Project, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return where names stand in files that nobody reads here: a person has to look."""
    found: dict[str, list[str]] = {}
    if not names:
        return found
    words = re.compile(rb"(?<![A-Za-z0-9_])(?:" + b"|".join(
        re.escape(each.encode()) for each in names) + rb")(?![A-Za-z0-9_])")  # fmt: skip
    for file in project.files.names:
        if reader_of(file) is not None:
            continue
        data = project.files.read(file)
        lines = Lines(data)
        for each in words.finditer(data):
            at = found.setdefault(each.group().decode(), [])
            if len(at) < _MOST_MENTIONS:
                at.append(f"{file}:{lines.of(each.start())}")
    return found
