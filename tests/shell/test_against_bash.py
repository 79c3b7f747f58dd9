"""What a command line really changes, run by bash, is what the analysis says it changes."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.shell.analyse import analyse
from pointsman.shell.effects import CHANGES, UNKNOWN, Analysis, Kind

from .bash_lines import Lines

BASH = shutil.which("bash") or ""
TOOLS = tuple(
    """
    awk base64 basename bash cat chmod cp dd env find head install ln mkdir mv nice nohup printf
    python3 rev rm rmdir sed seq sh tee timeout touch tr true truncate unlink xargs
    """.strip().split()
)
TREES = {Kind.DELETE_TREE, Kind.MOVE, Kind.WRITE}
"""Kinds that take what lies below along: a copy writes a tree, a move takes it away."""


def prepared(root: Path) -> None:
    work = root / "home/w"
    (work / "d/e").mkdir(parents=True)
    for name in ("a", "b", "x y", "d/c", "d/e/f"):
        (work / name).write_text("t\n")


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for at, directories, files in os.walk(root):
        for name in (*directories, *files):
            path = Path(at, name)
            status = path.lstat()
            plain = path.is_file() and not path.is_symlink()
            content = path.read_bytes() if plain and status.st_mode & 0o400 else b""
            target = str(path.readlink()) if path.is_symlink() else ""
            modified = 0 if path.is_dir() else status.st_mtime_ns
            found[str(path)] = (status.st_mode, content, target, modified)
    return found


def really_changed(line: str, root: Path, tools: Path) -> set[str] | None:
    """Return the paths that differ afterwards; ``None`` where ``cd`` failed, which nobody foresees.

    The analysis takes a directory that is gone to for one that is there.
    """
    prepared(root)
    before = snapshot(root)
    ran = subprocess.run(
        [BASH, "-c", line], cwd=root / "home/w", capture_output=True, check=False, timeout=20,
        stdin=subprocess.DEVNULL,
        env={"PATH": str(tools), "HOME": str(root / "home"), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    if re.search(rb"(cd|pushd|popd): ", ran.stderr):
        return None
    after = snapshot(root)
    return {path for path in {*before, *after} if before.get(path) != after.get(path)}


def pattern(path: str) -> str:
    """Return a path as a regular expression: globs, and what is not known, may be anything."""
    out = re.escape(path.rstrip("/")).replace("/" + re.escape(UNKNOWN), "(/.*)?")
    out = out.replace(re.escape(UNKNOWN), ".*")
    out = out.replace(r"/\*\*", "(/.*)?").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.sub(r"\\\[((?:[^\]\\]|\\.)*)\\\]", r"[\1]", out)


def is_covered(path: str, found: Analysis) -> bool:
    for effect in found.effects:
        if effect.kind is Kind.OPAQUE:
            return True
        if effect.kind not in CHANGES:
            continue
        below = "(/.*)?" if effect.kind in TREES else ""
        try:
            fits = re.fullmatch(pattern(effect.path) + below, path, re.DOTALL)
        except re.error:
            fits = None
        # `mkdir -p a/b/c` makes what lies above as well.
        above = effect.kind is Kind.WRITE and re.match(re.escape(path) + "/", effect.path)
        if fits or effect.path == path or above:
            return True
    return False


def missed(line: str, tools: Path) -> tuple[set[str], Analysis]:
    with tempfile.TemporaryDirectory(prefix="pm-bash-") as name:
        root = Path(name).resolve()
        changed = really_changed(line, root, tools)
        found = analyse(line, cwd=f"{root}/home/w", home=f"{root}/home")
        left = {path for path in changed or () if not is_covered(path, found)}
        return (set() if found.unverified else left), found


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Only these programs can be found: none of them leaves the directory or the machine."""
    directory = tmp_path_factory.mktemp("tools")
    for name in TOOLS:
        place = shutil.which(name, path="/usr/bin:/bin")
        if place:
            (directory / name).symlink_to(place)
    return directory


@st.composite
def lines(draw: st.DrawFn) -> str:
    return Lines(lambda options: draw(st.sampled_from(list(options)))).script()


@pytest.mark.skipif(not BASH, reason="there is no bash here")
# The same lines each time: a run for new ones is a hunt, and what it finds gets a row of its own.
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(line=lines())
def test_what_really_changes_was_said_before(line: str, tools: Path) -> None:
    left, _ = missed(line, tools)
    assert not left


@pytest.mark.parametrize(
    ("path", "command", "covered"),
    [
        ("/w/a", "ls", False),
        ("/w/a", "rm b", False),
        ("/w/a", "rm a", True),
        ("/w/d/a", "rm d", False),
        ("/w/d/a", "rm -r d", True),
        ("/w/ab", "rm a?", True),
        ("/w/ab/c", "rm a?", False),
        ("/w/ab", "rm a$X", True),
        ("/w/d", "mkdir -p d/e", True),
        ("/w/a", "./what", True),
    ],
)
def test_the_measure_measures(path: str, command: str, covered: bool) -> None:
    assert is_covered(path, analyse(command, cwd="/w", home="/home/dev")) is covered
