"""What follows on an event: indexes are brought up to date, and what was not heard is forgotten."""

from collections.abc import Callable, Mapping

from pointsman.model.bundle import Change, Told
from pointsman.model.decision import Action, Decision
from pointsman.model.event import Event
from pointsman.model.events import (
    PostCompact,
    PostToolUse,
    PostToolUseFailure,
    PreToolUse,
    SessionEnd,
    SessionStart,
)
from pointsman.paths.canonical import canonical
from pointsman.paths.repository import repository_root

_FILES = ("file_path", "notebook_path", "path", "relative_path")
_ANYTHING = frozenset({"Bash", "BashOutput", "Task"})
_FORGETS = frozenset({"clear", "compact"})


class Following:
    """Lets the index and the memories follow what happens. Quick; nothing of it waits."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._of: Mapping[type[Event], Callable[[Event, Decision], None]] = {
            SessionStart: self._begins,
            SessionEnd: self._forgets,
            PostCompact: self._forgets,
            PreToolUse: self._is_about_to,
            PostToolUse: self._has_done,
            PostToolUseFailure: self._has_done,
        }

    def follow(self, event: Event, decision: Decision) -> None:
        """Take in an event that has been answered."""
        then = self._of.get(type(event))
        if then is not None:
            then(event, decision)

    def _begins(self, event: Event, _decision: Decision) -> None:
        if isinstance(event, SessionStart) and event.source in _FORGETS:
            self._told.forget(event.identity.session)
        if event.identity.repository:
            self._told.begun(event.identity.repository)

    def _forgets(self, event: Event, _decision: Decision) -> None:
        self._told.forget(event.identity.session)

    def _is_about_to(self, event: Event, decision: Decision) -> None:
        if decision.action is not Action.DENY or not isinstance(event, PreToolUse):
            return
        # A refusal carries no context: what was told with it has not been heard.
        for root, path in _placed(event):
            listener = f"{event.identity.session}/{event.identity.agent_id or ''}"
            self._told.taken_back(listener, Change(root, path))

    def _has_done(self, event: Event, _decision: Decision) -> None:
        if not isinstance(event, PostToolUse | PostToolUseFailure):
            return
        if event.tool_name in _ANYTHING and event.identity.repository:
            self._told.changed(event.identity.repository, None)
        elif event.tool_name not in {"Read", "Glob", "Grep"}:
            for root, path in _placed(event):
                self._told.changed(root, [path])


def _placed(event: PreToolUse | PostToolUse | PostToolUseFailure) -> list[tuple[str, str]]:
    """Return root and path of each file that a call names."""
    out = []
    for name in _FILES:
        value = event.tool_input.get(name)
        if isinstance(value, str) and value:
            file = canonical(value, event.identity.cwd).path
            root = repository_root(file.rpartition("/")[0]) or event.identity.repository
            if root and file.startswith(f"{root}/"):
                out.append((root, file[len(root) + 1 :]))
    return out
