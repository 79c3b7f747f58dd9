"""Real language servers and code bases, put under ``build/servers/`` of this checkout, once."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.figures import BenchError

SERVERS = Path(__file__).resolve().parent.parent / "build" / "servers"
_WITHIN = 600.0

TYPESCRIPT_7 = ("typescript@7.0.2",)
TSSERVER = ("typescript-language-server@5.3.0", "typescript@5.9.3")
PYRIGHT = ("pyright@1.1.414",)
TY = "ty==0.0.105"
SANITY = "sanity@3.57.0"
"""An npm package that ships its sources: 2,338 files of TypeScript."""
DJANGO = "django==5.2.19"

_TSCONFIG = {
    "compilerOptions": {
        "strict": True, "module": "esnext", "moduleResolution": "bundler", "target": "es2022",
        "jsx": "react-jsx", "skipLibCheck": True, "noEmit": True, "types": [],
        "paths": {"sanity": ["./src/_exports/index.ts"], "sanity/*": ["./src/_exports/*"]},
    },
    "include": ["src"],
}  # fmt: skip


def npm_programs(packages: Sequence[str]) -> Path:
    """Return the directory of the programs of npm packages.

    Raises:
        BenchError: they cannot be had here.
    """
    return _once(packages[0], lambda place: _npm(place, packages)) / "node_modules" / ".bin"


def ty_programs() -> Path:
    """Return the directory of ``ty``.

    Raises:
        BenchError: it cannot be had here.
    """
    return _once(TY, lambda place: _pip("install", "--target", str(place), TY)) / "bin"


def sanity() -> Path:
    """Return the root of the code base in TypeScript.

    Raises:
        BenchError: it cannot be had here.
    """
    return _once(SANITY, _unpack_sanity)


def django() -> Path:
    """Return the root of the code base in Python.

    Raises:
        BenchError: it cannot be had here.
    """
    return _once(DJANGO, _unpack_django)


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """Make something beside its place and rename: what has the name is whole."""
    target = SERVERS / name.replace("/", "-")
    SERVERS.mkdir(parents=True, exist_ok=True)
    with _alone(SERVERS / "lock"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=SERVERS, prefix="making-") as made:
                place = Path(made) / "place"
                place.mkdir()
                make(place)
                place.rename(target)
    return target


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _npm(place: Path, packages: Sequence[str]) -> None:
    options = ["--prefix", str(place), "--ignore-scripts", "--no-audit", "--no-fund"]
    _run([_npm_program(), "install", *packages, *options, "--no-update-notifier"], place)


def _npm_program() -> str:
    found = shutil.which("npm")
    if found is None:
        raise BenchError("npm is not installed")
    return found


def _pip(*arguments: str) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-deps"]
    _run([sys.executable, "-m", "pip", arguments[0], *options, *arguments[1:]], SERVERS)


def _unpack_sanity(place: Path) -> None:
    _run([_npm_program(), "pack", SANITY, "--silent", "--pack-destination", str(place)], place)
    _unpack(place)
    (place / "tsconfig.json").write_text(json.dumps(_TSCONFIG), encoding="utf-8")
    # What is compiled from the sources would be found a second time.
    shutil.rmtree(place / "lib")


def _unpack_django(place: Path) -> None:
    _pip("download", "--no-binary", ":all:", DJANGO, "-d", str(place))
    _unpack(place)


def _unpack(place: Path) -> None:
    """Unpack the one archive of a directory, without the directory that it has its files in."""
    (archive,) = [each for each in place.iterdir() if each.name.endswith(("gz", "tgz"))]
    inside = place / "inside"
    with tarfile.open(archive) as packed:
        packed.extractall(inside, filter="data")
    (top,) = inside.iterdir()
    for each in list(top.iterdir()):
        each.rename(place / each.name)
    archive.unlink()
    shutil.rmtree(inside)


def _run(command: Sequence[str], place: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, timeout=_WITHIN, check=False,
            env={**os.environ, "HOME": os.environ.get("HOME") or str(place)},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"{command[0]} failed: {error}") from None
    if done.returncode:
        said = done.stderr.strip()[-300:]
        raise BenchError(f"{' '.join(command[:4])} ended with {done.returncode}: {said}")
