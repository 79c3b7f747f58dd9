import json
from typing import Any

import pytest

from pointsman.agents.claude_events import registration
from pointsman.agents.claude_findings import findings
from pointsman.agents.claude_settings import install
from pointsman.model.policy import Problem

NEW = (2, 1, 330)
OURS = registration(("/opt/pointsman-hook",), NEW)


def found(text: str, scope: str = "project") -> tuple[Problem, ...]:
    return findings({scope: ("s.json", text.encode())}, NEW)


def group(**entry: Any) -> str:
    return json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", **entry}]}]}})


def test_nothing_is_wrong_with_what_we_write() -> None:
    assert found(install(b'{"permissions": {"deny": ["Read(.env)"]}}', OURS).decode()) == ()
    assert findings({"user": ("s.json", None)}, NEW) == ()


WRONG = {
    "all off": ('{\n "disableAllHooks": true}', 2, "disableAllHooks", "ours too"),
    "comment": ("{\n\n//\n}", 3, "", "ignores the whole file"),
    "a list": ("[]", 1, "", "not an object"),
    "permissions": ('{"permissions": []}', 1, "permissions", "is not an object; the client ign"),
    "deny a text": ('{"permissions": {\n"deny": "x"}}', 2, "permissions.deny", "whole file"),
    "mode unknown": ('{"permissions": {"defaultMode": "x"}}', 1, "permissions.defaultMode", "file"),
    "model a number": ('{"model": 5}', 1, "model", "is not a text; the client ignores the whole"),
    "days a text": ('{"cleanupPeriodDays": "x"}', 1, "cleanupPeriodDays", "the whole file"),
    "hooks a list": ('{"hooks": []}', 1, "hooks", "whole file"),
    "event an object": ('{"hooks": {\n"Stop": {}}}', 2, "hooks.Stop", "is not a list"),
    "no hooks": ('{"hooks": {"Stop": [{"matcher": "x"}]}}', 1, "hooks.Stop", "without a list"),
    "not a group": ('{"hooks": {"Stop": [1]}}', 1, "hooks.Stop", "without a list"),
    "switch a text": ('{"disableAllHooks": "yes"}', 1, "disableAllHooks", "true or false"),
    "milliseconds": (group(command="x", timeout=45000), 1, "hooks.Stop.timeout", "seconds"),
    "no time": (group(command="x", timeout=0), 1, "hooks.Stop.timeout", "positive"),
    "time a text": (group(command="x", timeout="5"), 1, "hooks.Stop.timeout", "positive"),
    "no command": (group(timeout=5), 1, "hooks.Stop", "without its command: none of this event"),
    "daemon led away": (
        '{"env": {"A": "b",\n"POINTSMAN_DAEMON": "/x"}}',
        2,
        "env.POINTSMAN_DAEMON",
        "leads our hooks away",
    ),
    "shell commands past the gate": (
        '{"env": {"CLAUDE_CODE_SHELL_PREFIX": "/bin/nice"}}',
        1,
        "env.CLAUDE_CODE_SHELL_PREFIX",
        "do not pass the second gate",
    ),
    "home led away": ('{"env": {"HOME": "/x"}}', 1, "env.HOME", "leads our hooks away"),
    "interpreter led away": ('{"env": {"PYTHONPATH": "x"}}', 1, "env.PYTHONPATH", "leads our"),
    "no url": (group(type="http"), 1, "hooks.Stop", "without its url: none of this event's hooks"),
    "no type": ('{"hooks": {"Stop": [{"hooks": [{}]}]}}', 1, "hooks.Stop", "without its type"),
    "type unknown": (group(type="x", command="x"), 1, "hooks.Stop.type", "none of this event's"),
    "args a text": (group(command="x", args="x"), 1, "hooks.Stop.args", "none of this event's"),
    "async a text": (group(command="x", **{"async": "x"}), 1, "hooks.Stop.async", "none of this"),
    "failure unknown": (group(command="x", onFailure="x"), 1, "hooks.Stop.onFailure", "none of"),
    "matcher a number": (
        '{"hooks": {"Stop": [{"matcher": 5, "hooks": []}]}}',
        1,
        "hooks.Stop.matcher",
        "is not a text: none of this event's hooks runs",
    ),
}


@pytest.mark.parametrize(("text", "line", "key", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_turns_hooks_off(text: str, line: int, key: str, message: str) -> None:
    (problem,) = found(text)
    assert (problem.file, problem.line, problem.key) == ("s.json", line, key)
    assert message in problem.message
    assert problem.fix


def test_other_variables_are_the_users_own() -> None:
    assert found('{"env": {"A": "b", "HOMEPAGE": "x", "PATH": "x", "MY_PYTHONPATH": "x"}}') == ()


def test_milliseconds_are_told_as_seconds() -> None:
    assert "write 45 if" in found(group(command="x", timeout=45000))[0].fix


def test_not_utf8() -> None:
    (problem,) = findings({"user": ("s.json", b'{\n"\xff": 1}')}, NEW)
    assert (problem.line, "not UTF-8" in problem.message) == (2, True)


def test_managed_switches() -> None:
    only = '{"allowManagedHooksOnly": true}'
    assert found(only) == ()
    assert "only hooks of the managed" in found(only, "managed")[0].message
    off = '{"disableAllHooks": true}'
    assert "every hook off" in found(off, "managed")[0].message
    assert "not managed off" in found(off, "local")[0].message


@pytest.mark.parametrize(
    "matcher",
    [
        "",
        "*",
        "Bash",
        "Edit|Write",
        "Edit, Write",
        "Ba.*",
        "^B",
        "mcp__rig__*",
        "mcp__.*",
        "(?<tool>B).*",
        "(?<=a)b",
        "(?<!a)b",
    ],
)
def test_matchers_that_work(matcher: str) -> None:
    assert matched(matcher) == ()


@pytest.mark.parametrize(
    ("matcher", "message"),
    [
        ("Bash(", "not a valid regular expression"),
        ("[a", "not a valid regular expression"),
        ("Bash(touch *)", "is a permission rule"),
        ("mcp__rig", "names a server"),
    ],
)
def test_matchers_that_never_match(matcher: str, message: str) -> None:
    (problem,) = matched(matcher)
    assert message in problem.message
    assert problem.key == "hooks.PreToolUse.matcher"


def matched(matcher: str) -> tuple[Problem, ...]:
    groups = [{"matcher": matcher, "hooks": []}]
    # FileChanged's matcher is a list of file names.
    return found(json.dumps({"hooks": {"PreToolUse": groups, "FileChanged": groups}}))


@pytest.mark.parametrize(
    ("event", "change", "message"),
    [
        ("PreToolUse", {"async": True}, "does not wait"),
        ("Stop", {"asyncRewake": True}, "does not wait"),
        ("PreToolUse", {"if": "Bash(nothing *)"}, "not asked about every call"),
        ("PreToolUse", {"onFailure": "continue"}, 'lacks onFailure = "block"'),
        ("PreToolUse", {"timeout": 1}, "another timeout"),
        ("PreToolUse", {"args": ["claude-code", "Stop"]}, "not for"),
        ("WorktreeCreate", {"args": ["claude-code", "WorktreeCreate"]}, "not for"),
    ],
)
def test_our_own_hook_weakened(event: str, change: dict[str, Any], message: str) -> None:
    ours = OURS.get(event, OURS["Stop"])[0]["hooks"][0]
    text = json.dumps({"hooks": {event: [{"hooks": [{**ours, **change}]}]}})
    (problem,) = found(text, "local")
    assert message in problem.message
    assert "pointsman init --scope local" in problem.fix


def test_our_own_hook_narrowed() -> None:
    (problem,) = found(json.dumps({"hooks": {"Stop": [{"matcher": "x", **OURS["Stop"][0]}]}}))
    assert "not asked about every call" in problem.message


def test_a_client_that_is_too_old() -> None:
    (problem,) = findings({}, (2, 1, 294))
    assert problem.key == "version"
    assert problem.value == "2.1.294"
    assert "missing" in problem.message
    assert "2.1.295" in problem.fix
