"""What an agent leaves behind is checked when it ends, and sent back so many times."""

import json
import os
import time

import pytest

from hooks.crew import Crew, crew, rule
from pointsman.cli.dry_run import DryRun, delivery_of
from pointsman.model.team import GIVEN_UP

team = pytest.fixture(crew)


def checked(team: Crew, *commands: str, trusted: bool = True, check: str = "tests_pass") -> None:
    listed = "".join(f"\n    - {{check: {check}, command: {each!r}}}" for each in commands)
    team.agent("builder", f"validation:\n  postComplete:{listed}")
    if trusted:
        team.trust()


def test_an_end_whose_checks_hold_passes(team: Crew) -> None:
    checked(team, "true", "test -f ok")
    team.file("ok")
    decision = team.ends("builder").decision
    assert (decision.action, decision.rule) == (None, "")


def test_a_failure_goes_back_with_command_code_and_last_lines(team: Crew) -> None:
    checked(team, "echo out; echo err >&2; exit 3")
    handled = team.ends("builder")
    assert rule(handled) == "completion.failed"
    assert handled.answer.code == 2
    for said in ("exit 3", "exit code 3", "\n    out\n    err", "attempt 1 of 3"):
        assert said in handled.decision.reason
    assert b"exit code 3" in handled.answer.stderr


def test_every_check_is_made(team: Crew) -> None:
    checked(team, "exit 1", "exit 2", "true")
    reason = team.ends("builder").decision.reason
    assert "exit code 1" in reason
    assert "exit code 2" in reason


def test_what_is_mended_passes(team: Crew) -> None:
    checked(team, "test -f done")
    assert rule(team.ends("builder")) == "completion.failed"
    team.file("done")
    assert rule(team.ends("builder")) == ""


def test_it_is_sent_back_so_many_times_and_then_given_up(team: Crew) -> None:
    checked(team, "false")
    team.agent("deployer", "blocked_by: builder")
    team.user("[team]\nattempts = 2\n")
    assert [rule(team.ends("builder")) for _ in range(3)] == ["completion.failed"] * 2 + [""]
    assert "'builder', which did not end well" in team.start("deployer").decision.reason
    # Another of this type begins anew.
    assert rule(team.ends("builder/other")) == "completion.failed"


def test_giving_up_is_on_record(team: Crew) -> None:
    checked(team, "false")
    team.user("[team]\nattempts = 1\n")
    team.ends("builder")
    decision = team.ends("builder").decision
    assert (decision.action, decision.rule) == (None, GIVEN_UP)
    assert "was sent back 1 times" in decision.reason


@pytest.mark.parametrize(("own", "theirs", "count"), [(1, 3, 3), (3, 1, 3), (None, 1, 3)])
def test_a_repository_sends_back_more_often_and_never_less(
    team: Crew, own: int | None, theirs: int, count: int
) -> None:
    checked(team, "false")
    if own is not None:
        team.user(f"[team]\nattempts = {own}\n")
    team.settings(f"[team]\nattempts = {theirs}\n")
    team.trust()
    assert f"of {count}" in team.ends("builder").decision.reason


def test_a_command_that_nobody_trusts_is_not_run(team: Crew) -> None:
    checked(team, "touch ran; exit 1", trusted=False)
    decision = team.ends("builder").decision
    assert (decision.action, decision.rule) == (None, "completion.unverified")
    assert "pointsman trust" in decision.reason
    assert not (team.root / "ran").exists()


def test_a_declaration_that_has_changed_is_not_run(team: Crew) -> None:
    checked(team, "touch ran")
    checked(team, "touch ran2", trusted=False)
    assert "has changed since it was trusted" in team.ends("builder").decision.reason
    assert not (team.root / "ran2").exists()


def test_another_text_for_the_agent_leaves_the_trust_alone(team: Crew) -> None:
    checked(team, "touch ran")
    path = team.root / ".claude/agents/builder.md"
    path.write_text(path.read_text() + "And now do it well.\n")
    team.ends("builder")
    assert (team.root / "ran").exists()


def test_where_it_runs_and_what_it_reads(team: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    checked(team, "pwd > where; cat > input; env > environ")
    team.ends("builder")
    assert (team.root / "where").read_text().strip() == str(team.root)
    assert (team.root / "input").read_text() == ""
    assert "secret" not in (team.root / "environ").read_text()


def test_what_takes_too_long_is_killed_and_could_not_be_verified(team: Crew) -> None:
    checked(team, "echo $$ > pid; echo begun; sleep 60 & sleep 60", "touch second")
    team.user("[budgets]\nSubagentStop = 1.5\n")
    decision = team.ends("builder").decision
    assert (decision.action, decision.rule) == (None, "completion.unverified")
    for said in (
        "it was killed after",
        "SubagentStop = 20 under [budgets]",
        "begun",
        "touch second",
    ):
        assert said in decision.reason
    group = int((team.root / "pid").read_text())
    assert gone(group)
    assert not (team.root / "second").exists()


def gone(group: int) -> bool:
    """Whether nothing of a process group is left; what was killed may still wait to be reaped."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_output_without_end_is_capped(team: Crew) -> None:
    checked(team, "yes x | head -c 3000000; echo the end; exit 1")
    reason = team.ends("builder").decision.reason
    assert "the end" in reason
    assert len(reason) < 8000


def test_a_check_without_a_command_could_not_be_verified(team: Crew) -> None:
    team.agent("builder", "validation: {postComplete: [{check: type_check}]}")
    decision = team.ends("builder").decision
    assert decision.rule == "completion.unverified"
    assert "names no command" in decision.reason


def test_who_declares_nothing_is_not_checked(team: Crew) -> None:
    checked(team, "false")
    assert team.ends("free").decision.action is None
    assert team.say("SubagentStop", stop_hook_active=False).decision.action is None
    assert team.say("Stop").decision.action is None


def test_files_out_of_scope(team: Crew) -> None:
    team.agent(
        "builder",
        "outputs: {allowed_modifications: [src/**]}\n"
        "validation: {postComplete: [{check: scope_valid}]}",
    )
    team.call("Write", "builder", file_path="src/a.py", content="")
    assert rule(team.ends("builder")) == ""
    team.user("[guards.scope]\nenabled = false\n")
    team.call("Write", "builder", file_path="docs/a.md", content="")
    handled = team.ends("builder")
    assert rule(handled) == "completion.failed"
    assert "docs/a.md" in handled.decision.reason
    assert "src/a.py" not in handled.decision.reason


TESTED = """\
contextContract:
  produces:
    files: {scope: "src/**"}
    tests: {scope: "tests/**", requiresTests: true, colocated: %s}
"""
CHANGES = {
    "code alone": ("false", ["src/a.py"], True),
    "code and a test": ("false", ["src/a.py", "tests/test_a.py"], False),
    "a test alone": ("false", ["tests/test_a.py"], False),
    "nothing": ("false", [], False),
    "a test beside it": ("true", ["src/a.py", "src/test_a.py"], False),
    "a test beside another": ("true", ["src/a.py", "src/x/test_a.py"], True),
    "a test beside it that is not declared": ("false", ["src/a.py", "src/test_a.py"], True),
}


@pytest.mark.parametrize(("beside", "files", "stopped"), CHANGES.values(), ids=CHANGES)
def test_who_changes_code_changes_a_test(
    team: Crew, beside: str, files: list[str], stopped: bool
) -> None:
    team.agent("builder", TESTED % beside)
    for name in files:
        assert rule(team.call("Write", "builder", file_path=name, content="")) == ""
    handled = team.ends("builder")
    assert rule(handled) == ("completion.failed" if stopped else "")
    if stopped:
        assert "requiresTests: src/a.py changed" in handled.decision.reason


@pytest.mark.parametrize("committed", [True, False])
def test_a_test_that_a_program_wrote_counts(team: Crew, committed: bool) -> None:
    team.git("init", "-q")
    team.agent("builder", TESTED % "false")
    team.git("add", "-A")
    team.git("commit", "-qm", "one")
    team.call("Write", "builder", file_path="src/a.py", content="")
    assert rule(team.ends("builder")) == "completion.failed"
    team.file("tests/test_a.py")
    if committed:
        team.git("add", "-A")
        team.git("commit", "-qm", "two")
    assert rule(team.ends("builder")) == ""


def test_the_hosts_own_agents_are_nobodys(team: Crew) -> None:
    team.agent("main", "validation: {postComplete: [{check: tests_pass, command: 'false'}]}")
    team.trust()
    handled = team.say("SubagentStop", agent_id="x", agent_type="", stop_hook_active=False)
    assert handled.decision.action is None
    assert handled.decision.rule == ""


def test_what_two_dialects_share_is_run_once(team: Crew) -> None:
    team.agent(
        "builder",
        "outputs: {}\nproduces: {}\n"
        "validation: {postComplete: [{check: tests_pass, command: echo x >> ran}]}",
    )
    team.trust()
    team.ends("builder")
    assert (team.root / "ran").read_text() == "x\n"


def test_a_dry_run_runs_no_command(team: Crew) -> None:
    checked(team, "touch ran")
    payload = {"hook_event_name": "SubagentStop", "session_id": "s", "cwd": str(team.root),
               "agent_id": "x", "agent_type": "builder", "stop_hook_active": False}  # fmt: skip
    with DryRun(team.places) as dry:
        data = json.dumps(payload).encode()
        _, handled = dry.handle(delivery_of(data, "claude-code", str(team.root)))
    assert handled.decision.rule == "completion.unverified"
    assert "only by the daemon" in handled.decision.reason
    assert not (team.root / "ran").exists()
