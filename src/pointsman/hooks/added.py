"""The text that a call would add to files, with what is in them now."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.hooks.edits import written_paths
from pointsman.model.events import PreEdit
from pointsman.model.policy import Policy
from pointsman.paths.content import read_regular

_MOST_READ = 4 * 1024 * 1024
_MOST_TEXT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Added:
    """A text for a file: ``line`` is where its first line will stand, 0 where that is unknown.

    ``before`` is what was there: what stands in it already is not added.
    """

    path: str
    text: str
    before: str
    line: int = 0


def added_texts(event: PreEdit, policy: Policy) -> Iterator[Added]:
    """Yield what a call of a tool that edits files would write, for each file and place.

    Raises:
        PayloadError: the call's input names no file.
    """
    given = event.tool_input
    names = written_paths(event, policy.mcp_writers)
    path = names[0] if names else ""
    before = _present(path, event.identity.cwd)
    if event.tool_name == "Write":
        yield Added(path, _text(given.get("content")), before, 1)
    elif event.tool_name == "Edit":
        yield _edited(path, before, given)
    elif event.tool_name == "MultiEdit":
        edits = given.get("edits")
        for edit in edits if isinstance(edits, list) else ():
            if isinstance(edit, Mapping):
                own = edit.get("file_path")
                where = own if isinstance(own, str) else path
                yield _edited(where, _present(where, event.identity.cwd), edit)
    elif event.tool_name == "NotebookEdit":
        yield Added(path, _text(given.get("new_source")), before)
    else:
        everything = "\n".join(_present(name, event.identity.cwd) for name in names[:64])
        yield Added(path, "\n".join(strings(given))[:_MOST_TEXT], everything)


def _edited(path: str, before: str, edit: Mapping[str, Any]) -> Added:
    """Return the lines that an edit changes as they will be: a value alone says little."""
    old, new = _text(edit.get("old_string")), _text(edit.get("new_string"))
    at = before.find(old) if old else -1
    if at < 0:
        return Added(path, new, f"{before}\n{old}")
    start = before.rfind("\n", 0, at) + 1
    end = before.find("\n", at + len(old))
    after = before[at + len(old) : end if end >= 0 else None]
    line = before.count("\n", 0, start) + 1
    return Added(path, before[start:at] + new + after, before, line)


def _present(path: str, cwd: str) -> str:
    try:
        data = read_regular(os.path.join(cwd or "/", path), _MOST_READ)  # noqa: PTH118
    except (OSError, ValueError):
        # Not there, or not to be read: then all of it is new.
        return ""
    return data.decode("utf-8", "replace")


def _text(value: object) -> str:
    return value[:_MOST_TEXT] if isinstance(value, str) else ""


def strings(value: object) -> Iterator[str]:
    """Yield the texts of an input, however deep; the names of keys give a value its meaning."""
    left: list[tuple[str, object]] = [("", value)]
    while left:
        key, each = left.pop()
        if isinstance(each, str):
            yield f"{key}: {each}" if key else each
        elif isinstance(each, Mapping):
            left += [(str(name), inner) for name, inner in each.items()]
        elif isinstance(each, list):
            left += [(key, inner) for inner in each]
