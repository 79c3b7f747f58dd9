"""Programs of ours that are started in surroundings of the test's: what both suites share."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

SHORT = {"POINTSMAN_DEADLINE_MS": "1200"}
"""For a daemon that does not answer."""
OUR_OWN_FAILURE = "Pointsman's own failure, not a policy violation; the call was stopped"


class Started:
    """Starts a program in a state directory of the test's, with no daemon but the test's."""

    def __init__(self, program: list[str], folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.state = folder / "state"

    def start(
        self, *words: str, env: Mapping[str, str] | None = None, **more: object
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end; ``more`` is for ``subprocess.run``."""
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [*self.program, *words],
            **{"capture_output": True, "timeout": 60, **more},
            env=self.environ(env),
            check=False,
        )

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the whole environment that it is given."""
        return {
            "PATH": os.environ["PATH"],
            "POINTSMAN_STATE_DIR": str(self.state),
            "POINTSMAN_DAEMON": str(self.folder / "no-such-daemon"),
            **(more or {}),
        }
