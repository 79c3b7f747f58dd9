"""Questions in the real Claude Code: who is asked, and what a person's yes lets through."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .messages_api import Gate, MessagesApi, Pause, ToolUse, agent, bash
from .pointsman_session import Guarded, guarded
from .session import Claude
from .terminal import Terminal

pytestmark = pytest.mark.host

ASK = "$UNKNOWN_PROGRAM"
"""A command that cannot be read, so that a person is asked."""


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings."""
    with guarded(claude) as project:
        project.init()
        yield project


def approvals(under: Guarded, *words: str) -> list[dict[str, object]]:
    text = under.command("approvals", "list", "--json", *words)
    return [json.loads(line) for line in text.splitlines()]


def waiting(under: Guarded) -> str:
    (row,) = approvals(under, "--state", "waiting")
    return str(row["id"])


def counting(marker: Path) -> ToolUse:
    """Return a call that is asked about, and leaves a mark each time it runs."""
    return bash(f"echo x >> {marker}; {ASK} || true")


def runs(marker: Path) -> int:
    return len(marker.read_text()) // 2 if marker.exists() else 0


@pytest.mark.parametrize("mode", ["bypassPermissions", "default"])
def test_asked_queued_approved_run_once_and_queued_again(
    under: Guarded, api: MessagesApi, mode: str
) -> None:
    marker, gate = under.project / "ran", Gate()
    call = counting(marker)
    api.script("main", call, Pause(gate, call), call)
    with under.claude.start("Begin. SCRIPT=main", mode=mode, env=under.env) as session:
        gate.wait()
        assert runs(marker) == 0
        name = waiting(under)
        under.command("approvals", "approve", name, "--note", "fine")
        gate.open()
        result = session.finish()
    told = [result.tool_results[f"toolu_main_{turn}_0"] for turn in range(3)]
    assert [each.is_error for each in told] == [True, False, True]
    assert runs(marker) == 1
    assert f"approval {name}" in told[0].text
    assert "Go on with other work" in told[0].text
    again = waiting(under)
    assert again != name
    assert f"approval {again}" in told[2].text
    assert [row["id"] for row in approvals(under, "--state", "used")] == [name]
    decisions = [under.row(f"toolu_main_{turn}_0") for turn in range(3)]
    assert [(row["decision"], row["rule"]) for row in decisions] == [
        ("deny", "approval.waiting"), ("none", "approval.used"), ("deny", "approval.waiting"),
    ]  # fmt: skip
    allowed = [
        row for row in under.rows("--event", "PermissionRequest") if row["decision"] != "none"
    ]
    # Only where the host would have refused for want of anybody: never in a mode that runs it.
    assert [row["decision"] for row in allowed] == (["allow"] if mode == "default" else [])


def test_a_yes_holds_over_a_resumed_session(under: Guarded, api: MessagesApi) -> None:
    marker = under.project / "ran"
    api.script("one", counting(marker))
    api.script("two", counting(marker))
    first = under.claude.run("Begin. SCRIPT=one", env=under.env)
    under.command("approvals", "approve", waiting(under))
    resume = ("--resume", first.session_id)
    under.claude.run("Begin. SCRIPT=two", env=under.env, extra_args=resume)
    assert runs(marker) == 1


def test_in_a_session_of_its_own_only_a_yes_for_any_holds(under: Guarded, api: MessagesApi) -> None:
    marker = under.project / "ran"
    api.script("main", counting(marker))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    name = waiting(under)
    under.command("approvals", "approve", name)
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert runs(marker) == 0
    under.command("approvals", "approve", waiting(under), "--any-session")
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert runs(marker) == 1


def test_another_input_runs_in_its_place(under: Guarded, api: MessagesApi) -> None:
    marker, gate = under.project / "ran", Gate()
    api.script("main", counting(marker), Pause(gate, counting(marker)))
    with under.claude.start("Begin. SCRIPT=main", mode="default", env=under.env) as session:
        gate.wait()
        given = json.dumps({"command": f"echo modified > {under.project}/modified"})
        under.command("approvals", "modify", waiting(under), "--input", given)
        gate.open()
        session.finish()
    assert (under.project / "modified").read_text() == "modified\n"
    assert runs(marker) == 0


def test_a_subagent_s_question_is_its_own(under: Guarded, api: MessagesApi) -> None:
    marker, gate = under.project / "ran", Gate()
    call = counting(marker)
    api.script("main", agent("sub"), call)
    api.script("sub", call, Pause(gate, call))
    with under.claude.start("Begin. SCRIPT=main", env=under.env) as session:
        gate.wait()
        under.command("approvals", "approve", waiting(under))
        gate.open()
        result = session.finish()
    assert result.tool_results["toolu_main_1_0"].is_error
    assert runs(marker) == 1
    assert under.row("toolu_sub_1_0")["rule"] == "approval.used"


def test_an_agent_does_not_answer_its_own_question(under: Guarded, api: MessagesApi) -> None:
    marker = under.project / "ran"
    command = under.command_path

    def approve(_request: object) -> ToolUse:
        return bash(f"{command} approvals approve {waiting(under)}")

    def by_file(_request: object) -> ToolUse:
        script = (
            f"subprocess.run(['{command}', 'approv' + 'als', 'app' + 'rove', '{waiting(under)}'])"
        )
        return bash(f'python3 -c "import subprocess; {script}"')

    api.script("main", counting(marker), approve, by_file, counting(marker))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    for turn in range(4):
        told = result.tool_results[f"toolu_main_{turn}_0"]
        assert told.is_error or "approved" not in told.text
    assert runs(marker) == 0
    assert approvals(under, "--state", "approved", "--state", "used") == []


def test_at_a_terminal_the_host_asks_and_the_answer_is_inferred(
    under: Guarded, api: MessagesApi, open_terminal: Callable[..., Terminal]
) -> None:
    marker = under.project / "ran"
    api.script("yes", counting(marker), "the end of yes")
    api.script("no", counting(marker), "never said")
    api.script("next", "the end of next")
    terminal = open_terminal(mode="bypassPermissions", env=under.env)
    terminal.say("Begin. SCRIPT=yes")
    terminal.answer("Do you want to proceed?", "Enter")
    terminal.wait_for("the end of yes")
    terminal.say("Begin. SCRIPT=no")
    terminal.answer("Do you want to proceed?", "Escape")
    terminal.wait_for("Interrupted")
    terminal.say("Begin. SCRIPT=next")
    terminal.wait_for("the end of next")
    rows = approvals(under, "--all")
    assert [row["state"] for row in rows] == ["answered yes", "answered no"]
    figures = json.loads(under.command("approvals", "stats", "--json"))["all"]
    assert (figures["approved"], figures["refused"], figures["open"]) == (1, 1, 0)
    assert figures["median_s"] > 0
