"""Agents that keep one JSON file for the user and one for the project.

What a person has approved of a project's file is in none that others may rely on, so that its
servers are probed on request alone.
"""

from collections.abc import Iterator
from pathlib import Path

from pointsman.mcp_health.expand import BRACES, EDITOR
from pointsman.mcp_health.look import Declared, Look, entries

_HELD = "whether {} starts it cannot be told: try it once with pointsman mcp-health --unapproved"


def cursor(look: Look) -> Iterator[Declared]:
    """Yield what Cursor has."""
    return _of(look, "Cursor", ".cursor/mcp.json", ".cursor/mcp.json", "mcpServers")


def vscode(look: Look) -> Iterator[Declared]:
    """Yield what Visual Studio Code has."""
    own = ".config/Code/User/mcp.json"
    return _of(look, "VS Code", ".vscode/mcp.json", own, "servers")


def windsurf(look: Look) -> Iterator[Declared]:
    """Yield what Windsurf has."""
    return _of(look, "Windsurf", "", ".codeium/windsurf/mcp_config.json", "mcpServers")


def copilot(look: Look) -> Iterator[Declared]:
    """Yield what Copilot CLI has."""
    return _of(look, "Copilot", "", ".copilot/mcp-config.json", "mcpServers")


def droid(look: Look) -> Iterator[Declared]:
    """Yield what Factory's Droid has."""
    return _of(look, "Droid", ".factory/mcp.json", ".factory/mcp.json", "mcpServers")


def opencode(look: Look) -> Iterator[Declared]:
    """Yield what opencode has."""
    own = ".config/opencode/opencode.json"
    return _of(look, "opencode", "opencode.json", own, "mcp", style=BRACES)


def _of(
    look: Look, who: str, project: str, user: str, key: str, *, style: str = EDITOR
) -> Iterator[Declared]:
    for folder in look.folders() if project else ():
        file = Path(folder, project)
        for name, table in entries(look.json(file).get(key)):
            yield Declared(
                name=name, table=table, scope="project", file=file, root=folder,
                held=_HELD.format(who), style=style,
            )  # fmt: skip
    own = look.home / user
    for name, table in entries(look.json(own).get(key)):
        yield Declared(name=name, table=table, scope="user", file=own, style=style)
