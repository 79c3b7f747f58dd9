"""What stays read-only whatever a contract allows, and that a command is really held."""

import os
import subprocess
from pathlib import Path

import pytest

from pointsman.model.contract import Contract
from pointsman.model.places import Places
from pointsman.serve.holding import Holding


@pytest.fixture
def holding(tmp_path: Path) -> Holding:
    for name in ("state", "config", "r/src", "r/.claude/agents", "r/.pointsman", "home/.claude"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "r/.claude/settings.json").write_text("{}")
    (tmp_path / "home/.claude/settings.json").write_text("{}")
    return Holding(Places(tmp_path / "state", tmp_path / "config"))


def contract(root: Path, *allowed: str) -> Contract:
    return Contract(agent="w", source="w.md", root=str(root), allowed=allowed)


def environ(folder: Path) -> dict[str, str]:
    return {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "home"),
        "PATH": os.environ["PATH"],
    }


def test_whatever_is_allowed_ours_and_the_hosts_settings_are_kept(
    holding: Holding, tmp_path: Path
) -> None:
    root = tmp_path / "r"
    made, _ = holding.hold([contract(root, "**")], str(root), str(root), environ(tmp_path))
    wanted = {
        "state", "config", "r/.claude/settings.json", "r/.claude/agents", "r/.pointsman",
        "home/.claude/settings.json",
    }  # fmt: skip
    assert {str(tmp_path / name) for name in wanted} <= {*made.protected, *made.hidden}


def test_a_command_is_held(holding: Holding, tmp_path: Path) -> None:
    if holding.seam.mechanism == "none":
        pytest.skip(f"nothing holds a command here: {holding.seam.refused}")
    root = tmp_path / "r"
    _, prefix = holding.hold([contract(root, "src/**")], str(root), str(root), environ(tmp_path))
    script = "echo in > src/in; echo out > out"
    done = subprocess.run(
        [*prefix.words, "/bin/sh", "-c", script], cwd=root, env=environ(tmp_path), check=False,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert (root / "src/in").exists()
    assert not (root / "out").exists()


def test_status_tells_what_was_found(holding: Holding) -> None:
    told = holding.described()
    assert told["mechanism"] == holding.seam.mechanism
    assert [one["mechanism"] for one in told["refused"]] == [
        name for name, _ in holding.seam.refused
    ]
