"""The package as it is built and installed, with a C compiler and without one."""

import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def build(folder: Path, **environ: str) -> Path:
    """Build the wheel and return it."""
    words = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, *words, "--no-index", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environ},
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, prefix: Path) -> Path:
    """Install the wheel under a prefix and return the hook client that came with it."""
    words = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed"]
    subprocess.run(
        [sys.executable, *words, "--prefix", str(prefix), str(wheel)],
        check=True,
        capture_output=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    return prefix / "bin" / "pointsman-hook"


@pytest.mark.parametrize("compiler", [True, False], ids=["compiler", "no-compiler"])
def test_the_package_installs_with_a_client_that_fails_closed(
    tmp_path: Path, compiler: bool
) -> None:
    without = {} if compiler else {"PATH": str(tmp_path / "empty"), "CC": ""}
    wheel = build(tmp_path, **without)
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("store/migrations/0001_first.sql") for name in names)
    assert any(name.endswith("pointsman/py.typed") for name in names)
    assert wheel.name.endswith("py3-none-any.whl") is not compiler
    client = install(wheel, tmp_path / "prefix")
    assert (client.read_bytes()[:4] == b"\x7fELF") is compiler
    environ = {
        "PATH": "/usr/bin:/bin",
        "POINTSMAN_STATE_DIR": str(tmp_path / "state"),
        "POINTSMAN_DAEMON": str(tmp_path / "no-such-daemon"),
        "PYTHONPATH": str(next((tmp_path / "prefix").glob("lib/*/site-packages"))),
    }
    done = subprocess.run(
        [client, "claude-code", "PreToolUse"], input=b"{}", capture_output=True,
        env=environ, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"Pointsman's own failure, not a policy violation" in done.stderr
    assert (tmp_path / "state" / "spool").is_dir()
    executor = client.with_name("pointsman-exec")
    assert (executor.read_bytes()[:4] == b"\x7fELF") is compiler
    done = subprocess.run([executor, "true"], capture_output=True, env=environ, check=False)
    assert done.returncode == 126
    assert b"Pointsman's own failure, not a policy violation" in done.stderr


def test_the_dashboards_pages_are_in_the_wheel_where_there_is_node(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    names = zipfile.ZipFile(build(tmp_path)).namelist()
    assert "pointsman/web/static/index.html" in names
    scripts = [name for name in names if name.startswith("pointsman/web/static/assets/")]
    compressed = sum(len(zlib.compress((ROOT / "src" / name).read_bytes())) for name in scripts)
    assert 0 < compressed < 120_000
    assert not any(name.endswith(".map") or "node_modules" in name for name in names)


def test_without_node_the_package_is_built_without_them_and_says_so(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    kept = shutil.ignore_patterns("node_modules", "static", "__pycache__")
    for name in ("src", "ui"):
        shutil.copytree(ROOT / name, clone / name, ignore=kept)
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone / name)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "out")],
        cwd=clone, capture_output=True, text=True, check=True,
        env={**os.environ, "PATH": str(tmp_path / "empty")},
    )  # fmt: skip
    assert "there is no Node.js with npm" in done.stdout + done.stderr
    (wheel,) = (tmp_path / "out").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "pointsman/web/app.py" in names
    assert not any("/static/" in name for name in names)


def test_the_versions_agree() -> None:
    from pointsman import __version__
    from pointsman.client import hook

    assert __version__ == hook.VERSION
