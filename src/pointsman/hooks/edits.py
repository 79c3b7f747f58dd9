"""Which files a file tool's call would change."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from pointsman.model.errors import PayloadError
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


def edited_paths(
    tool: str, tool_input: Mapping[str, Any], writers: Iterable[McpWriter] = ()
) -> tuple[str, ...] | None:
    """Return the paths that this call changes, or ``None`` for a tool that edits no files.

    Raises:
        PayloadError: an editing tool's input does not name a file.
    """
    key = FILE_TOOLS.get(tool)
    if key is not None:
        return (_path(tool, tool_input, key),)
    if not tool.startswith("mcp__"):
        return None
    # All that match count: a repository's entry could else hide the input that names the file.
    keys = dict.fromkeys(
        key
        for writer in (*writers, *DEFAULT_MCP_WRITERS)
        if fnmatchcase(tool, writer.tool)
        for key in writer.paths
    )
    return tuple(_path(tool, tool_input, key) for key in keys) or None


def _path(tool: str, tool_input: Mapping[str, Any], key: str) -> str:
    value = tool_input.get(key)
    if not isinstance(value, str) or not value:
        raise PayloadError(
            f"{tool} edits a file, but its input {key} = {value!r} names none",
            fix="pointsman explain",
        )
    return value
