"""The kernel's hold as one service: found out once, then asked for each command."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from pointsman.model.confinement import Confinement, Prefix, Seam
from pointsman.model.contract import Contract
from pointsman.model.places import Places
from pointsman.sandbox.confine import confine
from pointsman.sandbox.probe import AUTO, probe
from pointsman.sandbox.reach import confinement_of

_IN_REPOSITORY = (
    ".pointsman", ".claude/settings.json", ".claude/settings.local.json", ".claude/agents",
    ".claude/hooks", ".mcp.json",
)  # fmt: skip
"""What says who may do what: read-only where a contract would allow the directory around it."""
_IN_HOME = (".claude/settings.json", ".claude/agents", ".claude.json")


class Kernel:
    """Holds commands by what works on this machine, which is tried at the first command.

    ``client`` are the words that start ``pointsman-exec``, absolute; ``kept`` returns further
    files of a repository that stay read-only, such as the settings and contracts that were read.
    """

    def __init__(
        self,
        client: Sequence[str],
        places: Places,
        *,
        wanted: str = AUTO,
        kept: Callable[[str], Iterable[str]] = lambda _root: (),
    ) -> None:
        self._client = tuple(client)
        self._places = places
        self._wanted = wanted
        self._kept = kept
        self._seam: Seam | None = None

    @property
    def seam(self) -> Seam:
        """What holds commands here; the first time it is asked for, it is tried."""
        if self._seam is None:
            self._seam = probe(self._client, self._wanted)
        return self._seam

    def hold(
        self,
        contracts: Sequence[Contract],
        root: str,
        cwd: str,
        environ: Mapping[str, str],
        *,
        network: bool = True,
    ) -> tuple[Confinement, Prefix]:
        """Return what all of these contracts let a command change, and the words that hold it.

        ``environ`` is the command's own, without ``env.``; see ``reach.confinement_of``.
        """
        home = environ.get("HOME") or os.path.expanduser("~")
        host = environ.get("CLAUDE_CONFIG_DIR", "")
        kept = [
            str(self._places.socket), str(self._places.state), str(self._places.config),
            *(f"{root}/{name}" for name in _IN_REPOSITORY),
            *(f"{home}/{name}" for name in _IN_HOME),
            *((f"{host}/settings.json", f"{host}/agents") if host.startswith("/") else ()),
            *self._kept(root),
        ]  # fmt: skip
        confinement = confinement_of(contracts, root, cwd, environ, kept=kept, network=network)
        return confinement, confine(confinement, self.seam)
