"""What in a session is new: contents of files that were not there before, results of tests."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.model.event import Event
from pointsman.model.events import PostToolUse, PostToolUseFailure
from pointsman.watch.fingerprint import fingerprint, outcome

_MOST = 1024
_WRITING = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit"})
_TESTS = re.compile(
    r"\b(?:pytest|tox|nox|unittest|jest|vitest|mocha|ava|phpunit|rspec|ctest|tap|bats|go\s+(?:test|"
    r"vet|build)|cargo\s+(?:test|nextest|check|build|clippy)|(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?"
    r"(?:test|build|lint|check)\S*|make\b|gradlew?|mvn|dotnet\s+(?:test|build)|swift\s+(?:test|"
    r"build)|mix\s+test|tsc|mypy|ruff|eslint|flake8|pylint|pyright)\b"
)
"""Programs that say whether the work is right: tests, builds, checkers."""
_MOST_COMMAND = 4096
_MOST_EDITED = 32
_MOST_HUNKS = 64


@dataclass(slots=True)
class Progress:
    """Remembers, in constant memory, what a session has come by."""

    _known: OrderedDict[int, None] = field(default_factory=OrderedDict)

    def is_fresh(self, event: Event, result: int) -> bool:
        """Whether an event brings something that the session did not have, learning from it."""
        if isinstance(event, PostToolUse):
            given = state_after(event) if event.tool_name in _WRITING else None
            content = given[1] if given else _read(event)
            if content:
                return self._add(content)
            edits = [fingerprint(["edit", each.path, each.change]) for each in shell_edits(event)]
            # All of them are to be known from now on, also where the first is new.
            new = sum(map(self._add, edits))
            if new:
                return True
        if isinstance(event, PostToolUse | PostToolUseFailure) and is_check(event.tool_input):
            return self._add(fingerprint(["check", result]))
        return False

    def _add(self, content: int) -> bool:
        fresh = content not in self._known
        self._known[content] = None
        self._known.move_to_end(content)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return fresh


def is_check(given: Mapping[str, Any]) -> bool:
    """Whether a call runs tests, a build or a checker."""
    command = given.get("command")
    return isinstance(command, str) and bool(_TESTS.search(command[:_MOST_COMMAND]))


@dataclass(frozen=True, slots=True)
class ShellEdit:
    """What a shell command has changed in one file: numbers for the change, and for it undone."""

    path: str
    change: int
    undone: int


def shell_edits(event: PostToolUse) -> list[ShellEdit]:
    """Return what the host says that a shell command has changed, at most so many files of it."""
    told = event.tool_response
    diff = told.get("bashEditDiff") if isinstance(told, Mapping) else None
    files = diff.get("files") if isinstance(diff, Mapping) else None
    edits = []
    for file in files[:_MOST_EDITED] if isinstance(files, list) else ():
        path = file.get("filePath") if isinstance(file, Mapping) else None
        if isinstance(path, str):
            change, undone = _changes(file.get("hunks"))
            if change == undone:
                continue  # Nothing is said of what has changed.
            edits.append(ShellEdit(path, fingerprint(change), fingerprint(undone)))
    return edits


def _changes(hunks: Any) -> tuple[list[Any], list[Any]]:
    """Return what the hunks of a diff take away and put there, and the same the other way round."""
    change, undone = [], []
    for hunk in hunks[:_MOST_HUNKS] if isinstance(hunks, list) else ():
        if not isinstance(hunk, Mapping):
            continue
        given = hunk.get("lines")
        lines = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
        gone = [one[1:] for one in lines if one.startswith("-")]
        come = [one[1:] for one in lines if one.startswith("+")]
        before, after = hunk.get("oldStart"), hunk.get("newStart")
        change.append([before, after, gone, come])
        undone.append([after, before, come, gone])
    return change, undone


def _read(event: PostToolUse) -> int:
    """Return a number for the content that a call has read from a file, 0 where it has read none.

    Where the host says nothing of it the whole result stands for it.
    """
    if event.tool_name not in {"Read", "NotebookRead"}:
        return 0
    given = event.tool_response
    file = given.get("file") if isinstance(given, Mapping) else None
    return fingerprint(["content", file if isinstance(file, Mapping) else given])


def state_after(event: PostToolUse) -> tuple[str, int] | None:
    """Return the file that a call has written, and a number for what it holds now.

    As the host tells it: the content of a ``Write``, the text before an ``Edit`` with the change
    made. ``None`` where it tells neither.
    """
    given, told = event.tool_input, event.tool_response
    path = given.get("file_path", given.get("notebook_path"))
    if not isinstance(path, str):
        return None
    content = given.get("content")
    if isinstance(content, str):
        return path, fingerprint(["content", content])
    before = told.get("originalFile") if isinstance(told, Mapping) else None
    old, new = given.get("old_string"), given.get("new_string")
    if isinstance(before, str) and isinstance(old, str) and isinstance(new, str) and old:
        after = before.replace(old, new, -1 if given.get("replace_all") else 1)
        return path, fingerprint(["content", after])
    return path, fingerprint(["edit", path, outcome(given)])
