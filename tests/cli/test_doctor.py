"""The installed hook is started with a call that must be denied, and is believed only then."""

import json
from typing import Any

import pytest

from .conftest import Machine


@pytest.fixture
def installed(machine: Machine) -> Machine:
    """A machine with a client on its path and our hooks in the project's settings."""
    program = machine.base / "bin/claude"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho '2.1.330 (Claude Code)'\n")
    program.chmod(0o755)
    machine.more["PATH"] = f"{program.parent}:/usr/bin:/bin"
    assert machine.run("init").code == 0
    return machine


def examine(machine: Machine) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    ended = machine.process("doctor", "--json")
    row = json.loads(ended.out)
    assert row["ok"] is (ended.code == 0)
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in row["findings"]:
        found.setdefault(finding["check"], []).append(finding)
    return ended.code, found


def test_hooks_that_hold(installed: Machine) -> None:
    code, found = examine(installed)
    assert code == 0
    assert "denied, as it must be" in found["canary"][0]["text"]
    assert "passes in silence" in found["harmless"][0]["text"]
    assert "/bin/claude, version 2.1.330" in found["host"][0]["text"]
    assert "events in " in found["registered"][0]["text"]
    assert found["client"][0]["text"].startswith(("native", "Python"))
    assert all(each["ok"] is None for each in found["open"])
    rows = installed.run("ledger", "query", "--session", "doctor", "--json").rows()
    # The hook with a call of each kind, and the second gate with a command of each kind.
    assert [(row["transport"], row["decision"]) for row in rows] == [
        ("hook", "deny"), ("hook", "none"), ("exec", "deny"), ("exec", "none"),
    ]  # fmt: skip
    gate = [finding["text"] for finding in found["second gate"]]
    assert [text.partition(" (")[0] for text in gate] == [
        "a command without a hook is judged", "a harmless command runs",
    ]  # fmt: skip
    text = installed.run("doctor").out
    assert "ok   canary: denied, as it must be" in text
    assert "FAIL" not in text


def test_a_gate_that_lets_everything_pass_is_found(installed: Machine) -> None:
    fake = installed.base / "bin/pointsman-exec"
    fake.write_text('#!/bin/sh\nfor text; do :; done\nexec sh -c "$text"\n')
    fake.chmod(0o755)
    file = installed.repository / ".claude/settings.json"
    settings = json.loads(file.read_text())
    settings["env"]["CLAUDE_CODE_SHELL_PREFIX"] = str(fake)
    file.write_text(json.dumps(settings))
    code, found = examine(installed)
    assert code == 1
    assert [finding["ok"] for finding in found["second gate"]] == [False, True]


def test_no_gate_is_told_and_no_failure(installed: Machine) -> None:
    config = installed.base / "home/.config/pointsman/config.toml"
    assert installed.run("uninstall").code == 0
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("[sandbox]\nenabled = false\n")
    assert "[sandbox] enabled = false" in installed.run("init").out
    code, found = examine(installed)
    (told,) = found["second gate"]
    assert (code, told["ok"]) == (0, None)


def test_hooks_that_are_not_there(installed: Machine) -> None:
    assert installed.run("uninstall").code == 0
    code, found = examine(installed)
    assert code == 1
    assert "canary" not in found
    (lost,) = found["registered"]
    assert (lost["ok"], lost["fix"]) == (False, "pointsman init")
    assert "PreToolUse" in lost["text"]


def test_a_client_that_is_not_there(installed: Machine) -> None:
    file = installed.repository / ".claude/settings.json"
    settings = json.loads(file.read_text())
    for group in settings["hooks"]["PreToolUse"]:
        for hook in group["hooks"]:
            hook["command"] = str(installed.base / "nowhere/pointsman-hook")
    file.write_text(json.dumps(settings))
    code, found = examine(installed)
    assert code == 1
    assert "cannot be run" in found["canary"][0]["text"]
    assert found["canary"][0]["fix"] == "pointsman init"


def test_an_old_host_is_told_what_fails_open(installed: Machine) -> None:
    program = installed.base / "bin/claude"
    program.write_text("#!/bin/sh\necho '2.1.200 (Claude Code)'\n")
    code, found = examine(installed)
    assert code == 1
    assert "fails open" in found["host"][0]["text"]
    assert found["host"][0]["fix"]


def test_settings_that_are_no_settings(installed: Machine) -> None:
    installed.up()
    file = installed.repository / ".claude/settings.json"
    for text in ('{"hooks": []}', '{"hooks": {"PreToolUse": [3, {"hooks": "x"}]}}', "{,}", "[]"):
        file.write_text(text)
        ended = installed.run("doctor")
        assert ended.code == 1, text
        assert "FAIL registered" in ended.out


def test_our_own_settings_that_do_not_check_out(installed: Machine) -> None:
    installed.write(".pointsman/config.toml", "nope = 1\n")
    code, found = examine(installed)
    assert code == 1
    assert "config.toml:1: nope" in found["settings"][0]["text"]
