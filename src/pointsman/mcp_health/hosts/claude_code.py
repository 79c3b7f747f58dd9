"""Claude Code: its own file (per user and per project) and the repository's ``.mcp.json``.

Measured with client 2.1.330: ``.claude.json`` lies in the home, or where ``CLAUDE_CONFIG_DIR``
says; a person at a terminal is asked once about a repository's servers, and the answer stands under
``projects.<directory>`` of that file; a run that nobody sits at starts them without asking.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pointsman.mcp_health.expand import CLAUDE
from pointsman.mcp_health.look import Declared, Look, entries, table_of, texts

_SERVERS = "mcpServers"
_ASKED = (
    "nobody has approved this server of the repository: start claude here and answer its "
    "question, or try it once: pointsman mcp-health --unapproved"
)
_REFUSED = "a person has refused this server of the repository"


def declared(look: Look) -> Iterator[Declared]:
    """Yield what is declared, the strongest first."""
    managed = look.etc / "claude-code/managed-mcp.json"
    for name, table in entries(look.json(managed).get(_SERVERS)):
        yield _of(name, table, "managed", managed, wins=True)
    base = Path(look.host_config) if look.host_config.startswith("/") else look.home
    own = base / ".claude.json"
    mine = look.json(own)
    for folder in look.folders():
        for name, table in entries(table_of(mine, "projects", folder, _SERVERS)):
            yield _of(name, table, "local", own, root=folder)
    for folder in look.folders():
        file = Path(folder, ".mcp.json")
        approved = _Approvals(look, folder, mine, base)
        for name, table in entries(look.json(file).get(_SERVERS)):
            yield _of(name, table, "project", file, root=folder, held=approved.held(name))
    for name, table in entries(mine.get(_SERVERS)):
        yield _of(name, table, "user", own)


def _of(name: str, table: Mapping[str, Any], scope: str, file: Path, **more: Any) -> Declared:
    return Declared(name=name, table=table, scope=scope, file=file, style=CLAUDE, **more)


class _Approvals:
    """What a person has said of a repository's servers."""

    def __init__(self, look: Look, folder: str, mine: Mapping[str, Any], base: Path) -> None:
        project = table_of(mine, "projects", folder)
        home = base if look.host_config.startswith("/") else look.home / ".claude"
        said = [project, look.json(home / "settings.json")]
        if project.get("hasTrustDialogAccepted") is True:
            # Files of the repository: they count once a person has trusted it as a whole.
            files = ("settings.local.json", "settings.json")
            said += [look.json(Path(folder, ".claude", name)) for name in files]
        self._all = any(each.get("enableAllProjectMcpServers") is True for each in said)
        self._yes = {name for each in said for name in texts(each.get("enabledMcpjsonServers"))}
        self._no = {name for each in said for name in texts(each.get("disabledMcpjsonServers"))}
        self._attended = look.attended

    def held(self, name: str) -> str:
        """Return why this server may not be started by us: the host would not either."""
        if name in self._no:
            return _REFUSED
        started = self._all or name in self._yes or not self._attended
        return "" if started else _ASKED
