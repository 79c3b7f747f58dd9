"""Events that the real client tells in a terminal only."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman.agents import claude_code

from .messages_api import MessagesApi, ToolUse
from .pointsman_session import Guarded, guarded
from .session import Claude
from .terminal import Terminal

pytestmark = pytest.mark.host

CHOSEN = "\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}"
"""Stands before the answer that Enter would give."""

OFF_BY_DEFAULT = {
    "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",
    "CLAUDE_CODE_ENABLE_TASKS": "1",
    "CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS": "1",
}
WANTED = frozenset(
    {"PreModelSwitch", "PostModelSwitch", "DirectoryAdded", "TaskCreated", "TaskCompleted"}
    | {"TeammateIdle"}
)


def test_they_arrive_and_are_normalised(
    claude: Claude,
    api: MessagesApi,
    open_terminal: Callable[..., Terminal],
    tmp_path: Path,
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    api.script("hello", "the end of hello")
    api.script(
        "tasks",
        ToolUse("ToolSearch", {"query": "select:TaskCreate,TaskUpdate"}),
        ToolUse("TaskCreate", {"subject": "a task", "description": "to be done"}),
        ToolUse("TaskUpdate", {"taskId": "1", "status": "completed"}),
        "the end of tasks",
    )
    mate = {"subagent_type": "general-purpose", "description": "scripted", "name": "mate"}
    api.script(
        "team", ToolUse("Agent", {**mate, "prompt": "Begin. SCRIPT=mate"}), "the end of team"
    )
    api.script("mate", "the mate is done")
    with guarded(claude) as under:
        under.init()
        under.command("up")
        terminal = open_terminal(mode="bypassPermissions", env={**under.env, **OFF_BY_DEFAULT})
        for script in ("hello", "tasks", "team"):
            terminal.say(f"Begin. SCRIPT={script}")
            terminal.wait_for(f"the end of {script}")
        terminal.say("/model sonnet")
        terminal.answer("Yes, switch to", "Enter")
        terminal.say(f"/add-dir {other}")
        terminal.answer(f"{CHOSEN} No, leave it out", "Down")
        terminal.answer(f"{CHOSEN} Yes, add it", "Enter")
        terminal.answer(f"{CHOSEN} 1. Yes, for this session", "Enter")
        _wait_for(under)
        rows = [json.loads(line) for line in under.command("ledger", "export").splitlines()]
        for row in rows:
            if row["transport"] == "hook":
                event = claude_code.read(row["payload"].encode(), row["event"])
                assert (event.problems, event.unknown) == ((), ()), row["event"]
        assert under.unguarded() == set()


def _wait_for(under: Guarded) -> None:
    end = time.monotonic() + 30
    while missing := WANTED - {row["event"] for row in under.rows()}:
        assert time.monotonic() < end, f"not on record: {sorted(missing)}"
        time.sleep(0.2)
