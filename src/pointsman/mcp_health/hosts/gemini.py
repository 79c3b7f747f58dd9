"""Gemini CLI, and Qwen Code, which has its files under another name: ``settings.json``."""

from collections.abc import Iterator
from pathlib import Path

from pointsman.mcp_health.expand import GEMINI
from pointsman.mcp_health.look import Declared, Look, entries, table_of, texts

_SERVERS = "mcpServers"


def declared(look: Look) -> Iterator[Declared]:
    """Yield what Gemini CLI has."""
    return _of(look, ".gemini", look.etc / "gemini-cli/settings.json")


def declared_by_qwen(look: Look) -> Iterator[Declared]:
    """Yield what Qwen Code has."""
    return _of(look, ".qwen", look.etc / "qwen-code/settings.json")


def _of(look: Look, folder_name: str, system: Path) -> Iterator[Declared]:
    trusted = look.json(look.home / folder_name / "trustedFolders.json")
    files = [("system", system, "", "")]
    for folder in look.folders():
        said = trusted.get(folder) in {"TRUST_FOLDER", "TRUST_PARENT"}
        held = "" if said else f"{folder} is no trusted folder: /permissions trust, in the agent"
        files.append(("project", Path(folder, folder_name, "settings.json"), folder, held))
    files.append(("user", look.home / folder_name / "settings.json", "", ""))
    for scope, file, root, held in files:
        settings = look.json(file)
        allowed = table_of(settings, "mcp").get("allowed")
        excluded = texts(table_of(settings, "mcp").get("excluded"))
        for name, table in entries(settings.get(_SERVERS)):
            off = name in excluded or (isinstance(allowed, list) and name not in allowed)
            yield Declared(
                name=name, table={**table, "disabled": True} if off else table, scope=scope,
                file=file, root=root, held=held, style=GEMINI,
            )  # fmt: skip
