"""Every host whose MCP servers are found, in one table."""

from collections.abc import Callable, Iterator, Mapping

from pointsman.mcp_health.hosts import claude_code, codex, editors, gemini
from pointsman.mcp_health.look import Declared, Look

HOSTS: Mapping[str, Callable[[Look], Iterator[Declared]]] = {
    "claude-code": claude_code.declared,
    "codex": codex.declared,
    "gemini": gemini.declared,
    "qwen": gemini.declared_by_qwen,
    "cursor": editors.cursor,
    "vscode": editors.vscode,
    "windsurf": editors.windsurf,
    "copilot": editors.copilot,
    "droid": editors.droid,
    "opencode": editors.opencode,
}
"""A new host is one file and one line here."""
