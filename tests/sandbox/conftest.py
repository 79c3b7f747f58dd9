"""Repositories with a contract, and commands that are carried out under it."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from client.conftest import SOURCE, compiled
from pointsman.model.confinement import Confinement, Prefix, Seam
from pointsman.model.contract import Contract
from pointsman.sandbox.confine import confine
from pointsman.sandbox.probe import probe
from pointsman.sandbox.reach import confinement_of


@pytest.fixture(scope="session")
def native_exec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The native ``pointsman-exec``."""
    return compiled("pointsman-exec", tmp_path_factory.mktemp("exec"))


NOTHING = Seam(mechanism="none", client=())
_seams: dict[tuple[str, str], Seam] = {}


@pytest.fixture(params=["bubblewrap", "landlock"])
def seam(request: pytest.FixtureRequest, native_exec: Path) -> Seam:
    """What holds commands, by each mechanism; skips where the machine lacks one."""
    return usable((str(native_exec),), request.param)


@pytest.fixture(
    params=["native-bubblewrap", "python-bubblewrap", "native-landlock", "python-landlock"]
)
def any_seam(request: pytest.FixtureRequest, native_exec: Path) -> Seam:
    """The same by both programs."""
    program, _, mechanism = request.param.partition("-")
    twin = (sys.executable, "-I", "-S", str(SOURCE / "exec.py"))
    return usable((str(native_exec),) if program == "native" else twin, mechanism)


def usable(client: Sequence[str], mechanism: str) -> Seam:
    """Return the seam of one mechanism, or skip."""
    key = (client[-1], mechanism)
    if key not in _seams:
        _seams[key] = probe(client, mechanism)
    found = _seams[key]
    if found.mechanism == "none":
        reason = "; ".join(why for name, why in found.refused if name == mechanism)
        if os.environ.get("POINTSMAN_REQUIRE_HOSTS") == "1":
            pytest.fail(f"{mechanism}: {reason}", pytrace=False)
        pytest.skip(f"{mechanism}: {reason}")
    return found


@dataclass
class Project:
    """A repository in a directory of the test's, with its own home and temporary directory."""

    root: Path
    home: Path
    temp: Path
    seam: Seam
    allowed: tuple[str, ...] = ("src/**",)
    forbidden: tuple[str, ...] = ()
    network: bool = True
    kept: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def environ(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "TMPDIR": str(self.temp),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            **self.env,
        }

    def confinement(self) -> Confinement:
        contract = Contract(
            agent="a", source="a.md", root=str(self.root),
            allowed=self.allowed, forbidden=self.forbidden,
        )  # fmt: skip
        return confinement_of(
            [contract], str(self.root), str(self.root), self.environ(),
            kept=self.kept, network=self.network,
        )  # fmt: skip

    def prefix(self) -> Prefix:
        return confine(self.confinement(), self.seam)

    def words(self) -> tuple[str, ...]:
        return self.prefix().words

    def __call__(
        self, text: str, *, free: bool = False, cwd: Path | None = None, **more: object
    ) -> subprocess.CompletedProcess[str]:
        """Carry out a command, held or ``free``."""
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [*(() if free else self.words()), "bash", "-c", text],
            **{"capture_output": True, "text": True, "timeout": 120, **more},
            env=self.environ(),
            cwd=cwd or self.root,
            check=False,
        )


def new_project(folder: Path, seam: Seam) -> Project:
    """Return a repository with ``src`` and ``tests`` in it, committed."""
    project = Project(folder / "repo", folder / "home", folder / "temp", seam)
    shutil.copytree(_template(), folder, symlinks=True, dirs_exist_ok=True)
    return project


@cache
def _template() -> Path:
    """Make one repository that all are copied from: git takes its time."""
    folder = Path(tempfile.mkdtemp(prefix="pointsman-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    project = Project(folder / "repo", folder / "home", folder / "temp", NOTHING)
    for each in (project.root / "src", project.root / "tests", project.home, project.temp):
        each.mkdir(parents=True)
    (project.root / "src/a.py").write_text("A = 1\n")
    (project.root / "tests/t.py").write_text("original\n")
    (project.home / ".gitconfig").write_text("[user]\nname = n\nemail = n@example.org\n")
    done = project("git init -q . && git add -A && git commit -qm first", free=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def project(tmp_path: Path, seam: Seam, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository whose agent may write ``src/**``."""
    return made_project(tmp_path, seam, monkeypatch)


def made_project(tmp_path: Path, seam: Seam, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return it, with the machine's temporary directories out of the way.

    The tests' own directory lies in one of them; a repository does not.
    """
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    monkeypatch.setattr("pointsman.sandbox.caches.TEMPORARY", ("/dev/shm",))
    return new_project(tmp_path, seam)
