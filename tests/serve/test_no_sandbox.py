"""A machine on which nothing can hold a command: it is said, and analysis and proof stay on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.store import query

from .live import live
from .test_ways_to_write import EXEC, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not EXEC.exists():
        pytest.skip("pointsman-exec was not built: there was no compiler")
    with live(Path(os.path.realpath(tmp_path_factory.mktemp("none")))) as rig:
        config = rig.places.user_config
        config.parent.mkdir(parents=True)
        config.write_text('[sandbox]\nmechanism = "none"\n')
        yield World(rig)


def test_status_says_so(world: World) -> None:
    told = world.rig.status()["sandbox"]
    assert told["mechanism"] == "none"
    assert [each["mechanism"] for each in told["refused"]] == ["bubblewrap", "landlock"]
    assert "none" in world.rig.command("status").stdout


OPAQUE = {
    "a program": "python3 -c \"open('te' + 'sts/t.py', 'w').write('x')\"",
    "a mode": "python3 -c \"import os; os.chmod('te' + 'sts/t.py', 0)\"",
    "a move": "python3 -c \"import os; os.rename('te' + 'sts', 'src/gone')\"",
    "a commit": "git cherry-pick -n first; true",
    "what is not out": "git sparse-checkout set --no-cone /src",
    "its contract": "python3 -c \"import shutil; shutil.rmtree('.cla' + 'ude')\"",
    "another contract": (
        "python3 -c \"from pathlib import Path; p = Path('.cla' + 'ude', 'agents', 'builder.md');"
        " p.write_text(p.read_text().replace('src/', '')); Path('te' + 'sts/t.py').unlink()\""
    ),
    "another index": "GIT_INDEX_FILE=src/i git read-tree first; "
    "GIT_INDEX_FILE=src/i git checkout-index -f -a",
    "a git store": "python3 -c \"open('.git/con' + 'fig', 'a').write('[alias]\\n')\"",
}


@pytest.mark.parametrize("way", OPAQUE)
def test_what_a_program_changes_outside_is_put_back(world: World, way: str) -> None:
    before = world.state()
    tool = world.tool(OPAQUE[way])
    decided = world.event("PreToolUse", **tool)
    if decided.returncode == 0:
        world.run(OPAQUE[way])
        assert world.state() != before
        told = world.event("PostToolUse", **tool, tool_response={}, duration_ms=1000)
        assert told.returncode == 2
        assert b"agent 'builder' changed outside its contract" in told.stderr
        assert held_as(world, str(tool["tool_use_id"])).startswith("no sandbox on this machine")
    assert world.state() == before
    world.sources()


def held_as(world: World, call: str) -> str:
    """Return what stands on a call's record about the sandbox."""
    rows = [row for row in world.rig.rows() if row["tool_use_id"] == call]
    (seq,) = [row["seq"] for row in rows if row["event"] == "PreToolUse"]
    runs = query.show(world.rig.places.ledger, seq)["hook_runs"]
    (found,) = [run["reason"] for run in runs if run["hook"] == "sandbox"]
    return str(found)


def test_analysis_stays_on(world: World) -> None:
    told = world.event("PreToolUse", **world.tool("echo x > tests/t.py"))
    assert told.returncode == 2
    assert b"may not modify" in told.stderr


def test_work_inside_goes_on(world: World) -> None:
    command = "python3 -c \"open('src/new.py', 'w')\" && cat tests/t.py"
    tool = world.tool(command)
    assert world.event("PreToolUse", **tool).returncode == 0
    assert world.run(command).returncode == 0
    assert world.event("PostToolUse", **tool, tool_response={}, duration_ms=100).returncode == 0
    assert (world.root / "src/new.py").exists()
