"""Every hook that is asked, its answer, its time."""

import json

import pytest

from .conftest import Machine

HOOKS = """import time
from pointsman import enricher, guard, inject, modify, observer

@guard("PreToolUse", tools="Bash")
async def softens(event, ctx):
    if event.tool_input["command"] == "make":
        return modify({**event.tool_input, "command": "make -n"}, "dry", rule="house.dry")

@enricher("PreToolUse", tools="Bash")
async def tells(event, ctx):
    return inject("the tests are slow today")

@observer("PreEdit")
async def watches(event, ctx):
    open("watched", "w").close()
"""


def test_a_shell_command(machine: Machine) -> None:
    ended = machine.run("explain", "--command", "sudo git reset --hard")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "PreToolUse Bash by main"
    assert "ms of 10000 ms  command-safety (guard on PreToolUse)" in ended.out
    assert "no opinion" in ended.out
    assert lines[-1].startswith("decision: deny by command.")
    assert "(command-safety), violation" in lines[-1]


def test_an_edit_by_an_agent(machine: Machine) -> None:
    machine.contract("builder", "src/**")
    for name, decision in (("src/a.py", "none"), ("docs/a.md", "deny")):
        ended = machine.run("explain", "--edit", name, "--agent", "builder", "--json")
        row = json.loads(ended.out)
        assert row["decision"] == decision
        asked = {(run["hook"], run["event"]) for run in row["hooks"]}
        assert ("scope", "PreEdit") in asked
        assert all(run["ms"] >= 0 and run["outcome"] for run in row["hooks"])


@pytest.mark.parametrize("way", ["file", "dash", "stdin"])
def test_a_payload(machine: Machine, way: str) -> None:
    data = json.dumps(machine.shell("rm -rf /"), indent=2).encode()
    file = machine.base / "payload.json"
    file.write_bytes(data)
    words = {"file": [str(file)], "dash": ["-"], "stdin": []}[way]
    ended = machine.run("explain", *words, "--json", stdin=b"" if way == "file" else data)
    assert json.loads(ended.out)["decision"] == "deny"


def test_a_payload_that_cannot_be_read_has_its_reason_shown(machine: Machine) -> None:
    ended = machine.run("explain", stdin=b"{")
    assert ended.code == 0
    assert "no hook is asked" in ended.out
    assert "decision: deny by payload.unreadable (runtime), our own failure" in ended.out
    assert "reason:   the payload is not JSON" in ended.out


def test_hooks_of_the_repository(machine: Machine) -> None:
    machine.write(".pointsman/hooks/house.py", HOOKS)
    untrusted = machine.run("explain", "--command", "make").out
    assert "skipped" in untrusted
    assert "decision: none" in untrusted
    assert machine.run("trust").code == 0
    shown = machine.run("explain", "--command", "make").out
    assert "modify" in shown
    assert "repo:softens (guard on PreToolUse)" in shown
    assert "decision: modify by house.dry (repo:softens)" in shown
    assert "context:  the tests are slow today" in shown
    assert 'input:    {"command": "make -n"}' in shown


def test_observers_are_named_and_not_told(machine: Machine) -> None:
    machine.write(".pointsman/hooks/house.py", HOOKS)
    machine.run("trust")
    shown = machine.run("explain", "--edit", "a.py").out
    assert "afterwards   repo:watches (observer) would be told" in shown
    row = json.loads(machine.run("explain", "--edit", "a.py", "--json").out)
    assert row["observers"] == ["repo:watches"]
    assert not (machine.repository / "watched").exists()


def test_it_needs_and_starts_no_daemon(machine: Machine) -> None:
    machine.run("explain", "--command", "ls")
    assert not machine.state.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--command", "ls", "--edit", "a"],
        ["-", "--command", "ls"],
        ["-", "--agent", "builder"],
        ["--host", "nope", "--command", "ls"],
    ],
)
def test_what_does_not_go_together(machine: Machine, words: list[str]) -> None:
    ended = machine.run("explain", *words)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: pointsman explain" in ended.err


def test_what_a_command_does_and_which_rules_speak(machine: Machine) -> None:
    command = "sudo rm -rf /etc; kubectl delete ns x"
    ended = machine.run("explain", "--command", command)
    assert "  it does      delete tree /etc (rm)" in ended.out
    assert "  rule         command.rm-tree (files, deny): rm deletes /etc" in ended.out
    assert "  rule         command.cluster-delete (cloud, ask): kubectl delete" in ended.out
    row = json.loads(machine.run("explain", "--command", command, "--json").out)
    assert {"kind": "delete tree", "what": "/etc", "by": "rm"} in row["effects"]
    assert [each["rule"] for each in row["rules"]][:1] == ["command.rm-tree"]
    edit = json.loads(machine.run("explain", "--edit", "a.py", "--json").out)
    assert "rules" not in edit
