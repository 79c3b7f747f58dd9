"""Run a client where some mount is another one than everybody else's; root is needed."""

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .session import Claude
from .unavailable import HostUnavailable

_UNSHARE = ("unshare", "-m", "--propagation", "private", "sh", "-ec")


def within(mounts: str, *command: str) -> list[str]:
    """Return the words that run a command behind these mounts, shell commands for ``mount``."""
    return [*_UNSHARE, f'{mounts}; exec "$@"', "sh", *command]


def wrap(claude: Claude, folder: Path, mounts: str) -> None:
    """Have a client run behind these mounts from now on.

    Raises:
        HostUnavailable: no private mounts can be had here.
    """
    probe = subprocess.run(within(mounts, "true"), capture_output=True, text=True, check=False)
    if probe.returncode:
        raise HostUnavailable(f"no private mounts can be had here: {probe.stderr.strip()}")
    program = folder / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {_quoted(within(mounts, str(claude.binary)))} "$@"\n')
    program.chmod(0o755)
    claude.binary = program


def _quoted(words: Sequence[str]) -> str:
    return " ".join(map(shlex.quote, words))
