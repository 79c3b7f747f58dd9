"""Every kind of event that the real client tells, as it arrives in the ledger."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pointsman.agents import claude_code
from pointsman.agents.claude_events import EVENTS, NOT_REGISTERED
from pointsman.model.events import HOST_EVENTS

from .messages_api import MessagesApi, Request, Said, ToolUse, agent, bash, refuse
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host

SERVER = Path(__file__).with_name("mcp_server.py")

ARRIVING = frozenset(
    {"SessionStart", "SessionEnd", "Setup", "InstructionsLoaded", "ConfigChange", "CwdChanged"}
    | {"UserPromptSubmit", "UserPromptExpansion", "MessageDisplay", "Stop", "StopFailure"}
    | {"PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "PermissionRequest"}
    | {"SubagentStart", "SubagentStop", "PreCompact", "PostCompact"}
    | {"Elicitation", "ElicitationResult", "Notification"}
)
"""What the sessions below make the client tell without a terminal."""

ASYNCHRONOUS = frozenset(name for name, row in EVENTS.items() if not row.waits)
"""Without a terminal the client may end before such a hook: on record at best."""

TERMINAL = "a terminal: test_terminal_events.py"
ELSEWHERE = {
    "PreModelSwitch": TERMINAL,
    "PostModelSwitch": TERMINAL,
    "DirectoryAdded": TERMINAL,
    "TaskCreated": f"{TERMINAL}, and tools that are off by default",
    "TaskCompleted": f"{TERMINAL}, and tools that are off by default",
    "TeammateIdle": f"{TERMINAL}, and agent teams, which are off by default",
    "PermissionDenied": "automatic mode's check, which runs on the real API",
    "FileChanged": "files that something else has the client watch",
    "WorktreeRemove": "a worktree that a WorktreeCreate hook made",
    "WorktreeCreate": NOT_REGISTERED["WorktreeCreate"],
}
"""What they do not, and what it would take."""


def _project(under: Guarded) -> None:
    under.write("CLAUDE.md", "Be brief.\n")
    under.write("sub/CLAUDE.md", "Be briefer.\n")
    under.write(
        ".claude/commands/hello.md", "---\ndescription: greet\n---\nSay hello. SCRIPT=hello\n"
    )
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")
    for words in (("add", "-A"), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", *words], cwd=under.project, env=under.environment(), check=True)


def _script(under: Guarded, api: MessagesApi) -> None:
    def edit(_request: Request) -> Said:
        file = under.claude.settings_path()
        settings = json.loads(file.read_text())
        file.write_text(json.dumps({**settings, "cleanupPeriodDays": 20}))
        end = time.monotonic() + 20
        while not under.rows("--event", "ConfigChange") and time.monotonic() < end:
            time.sleep(0.1)
        return bash("true")

    api.script(
        "main",
        bash("echo one"),
        bash("exit 3"),
        ToolUse("Write", {"file_path": str(under.project / "a.txt"), "content": "x"}),
        ToolUse("Read", {"file_path": str(under.project / "sub/CLAUDE.md")}),
        bash("cd sub"),
        bash("cd .."),
        agent("sub"),
        [ToolUse("mcp__rig__echo", {"text": "x"}), ToolUse("mcp__rig__fail", {"text": "x"})],
        ToolUse("mcp__rig__elicit", {"text": "x"}),
        ToolUse("EnterWorktree", {"name": "w1"}),
        ToolUse("ExitWorktree", {"action": "remove"}),
        edit,
        bash("git reset --hard"),
        [bash("echo two"), bash("echo three"), bash("$X y")],
    )
    api.script("sub", bash("echo sub"), bash("git reset --hard"), "sub done")
    api.script("refused", refuse(400))
    api.script("ask", bash(f"touch {under.project}/q"))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, claude_binary: Path) -> Iterator[Guarded]:
    """A project after sessions that make the client tell what it can without a terminal."""
    root = tmp_path_factory.mktemp("events")
    with (
        MessagesApi() as api,
        Claude(root / "project", root / "home", api, claude_binary) as claude,
        guarded(claude) as under,
    ):
        under.init()
        _project(under)
        _script(under, api)
        servers = {"mcpServers": {"rig": {"command": sys.executable, "args": [str(SERVER)]}}}
        config = root / "mcp.json"
        config.write_text(json.dumps(servers))
        claude.run("Begin. SCRIPT=main", env=under.env, extra_args=["--mcp-config", str(config)])
        claude.run("/hello", env=under.env)
        claude.run("Begin. SCRIPT=refused", env=under.env)
        claude.run("Begin. SCRIPT=ask", env=under.env, mode="default")
        claude.run("/compact", env=under.env, extra_args=["--continue"])
        with claude.start("", env=under.env, extra_args=["--init-only"]) as session:
            session.finish()
        yield under


@pytest.fixture(scope="module")
def exported(told: Guarded) -> Sequence[Mapping[str, Any]]:
    """Every event that came from the client, whole."""
    rows = [json.loads(line) for line in told.command("ledger", "export").splitlines()]
    return [row for row in rows if row["transport"] == "hook"]


def test_every_kind_is_accounted_for() -> None:
    assert len(HOST_EVENTS) == 33
    assert ARRIVING | set(ELSEWHERE) == set(HOST_EVENTS)
    assert not ARRIVING & set(ELSEWHERE)


@pytest.mark.parametrize("event", sorted(ARRIVING - ASYNCHRONOUS))
def test_it_arrives(exported: Sequence[Mapping[str, Any]], event: str) -> None:
    assert event in {row["event"] for row in exported}


def test_what_nobody_waits_for_arrives_too_while_the_session_lasts(
    exported: Sequence[Mapping[str, Any]],
) -> None:
    """One of them may be lost at the end of a session; all of them together are not."""
    found = {row["event"] for row in exported} & ASYNCHRONOUS
    assert {"InstructionsLoaded", "CwdChanged", "SessionEnd"} <= found


def test_nothing_in_it_is_unknown_or_of_another_shape(
    exported: Sequence[Mapping[str, Any]],
) -> None:
    for row in exported:
        event = claude_code.read(row["payload"].encode(), row["event"])
        assert type(event) is HOST_EVENTS[row["event"]]
        assert (event.problems, event.unknown, row["problems"]) == ((), (), None), row["event"]


def test_who_it_was_is_on_every_row(exported: Sequence[Mapping[str, Any]], told: Guarded) -> None:
    for row in exported:
        assert row["host"] == "claude-code"
        assert row["session"]
        assert row["cwd"]
        # A linked worktree counts as itself.
        assert row["repository"] in {str(told.project), f"{told.project}/.claude/worktrees/w1"}
    calls = [row for row in exported if row["event"] in {"PreToolUse", "PostToolUse"}]
    assert all(row["prompt_id"] and row["tool_use_id"] for row in calls)
    (sub,) = [row for row in calls if row["tool_use_id"] == "toolu_sub_1_0"]
    assert (sub["agent"], sub["parent"], sub["decision"]) == ("general-purpose", "main", "deny")
    assert sub["agent_id"]


def test_mcp_calls_are_told_apart(exported: Sequence[Mapping[str, Any]]) -> None:
    tools = {row["tool"]: row["event"] for row in exported if row["tool"].startswith("mcp__")}
    assert tools == {
        "mcp__rig__echo": "PostToolUse",
        "mcp__rig__fail": "PostToolUseFailure",
        "mcp__rig__elicit": "PostToolUse",
    }


def test_no_call_ran_unguarded(told: Guarded) -> None:
    assert len(told.transcript_calls()) > 15
    assert told.unguarded() == set()


def test_a_denied_call_has_no_post_event_and_is_on_record(
    exported: Sequence[Mapping[str, Any]],
) -> None:
    found = [row for row in exported if row["tool_use_id"] == "toolu_main_12_0"]
    assert [(row["event"], row["decision"]) for row in found] == [("PreToolUse", "deny")]


def test_the_session_replays_the_same_to_the_byte(
    exported: Sequence[Mapping[str, Any]], told: Guarded
) -> None:
    begun = [row for row in exported if row["tool_use_id"] == "toolu_main_0_0"]
    session = begun[0]["session"]
    first = told.command("replay", session, "--json")
    assert first == told.command("replay", session, "--json")
    rows = [json.loads(line) for line in first.splitlines()]
    was = {row["seq"] for row in exported if row["session"] == session}
    assert was <= {row["seq"] for row in rows}
    assert not [row for row in rows if row["changed"] and row["seq"] in was]
    assert {row["now"] for row in rows} >= {"none", "deny", "ask"}
