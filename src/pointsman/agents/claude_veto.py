"""Whether a change of Claude Code's settings would take our guards out of a running session.

A refused change is not applied: the client goes on with the settings it has (measured with
2.1.330, for a file that is emptied, deleted, broken, moved away, or told to disable all hooks).
"""

import json
from collections.abc import Mapping
from pathlib import Path

from pointsman.agents.claude_events import GUARDS
from pointsman.agents.claude_findings import findings
from pointsman.agents.claude_settings import SCOPES, our_events, settings_file
from pointsman.model.event import Event
from pointsman.model.events import ConfigChange

_SOURCES = {
    "project_settings": "project",
    "local_settings": "local",
    "user_settings": "user",
    "policy_settings": "managed",
}
_WEAKENED = "our hook "


def fault_of_change(event: Event, home: str) -> str:
    """Return what a change of settings would do to our guards, or the empty string."""
    if not isinstance(event, ConfigChange):
        return ""
    texts = _texts(event, home)
    scope = _SOURCES.get(event.source, "")
    mine = {scope: texts[scope]} if scope in texts else {}
    for problem in findings(mine, None):
        if problem.key == "disableAllHooks" or problem.message.startswith(_WEAKENED):
            return f"{problem.file}:{problem.line}: {problem.key} {problem.message}"
    lost = [name for name in GUARDS if name not in _registered(texts)]
    if not lost:
        return ""
    state = "is gone" if mine and mine[scope][1] is None else "no longer registers them"
    names = ", ".join(lost)
    return f"no settings file would register Pointsman for {names}: {event.file_path} {state}"


def _texts(event: ConfigChange, home: str) -> dict[str, tuple[str, bytes | None]]:
    repository = Path(event.identity.repository or event.identity.cwd or "/")
    environ = {"CLAUDE_CONFIG_DIR": event.host_config}
    files = {scope: settings_file(scope, repository, environ, Path(home)) for scope in SCOPES}
    scope = _SOURCES.get(event.source)
    if scope is not None and event.file_path:
        files[scope] = Path(event.file_path)
    return {scope: (str(file), _read(file)) for scope, file in files.items()}


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _registered(texts: Mapping[str, tuple[str, bytes | None]]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for _, data in texts.values():
        try:
            settings = json.loads(data) if data else {}
        except (ValueError, RecursionError):
            continue  # The client ignores such a file as a whole.
        if isinstance(settings, dict):
            found |= our_events(settings)
    return found
