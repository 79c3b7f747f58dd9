"""The real Claude Code under Pointsman: what it runs, what the model is told, what is on record."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .messages_api import Gate, MessagesApi, Pause, ToolUse, agent, bash
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings."""
    with guarded(claude) as project:
        project.init()
        yield project


def write(path: Path, text: str = "x") -> ToolUse:
    return ToolUse("Write", {"file_path": str(path), "content": text})


def test_a_harmless_call_runs_and_is_on_record(under: Guarded, api: MessagesApi) -> None:
    api.script("main", bash("echo hello"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert result.tool_results["toolu_main_0_0"].text == "hello"
    row = under.row("toolu_main_0_0")
    assert (row["decision"], row["tool"], row["agent"]) == ("none", "Bash", "main")
    assert under.row("toolu_main_0_0", "PostToolUse")["session"] == result.session_id


def test_a_denied_command_does_not_run_and_is_on_record(under: Guarded, api: MessagesApi) -> None:
    marker = under.project / "ran"
    api.script("main", bash(f"touch {marker}; git reset --hard"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    told = result.tool_results["toolu_main_0_0"]
    assert told.is_error
    assert "git reset --hard throws uncommitted work away" in told.text
    assert "pointsman-hook" not in told.text
    assert not marker.exists()
    row = under.row("toolu_main_0_0")
    assert (row["decision"], row["rule"]) == ("deny", "command.git-reset-hard")
    after = {"PostToolUse", "PostToolUseFailure"}
    assert not [row for row in under.rows() if row["event"] in after]


def test_a_question_without_anybody_to_ask_stops(under: Guarded, api: MessagesApi) -> None:
    marker = under.project / "ran"
    api.script("main", bash(f"touch {marker}; $UNKNOWN_PROGRAM x"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert not marker.exists()
    assert result.tool_results["toolu_main_0_0"].is_error
    row = under.row("toolu_main_0_0")
    assert (row["decision"], row["rule"]) == ("deny", "approval.waiting")


def test_a_hook_of_the_repository_changes_the_input_and_adds_context(
    under: Guarded, api: MessagesApi
) -> None:
    under.write(
        ".pointsman/hooks/ours.py",
        "from pointsman import enricher, guard, inject, modify\n\n\n"
        '@guard("PreToolUse", tools="Bash")\n'
        "async def rewrite(event, ctx):\n"
        '    return modify({**event.tool_input, "command": "echo rewritten"})\n\n\n'
        '@enricher("UserPromptSubmit")\n'
        "async def tell(event, ctx):\n"
        '    return inject("the moon is made of basalt")\n',
    )
    under.command("trust")
    api.script("main", bash("echo original"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert result.tool_results["toolu_main_0_0"].text == "rewritten"
    assert under.row("toolu_main_0_0")["decision"] == "modify"
    assert any("the moon is made of basalt" in json.dumps(seen.body) for seen in api.requests)


def test_context_of_every_kind_reaches_the_model(under: Guarded, api: MessagesApi) -> None:
    events = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse")
    body = "from pointsman import enricher, inject\n"
    for event in events:
        body += f'\n\n@enricher("{event}")\nasync def at_{event.lower()}(event, ctx):\n'
        body += f'    return inject("the word of {event}")\n'
    under.write(".pointsman/hooks/words.py", body)
    under.command("trust")
    api.script("main", bash("echo one"), "done")
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    first, second = (json.dumps(request.body["messages"]) for request in api.answered("main"))
    for event in events:
        assert f"the word of {event}" in second
        assert (f"the word of {event}" in first) is (event in events[:2])


def test_a_subagent_is_held_to_its_contract(under: Guarded, api: MessagesApi) -> None:
    under.contract("builder", "src/**")
    inside, outside = under.project / "src" / "a.txt", under.project / "b.txt"
    api.script("main", agent("sub", subagent_type="builder", run_in_background=False))
    api.script("sub", write(inside), write(outside))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert inside.exists()
    assert not outside.exists()
    row = under.row("toolu_sub_1_0")
    assert (row["decision"], row["rule"], row["agent"]) == ("deny", "scope.outside", "builder")
    assert row["parent"] == "main"
    assert "src/**" in row["reason"]
    assert str(outside) in row["reason"]
    edits = [row["path"] for row in under.rows("--event", "PreEdit")]
    assert edits == [str(inside), str(outside)]


@pytest.mark.parametrize("scope", ["project", "local"])
def test_an_agent_cannot_take_our_hooks_out(under: Guarded, api: MessagesApi, scope: str) -> None:
    if scope == "local":
        under.command("uninstall")
        under.init("local")
    settings = under.claude.settings_path(scope)
    before = settings.read_bytes()
    ways = ("echo '{{}}' > {0}", "rm {0}", "mv {0} {0}.away", "echo '{{' > {0}")
    tries = [bash(way.format(settings)) for way in ways]
    api.script("main", *tries, write(settings, "{}"), bash("sleep 1"), bash("git reset --hard"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert settings.read_bytes() == before
    rules = {row["tool_use_id"]: row["rule"] for row in under.rows("--event", "PreToolUse")}
    for number in range(len(ways) + 1):
        assert result.tool_results[f"toolu_main_{number}_0"].is_error
        assert rules[f"toolu_main_{number}_0"] == "self.settings"
    assert rules[f"toolu_main_{len(ways) + 2}_0"] == "command.git-reset-hard"


def test_hooks_stay_when_all_are_disabled_from_outside(under: Guarded, api: MessagesApi) -> None:
    gate = Gate()
    api.script("main", bash("echo one"), Pause(gate, bash("sleep 2")), bash("git reset --hard"))
    with under.claude.start("Begin. SCRIPT=main", env=under.env) as session:
        gate.wait()
        under.claude.settings_path("local").write_text('{"disableAllHooks": true}')
        gate.open()
        result = session.finish()
    assert result.tool_results["toolu_main_2_0"].is_error
    assert under.row("toolu_main_2_0")["rule"] == "command.git-reset-hard"
    vetoed = [row for row in under.rows("--event", "ConfigChange") if row["decision"] == "deny"]
    assert vetoed


def test_the_daemon_is_killed_and_the_session_goes_on_guarded(
    under: Guarded, api: MessagesApi
) -> None:
    gate = Gate()
    api.script("main", bash("echo one"), Pause(gate, bash("echo two")), bash("git reset --hard"))
    with under.claude.start("Begin. SCRIPT=main", env=under.env) as session:
        gate.wait()
        first = under.daemon_pid()
        os.kill(first, signal.SIGKILL)
        gate.open()
        result = session.finish()
    assert result.tool_results["toolu_main_1_0"].text == "two"
    assert result.tool_results["toolu_main_2_0"].is_error
    for call in ("toolu_main_0_0", "toolu_main_1_0", "toolu_main_2_0"):
        assert under.row(call)
    assert under.daemon_pid() != first
