"""Codex: ``config.toml`` of the user, and of a repository that the user has trusted."""

from collections.abc import Iterator
from pathlib import Path

from pointsman.mcp_health.look import Declared, Look, entries, table_of

_SERVERS = "mcp_servers"


def declared(look: Look) -> Iterator[Declared]:
    """Yield what is declared, the strongest first."""
    home = look.environ.get("CODEX_HOME", "")
    own = (Path(home) if home.startswith("/") else look.home / ".codex") / "config.toml"
    mine = look.toml(own)
    for folder in look.folders():
        file = Path(folder, ".codex/config.toml")
        trusted = table_of(mine, "projects", folder).get("trust_level") == "trusted"
        held = "" if trusted else f"Codex does not trust {folder}: it asks when it is started there"
        for name, table in entries(look.toml(file).get(_SERVERS)):
            yield Declared(
                name=name, table=table, scope="project", file=file, root=folder, held=held
            )
    for name, table in entries(mine.get(_SERVERS)):
        yield Declared(name=name, table=table, scope="user", file=own)
