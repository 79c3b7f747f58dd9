"""The rig drives the real client: what it reports is what the client did."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .messages_api import Gate, MessagesApi, Pause, agent, bash
from .session import Claude
from .terminal import Terminal

pytestmark = pytest.mark.host

PROMPT = "Begin. SCRIPT=main"
FIRST = "toolu_main_0_0"


def gate(script: str, *more: str) -> dict[str, Any]:
    """Return settings with a PreToolUse hook in exec form that runs this shell script."""
    hook = {"type": "command", "command": "/bin/sh", "args": ["-c", script, "sh", *more]}
    return {"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [hook]}]}}


def test_bash_call_runs(claude: Claude, api: MessagesApi) -> None:
    api.script("main", bash("touch ran; echo hello"), "all done")
    result = claude.run(PROMPT)
    assert (claude.workdir / "ran").exists()
    assert not result.tool_results[FIRST].is_error
    assert result.tool_results[FIRST].text == "hello"
    assert (result.returncode, result.terminal_reason) == (0, "completed")
    assert result.end["result"] == "all done"
    assert [request.turn for request in api.answered("main")] == [0, 1]


def test_exit_2_blocks_and_is_reported(claude: Claude, api: MessagesApi) -> None:
    api.script("main", bash("touch ran"), "all done")
    result = claude.run(PROMPT, settings=gate("echo not today >&2; exit 2"))
    assert not (claude.workdir / "ran").exists()
    assert result.tool_results[FIRST].is_error
    assert "not today" in result.tool_results[FIRST].text
    assert [denial["tool_use_id"] for denial in result.denials] == [FIRST]
    (run,) = result.hooks
    assert (run.event, run.exit_code, run.stderr) == ("PreToolUse", 2, "not today\n")


def test_exit_127_without_on_failure_leaves_the_call_running(
    claude: Claude, api: MessagesApi
) -> None:
    api.script("main", bash("touch ran"), "all done")
    result = claude.run(PROMPT, settings=gate("exit 127"))
    assert (claude.workdir / "ran").exists()
    assert [run.exit_code for run in result.hooks] == [127]
    assert not result.denials


def test_call_of_a_subagent_carries_its_agent_id(
    claude: Claude, api: MessagesApi, tmp_path: Path
) -> None:
    api.script("main", bash("echo main"), agent("child"), "all done")
    api.script("child", bash("echo child"), "child done")
    seen = tmp_path / "payloads"
    result = claude.run(PROMPT, settings=gate('cat >> "$1"', str(seen)))
    payloads = [json.loads(line) for line in seen.read_text().splitlines()]
    assert [payload["tool_use_id"] for payload in payloads] == [FIRST, "toolu_child_0_0"]
    assert "agent_id" not in payloads[0]
    assert payloads[1]["agent_id"]
    assert "child done" in result.tool_results["toolu_main_1_0"].text


def test_test_acts_between_two_calls(claude: Claude, api: MessagesApi) -> None:
    here = Gate()
    api.script("main", bash("echo one"), Pause(here, bash("cat note")), "all done")
    with claude.start(PROMPT) as session:
        here.wait()
        (claude.workdir / "note").write_text("from the test")
        here.open()
        result = session.finish()
    assert result.tool_results["toolu_main_1_0"].text == "from the test"


def test_killed_session_leaves_nothing(claude: Claude, api: MessagesApi) -> None:
    here = Gate()
    api.script("main", bash("setsid sleep 600 > /dev/null 2>&1 &"), Pause(here, "all done"))
    with claude.start(PROMPT) as session:
        here.wait()
        assert len(claude.leftovers()) >= 2
        session.kill()
    assert claude.leftovers() == []


def test_own_home_and_settings_only(claude: Claude, api: MessagesApi) -> None:
    api.script("main", bash('echo "$HOME $CLAUDE_CONFIG_DIR"'), "all done")
    result = claude.run(PROMPT)
    assert result.tool_results[FIRST].text == f"{claude.home} {claude.config}"


def test_ask_shows_a_dialog_and_yes_runs_the_call(
    claude: Claude, api: MessagesApi, open_terminal: Callable[..., Terminal]
) -> None:
    api.script("main", bash("touch ran"), "that was all of it")
    output = {
        "hookEventName": "PreToolUse",
        "permissionDecision": "ask",
        "permissionDecisionReason": "look at this first",
    }
    settings = gate('printf %s "$1"', json.dumps({"hookSpecificOutput": output}))
    terminal = open_terminal(mode="bypassPermissions", settings=settings)
    terminal.say(PROMPT)
    assert "look at this first" in terminal.wait_for("Do you want to proceed?")
    assert not (claude.workdir / "ran").exists()
    terminal.answer("Do you want to proceed?", "Enter")
    terminal.wait_for("that was all of it")
    terminal.close()
    assert (claude.workdir / "ran").exists()
    assert claude.leftovers() == []
