"""Which files a file tool's call would change."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from pointsman.model.errors import PayloadError
from pointsman.model.event import Event, ToolEvent
from pointsman.model.policy import McpWriter

FILE_TOOLS: Mapping[str, str] = {
    "Write": "file_path",
    "Edit": "file_path",
    "MultiEdit": "file_path",
    "NotebookEdit": "notebook_path",
}
"""The host's own tools that edit files, with the input that names the file."""

DEFAULT_MCP_WRITERS = (
    McpWriter(tool="mcp__filesystem__write_file", paths=("path",)),
    McpWriter(tool="mcp__filesystem__edit_file", paths=("path",)),
    McpWriter(tool="mcp__filesystem__create_directory", paths=("path",)),
    McpWriter(tool="mcp__filesystem__move_file", paths=("source", "destination")),
    McpWriter(tool="mcp__serena__create_text_file", paths=("relative_path",)),
    McpWriter(tool="mcp__serena__replace_*", paths=("relative_path",)),
    McpWriter(tool="mcp__serena__insert_*", paths=("relative_path",)),
    McpWriter(tool="mcp__serena__delete_lines", paths=("relative_path",)),
)
"""Writers of well-known MCP servers; ``[[mcp_writers]]`` in the settings adds others."""

_FILE_SERVERS = ("mcp__*filesystem*__", "mcp__*file_system*__", "mcp__fs__", "mcp__*_fs__")
VERBS = (
    "write", "edit", "create", "move", "copy", "rename", "delete", "remove", "append", "insert",
    "replace", "patch", "update", "modify", "touch", "mkdir", "truncate", "save", "apply",
)  # fmt: skip
"""How the tools of a server for files that change one begin, whatever the server is called."""
_PATH_KEYS = (
    "path", "paths", "file_path", "file_paths", "filePath", "file", "files", "filename", "uri",
    "source", "sources", "destination", "target", "from", "to", "old_path", "new_path",
    "relative_path", "directory",
)  # fmt: skip
_MOST_PATHS = 4096


def edited_paths(
    tool: str, tool_input: Mapping[str, Any], writers: Iterable[McpWriter] = ()
) -> tuple[str, ...] | None:
    """Return the paths that this call changes, or ``None`` for a tool that edits no files.

    Every declaration that fits a tool counts: one more of them never hides a path.

    Raises:
        PayloadError: an editing tool's input does not name a file.
    """
    key = FILE_TOOLS.get(tool)
    if key is not None:
        return _own(tool, tool_input, key)
    if not tool.startswith("mcp__"):
        return None
    found: list[str] = []
    fitting = [each for each in (*writers, *DEFAULT_MCP_WRITERS) if fnmatchcase(tool, each.tool)]
    for writer in fitting:
        for name in writer.paths:
            found += _needed(tool, tool_input, name)
    if _changes_files(tool):
        found += [path for name in _PATH_KEYS for path in _paths(tool_input.get(name))]
        if not found:
            raise _nameless(tool, "path", None)
    return _bounded(tool, found) if fitting or found else None


def written_paths(event: Event, writers: Iterable[McpWriter]) -> tuple[str, ...]:
    """Return the paths of an edit as the host wrote them, or as the event has them.

    A canonical path no longer says that it could not be looked up; the written one does.

    Raises:
        PayloadError: the call's input names no file.
    """
    if isinstance(event, ToolEvent) and event.tool_input:
        return edited_paths(event.tool_name, event.tool_input, writers) or event.paths
    return event.paths


def _own(tool: str, tool_input: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the file of one of the host's own tools, and those of the edits listed in it."""
    edits = tool_input.get("edits") if tool == "MultiEdit" else None
    inner = [
        _one(tool, f"edits[].{key}", edit[key])
        for edit in (edits if isinstance(edits, list) else ())
        if isinstance(edit, Mapping) and key in edit
    ]
    if inner and key not in tool_input:
        return _bounded(tool, inner)
    return _bounded(tool, [_one(tool, key, tool_input.get(key)), *inner])


def _needed(tool: str, tool_input: Mapping[str, Any], key: str) -> list[str]:
    found = list(_paths(tool_input.get(key)))
    if not found:
        raise _nameless(tool, key, tool_input.get(key))
    return found


def _one(tool: str, key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _nameless(tool, key, value)
    return value


def _paths(value: object) -> Iterator[str]:
    """Yield the paths in a value: a text, a list of them, or a list of tables that hold some."""
    if isinstance(value, str) and value:
        yield unquote(value.removeprefix("file://")) if value.startswith("file://") else value
    elif isinstance(value, list):
        for item in value:
            inner = item if isinstance(item, Mapping) else {"path": item}
            yield from (
                path
                for key in _PATH_KEYS
                if isinstance(inner.get(key), str)
                for path in _paths(inner[key])
            )


def _changes_files(tool: str) -> bool:
    server, _, name = tool.rpartition("__")
    return name.startswith(VERBS) and any(
        fnmatchcase(f"{server}__", pattern) for pattern in _FILE_SERVERS
    )


def _bounded(tool: str, paths: list[str]) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(paths))
    if len(unique) > _MOST_PATHS:
        raise PayloadError(
            f"{tool} names {len(unique)} files; at most {_MOST_PATHS} are looked at",
            fix="let the agent do it in smaller steps",
        )
    return unique


def _nameless(tool: str, key: str, value: object) -> PayloadError:
    shown = repr(value)[:120]
    return PayloadError(
        f"{tool} edits a file, but its input {key} = {shown} names none", fix="pointsman explain"
    )
