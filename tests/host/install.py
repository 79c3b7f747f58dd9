"""Put the real coding agent under ``build/hosts/`` of this checkout, once."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .unavailable import HostUnavailable

PACKAGE = "@anthropic-ai/claude-code"
VERSION = "2.1.330"
"""The client that ``agents/claude_code.py`` was measured with."""

HOSTS = Path(__file__).resolve().parents[2] / "build" / "hosts"
_INSTALL_S = 600.0
_VERSION_S = 60.0


def claude_code(hosts: Path = HOSTS, *, npm: str = "npm") -> Path:
    """Return the client's executable, installing it first where it is not there yet.

    Several processes may ask at once: one installs, the others wait for it.

    Raises:
        HostUnavailable: where npm is missing, the installation fails, or what it brought is not
            the pinned version.
    """
    target = hosts / f"claude-code-{VERSION}"
    hosts.mkdir(parents=True, exist_ok=True)
    with _alone(hosts / "claude-code.lock"):
        if not target.is_dir():
            _install(target, npm)
    return _executable(target)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(target: Path, npm: str) -> None:
    """Install beside the target and rename: a target that exists is whole."""
    if shutil.which(npm) is None:
        raise HostUnavailable(f"{npm} is not installed; {PACKAGE} {VERSION} comes from npm")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="installing-") as made:
        place = Path(made) / "prefix"
        place.mkdir()
        _run_npm(npm, place, Path(made) / "cache")
        _check_version(_executable(place), Path(made))
        place.rename(target)


def _run_npm(npm: str, place: Path, cache: Path) -> None:
    argv = [npm, "install", f"{PACKAGE}@{VERSION}", "--prefix", str(place), "--cache", str(cache)]
    # Its script only copies the executable (360 MB) to where a person's PATH would find it.
    argv += ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    try:
        done = subprocess.run(
            argv, cwd=place, capture_output=True, text=True, timeout=_INSTALL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostUnavailable(f"npm install of {PACKAGE} {VERSION} failed: {error}") from None
    if done.returncode:
        raise HostUnavailable(
            f"npm install of {PACKAGE} {VERSION} ended with {done.returncode}: "
            f"{done.stderr.strip()[-400:]}"
        )


def _executable(place: Path) -> Path:
    """Return the executable of the package for this platform, which npm chose."""
    found = sorted(place.glob(f"node_modules/{PACKAGE}-*/claude"))
    if not found:
        raise HostUnavailable(f"{PACKAGE} {VERSION} has no executable for this platform")
    return found[0]


def _check_version(executable: Path, home: Path) -> None:
    env = {"HOME": str(home), "CLAUDE_CONFIG_DIR": str(home), "PATH": os.environ.get("PATH", "")}
    try:
        done = subprocess.run(
            [str(executable), "--version"],
            env=env,
            capture_output=True,
            text=True,
            timeout=_VERSION_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostUnavailable(f"the client does not start: {error}") from None
    if done.returncode or VERSION not in done.stdout:
        raise HostUnavailable(
            f"the client says {done.stdout.strip()!r} (exit {done.returncode}) for its version, "
            f"not {VERSION}"
        )
