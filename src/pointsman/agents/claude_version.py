"""Which Claude Code is installed here, and in which version."""

import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pointsman.model.errors import HostError

ANSWERS_WITHIN = 10.0
"""Seconds for ``claude --version``; it takes less than one."""

_FIX = "npm install -g @anthropic-ai/claude-code, then type the same command again"
_VERSION = re.compile(rb"(?<![\d.])(\d{1,6})\.(\d{1,6})\.(\d{1,6})")
_IN_HOME = (".local/bin/claude", ".claude/local/claude", ".npm-global/bin/claude")
ELSEWHERE = ("/usr/local/bin/claude", "/usr/bin/claude", "/opt/homebrew/bin/claude")


@dataclass(frozen=True, slots=True)
class Client:
    """An installed client; ``version`` is ``None`` where it did not say, for ``problem``."""

    path: Path
    version: tuple[int, ...] | None
    problem: str = ""


def installed(
    environ: Mapping[str, str], home: Path, elsewhere: Sequence[str] = ELSEWHERE
) -> tuple[Client, ...]:
    """Return every client that is installed; the first is the one that ``claude`` starts.

    It is looked for on ``PATH``, where npm and the installer put it, and ``elsewhere``.

    Raises:
        HostError: there is none.
    """
    places = [*_places(environ, home), *map(Path, elsewhere)]
    clients = tuple(ask_version(path, environ) for path in _programs(places))
    if not clients:
        raise HostError("Claude Code is not installed here: no program `claude` found", fix=_FIX)
    return clients


def ask_version(
    program: Path, environ: Mapping[str, str], within: float = ANSWERS_WITHIN
) -> Client:
    """Start ``program --version`` in a process group of its own and read what it says."""
    try:
        process = subprocess.Popen(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
        )
    except OSError as error:
        return Client(program, None, f"{program} cannot be started: {error.strerror}")
    with process:
        try:
            output, _ = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            # A wrapper may have started more; the group is ours until the leader is waited for.
            os.killpg(process.pid, signal.SIGKILL)
            return Client(program, None, f"{program} --version took more than {within:g} seconds")
    found = _VERSION.search(output[:4096])
    if found is None:
        return Client(program, None, f"{program} --version says {output[:80]!r}, no version")
    return Client(program, tuple(int(part) for part in found.groups()))


def _programs(places: Iterable[Path]) -> Iterator[Path]:
    seen = set()
    for path in places:
        # Two links to one program are one client, shown by the name that would start it.
        real = os.path.realpath(path)
        if real not in seen and os.access(real, os.X_OK) and Path(real).is_file():
            seen.add(real)
            yield path


def _places(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    for directory in environ.get("PATH", "").split(os.pathsep):
        # An empty or relative entry means the working directory: what lies there is not started.
        if directory.startswith("/"):
            yield Path(directory, "claude")
    for variable in ("npm_config_prefix", "NPM_CONFIG_PREFIX", "PREFIX"):
        if environ.get(variable, "").startswith("/"):
            yield Path(environ[variable], "bin/claude")
    yield from (home / name for name in _IN_HOME)
    yield from sorted((home / ".nvm/versions/node").glob("*/bin/claude"), reverse=True)
