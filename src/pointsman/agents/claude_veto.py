"""Whether a change of Claude Code's settings would take our hooks out of a running session.

A refused change is not applied: the client goes on with the settings it has (measured with
2.1.330, for a file that is emptied, deleted, broken, moved away, against its schema, or told to
disable all hooks).
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pointsman.agents.claude_events import EVENTS, GUARDS, Version
from pointsman.agents.claude_findings import (
    findings,
    ignores_file,
    leads_away,
    silences,
    weakens,
)
from pointsman.agents.claude_seam import VARIABLE, argv_of, value_in
from pointsman.agents.claude_settings import SCOPES, our_events, settings_file
from pointsman.agents.settings_write import Notes
from pointsman.model.event import Event
from pointsman.model.events import ConfigChange
from pointsman.model.places import Places

Texts = Mapping[str, tuple[str, bytes | None]]
"""Scope to the file's name and its bytes, as ``findings`` takes them."""

_SOURCES = {
    "project_settings": "project",
    "local_settings": "local",
    "user_settings": "user",
    "policy_settings": "managed",
}
# Guards first, as only the first few of what is lost are shown.
_ORDER = (*GUARDS, *(name for name in EVENTS if name not in GUARDS))
_SHOWN = 5
_TRANSCRIPT_BYTES = 256 * 1024
_VERSION = re.compile(rb'"version":"(\d{1,6})\.(\d{1,6})\.(\d{1,6})"')


def fault_of_change(event: Event, home: str, places: Places | None = None) -> str:
    """Return what a change of settings would do to our hooks, or the empty string.

    ``places`` hold the notes of what ``init`` has put where: without them only hooks are looked at.
    """
    if not isinstance(event, ConfigChange):
        return ""
    texts = _texts(event, home)
    scope = _SOURCES.get(event.source, "")
    # Only the file that changes: a fault that stood elsewhere before is not this change's.
    mine = {scope: texts[scope]} if scope in texts else {}
    for problem in findings(mine, _version(event.transcript_path)):
        if problem.key == "disableAllHooks" or weakens(problem) or leads_away(problem):
            return f"{problem.file}:{problem.line}: {problem.key} {problem.message}"
    ungated = _ungated(texts, scope, Notes(places)) if places is not None else ""
    if ungated:
        return ungated
    # All files: what another scope still registers is not lost.
    registered = _registered(texts)
    lost = [name for name in _ORDER if name not in registered]
    if not lost:
        return ""
    more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    names = ", ".join(lost[:_SHOWN]) + more
    return f"no settings file would register Pointsman for {names}: {_why(event, mine)}"


def _ungated(texts: Texts, scope: str, notes: Notes) -> str:
    """Say whether a change takes the program out that stands before every shell command.

    A value of the user's own is none of our business where ``init`` has put nothing of ours.
    """
    seams = {
        each for each, (name, _) in texts.items() if (note := notes.of(Path(name))) and note.seam
    }
    if scope not in texts or not seams:
        return ""
    name, data = texts[scope]
    value = value_in(_parsed(data))
    if argv_of(value) is not None or (value is None and scope not in seams):
        return ""
    what = "is gone from its env" if value is None else f"would be {str(value)[:80]!r}"
    return f"{name}: {VARIABLE}, which leads shell commands through pointsman-exec, {what}"


def _parsed(data: bytes | None) -> Mapping[str, Any]:
    try:
        value = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, Mapping) else {}


def hooks_in_force(repository: str, host_config: str, home: str) -> bool:
    """Whether the settings, as they stand, start our guards before every tool call."""
    environ = {"CLAUDE_CONFIG_DIR": host_config}
    files = {scope: settings_file(scope, Path(repository), environ, Path(home)) for scope in SCOPES}
    texts = {scope: (str(file), _read(file)) for scope, file in files.items()}
    off = any(
        problem.key == "disableAllHooks" or weakens(problem) or leads_away(problem)
        for problem in findings(texts, None)
    )
    return not off and "PreToolUse" in _registered(texts)


def _why(event: ConfigChange, mine: Texts) -> str:
    """Say what became of the file that was changed."""
    for name, data in mine.values():
        if data is None:
            return f"{name} is gone"
        for problem in findings(mine, None):
            if ignores_file(problem) or silences(problem):
                return f"{problem.file}:{problem.line}: {problem.key} {problem.message}"
    return f"{event.file_path} no longer registers them"


def _texts(event: ConfigChange, home: str) -> Texts:
    repository = Path(event.identity.repository or event.identity.cwd or "/")
    # The session's directory, not that of whichever session started the daemon.
    environ = {"CLAUDE_CONFIG_DIR": event.host_config}
    files = {scope: settings_file(scope, repository, environ, Path(home)) for scope in SCOPES}
    scope = _SOURCES.get(event.source)
    if scope is not None and event.file_path:
        # The file that the host names counts, not where we would have looked for it.
        files[scope] = Path(event.file_path)
    return {scope: (str(file), _read(file)) for scope, file in files.items()}


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _registered(texts: Texts) -> frozenset[str]:
    """Return the events that the client would still start us for."""
    found: frozenset[str] = frozenset()
    for scope, (name, data) in texts.items():
        if data is None:
            continue
        problems = findings({scope: (name, data)}, None)
        if not any(map(ignores_file, problems)):
            silent = {problem.key.split(".")[1] for problem in problems if silences(problem)}
            # It parses: a file that does not is one that the client ignores.
            found |= our_events(json.loads(data)) - silent
    return found


def _version(transcript: str) -> Version | None:
    """Return the version of the client that runs this session, as its transcript says it."""
    try:
        with Path(transcript).open("rb") as file:
            file.seek(0, 2)
            # Only the end, as transcripts grow; searched and not parsed, as that may begin within
            # a line.
            file.seek(max(0, file.tell() - _TRANSCRIPT_BYTES))
            found = _VERSION.findall(file.read(_TRANSCRIPT_BYTES))
    except (OSError, ValueError):
        return None
    return tuple(map(int, found[-1])) if found else None
