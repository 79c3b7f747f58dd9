"""The kernel's hold, put together for the daemon: what works here, what is kept, the words."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pointsman.model.confinement import Confinement, Prefix, Seam
from pointsman.model.contract import Contract
from pointsman.model.places import Places
from pointsman.paths.client_command import client_command, exec_command
from pointsman.sandbox.confine import confine
from pointsman.sandbox.probe import AUTO, probe
from pointsman.sandbox.reach import Walks, confinement_of

_SETTINGS = ("settings.json", "settings.local.json", "agents", "hooks")


class Holding:
    """Holds commands to contracts by what this machine has; it is tried once, when first asked."""

    def __init__(self, places: Places, wanted: Callable[[], str] = lambda: AUTO) -> None:
        self._places = places
        self._wanted = wanted
        self._seam: Seam | None = None
        self._walks = Walks()

    @property
    def seam(self) -> Seam:
        """What was found to work."""
        if self._seam is None:
            self._seam = probe(exec_command().argv, self._wanted())
        return self._seam

    def hold(
        self, contracts: Sequence[Contract], root: str, cwd: str, environ: Mapping[str, str]
    ) -> tuple[Confinement, Prefix]:
        """Return what all of these contracts let a command change, and the words for it."""
        kept = self._kept(root, environ)
        network = all(each.network == "open" for each in contracts)
        made = confinement_of(
            contracts, root, cwd, environ, kept=kept, network=network, walks=self._walks
        )
        return made, confine(made, self.seam)

    def described(self) -> dict[str, Any]:
        """Return what ``status`` tells of it."""
        seam = self.seam
        refused = [{"mechanism": name, "reason": reason} for name, reason in seam.refused]
        return {"mechanism": seam.mechanism, "version": seam.version, "refused": refused}

    def _kept(self, root: str, environ: Mapping[str, str]) -> tuple[str, ...]:
        """Return what stays read-only whatever a contract allows: ours, and the host's settings."""
        home = environ.get("HOME") or str(Path.home())
        host = environ.get("CLAUDE_CONFIG_DIR") or f"{home}/.claude"
        ours = (str(self._places.state), str(self._places.config), f"{root}/.pointsman")
        theirs = (f"{folder}/{name}" for folder in (f"{root}/.claude", host) for name in _SETTINGS)
        programs = (client_command().argv[0], exec_command().argv[0])
        return tuple(each for each in (*ours, *theirs, *programs) if os.path.lexists(each))
