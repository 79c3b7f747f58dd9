"""The two clients, each as the words to start it with."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pointsman import __version__

from .fake_daemon import FakeDaemon, Serve

SOURCE = Path(__file__).parents[2] / "src/pointsman/client"
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")


def compiled(name: str, folder: Path) -> Path:
    """Return a native client, compiled without a warning."""
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("POINTSMAN_REQUIRE_HOSTS") == "1":
            pytest.fail("there is no C compiler", pytrace=False)
        pytest.skip("there is no C compiler")
    program = folder / name
    define = f'-DPOINTSMAN_VERSION="{__version__}"'
    source = str(SOURCE / f"{name.replace('-', '_')}.c")
    words = [compiler, "-std=c11", "-O1", "-g", *STRICT, define, "-o", str(program), source]
    subprocess.run(words, check=True)
    return program


@pytest.fixture(scope="session")
def native_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The native hook client."""
    return compiled("pointsman-hook", tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="session")
def native_exec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The native ``pointsman-exec``."""
    return compiled("pointsman-exec", tmp_path_factory.mktemp("exec"))


@pytest.fixture(params=["native", "python"])
def executor(request: pytest.FixtureRequest) -> list[str]:
    """One of the two programs that carry out commands."""
    if request.param == "native":
        return [str(request.getfixturevalue("native_exec"))]
    return [sys.executable, "-I", "-S", str(SOURCE / "exec.py")]


@pytest.fixture(params=["native", "python"])
def client(request: pytest.FixtureRequest) -> list[str]:
    """One of the two clients."""
    if request.param == "native":
        return [str(request.getfixturevalue("native_client"))]
    return [sys.executable, "-I", "-S", str(SOURCE / "hook.py")]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a fake daemon where the programs of the test look for one; it ends with the test."""
    with ExitStack() as daemons:
        yield lambda script: daemons.enter_context(FakeDaemon(tmp_path / "state", script))
