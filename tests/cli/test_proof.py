import json
import os
from pathlib import Path

from cli.conftest import Machine
from proof.world import World, finding


def put_back(machine: Machine) -> World:
    world = World(machine.base / "w")
    world.state = machine.state
    world.proof = world.prover()
    report = world.run("echo evil > tests/t.py; chmod 755 tests/t.py; ln -sfn x docs/link.md")
    assert finding(report, "tests/t.py").kept
    return world


def test_what_was_put_back_is_listed_shown_and_given_back(machine: Machine) -> None:
    world = put_back(machine)
    (row,) = json.loads(machine.run("proof", "status", "--json").out)
    assert (row["agent"], row["files"], row["root"]) == ("builder", 2, str(world.root))
    assert row["id"] in machine.run("proof", "status").out
    shown = machine.run("proof", "show", row["id"]).out
    assert "tests/t.py (file)" in shown
    assert "echo evil > tests/t.py" in shown
    given = machine.run("proof", "restore-aside", row["id"], "tests/t.py")
    assert given.out == "tests/t.py\n"
    assert (world.root / "tests/t.py").read_text() == "evil\n"
    assert os.access(world.root / "tests/t.py", os.X_OK)
    assert (world.root / "docs/link.md").readlink() == Path("guide.md")
    assert json.loads(machine.run("proof", "restore-aside", row["id"][:3], "--json").out) == [
        "docs/link.md", "tests/t.py",
    ]  # fmt: skip
    assert (world.root / "docs/link.md").readlink() == Path("x")


def test_what_there_is_not(machine: Machine) -> None:
    assert machine.run("proof", "status").out == "nothing has been put back\n"
    ended = machine.run("proof", "show", "nothing")
    assert (ended.code, "'nothing' names no call" in ended.err) == (1, True)
    put_back(machine)
    ended = machine.run("proof", "restore-aside", "s-", "docs/other.md")
    assert (ended.code, "no version of 'docs/other.md' is kept" in ended.err) == (1, True)
