"""`pointsman hook` is the client in Python: the installed settings may name it."""

import json

from .conftest import Machine


def test_it_delivers(machine: Machine) -> None:
    stop = json.dumps(machine.shell("rm -rf /")).encode()
    denied = machine.process("hook", "claude-code", "PreToolUse", stdin=stop)
    assert denied.code == 2
    assert denied.err.startswith("Pointsman stopped this: ")
    go = json.dumps(machine.shell("ls")).encode()
    passed = machine.process("hook", "claude-code", "PreToolUse", stdin=go)
    assert (passed.code, passed.out, passed.err) == (0, "", "")
    rows = machine.run("ledger", "query", "--event", "PreToolUse", "--json").rows()
    assert [(row["decision"], row["client"]) for row in rows] == [
        ("deny", "python"), ("none", "python"),
    ]  # fmt: skip


def test_without_its_words_it_fails_closed(machine: Machine) -> None:
    ended = machine.process("hook")
    assert ended.code == 2
    assert ended.err
