"""Executable hooks: what they say, what they do instead, and that nothing of them stays behind."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from pointsman.model.budget import Budget
from pointsman.model.decision import Action, Cause
from pointsman.model.errors import HookError
from pointsman.model.event import Identity
from pointsman.model.events import PreToolUse
from pointsman.model.hook import HookContext, HookRun, Outcome, Role
from pointsman.paths.content import digest
from pointsman.workers.executable import executable_hook, read_answer
from pointsman.workers.process import Finished

from .hooks import asked, gone

DENY = '{"decision": "deny", "reason": "no"}'


def shell(script: str, tmp_path: Path, role: Role = Role.GUARD, seconds: float = 20.0) -> HookRun:
    body = executable_hook(("/bin/sh", "-c", script), str(tmp_path))
    return asyncio.run(asked(body, role, seconds))


ANSWERS = {
    "exit 0, nothing": ("cat >/dev/null", None, ""),
    "exit 0, null": ("echo null", None, ""),
    "exit 0, an empty object": ("echo '{}'", None, ""),
    "exit 2": ("echo 'not on Fridays' >&2; exit 2", Action.DENY, "not on Fridays"),
    "exit 2, not a word": ("exit 2", Action.DENY, "the hook gave no reason"),
    "a denial": (f"echo '{DENY}'", Action.DENY, "no"),
    "a question": ("""echo '{"decision":"ask","reason":"sure?"}'""", Action.ASK, "sure?"),
    "left behind in its group": (f"sleep 3600 & echo '{DENY}'", Action.DENY, "no"),
}


@pytest.mark.parametrize(("script", "action", "reason"), ANSWERS.values(), ids=ANSWERS)
def test_what_it_says(tmp_path: Path, script: str, action: Action | None, reason: str) -> None:
    run = shell(script, tmp_path)
    if action is None:
        assert run.outcome is Outcome.NO_OPINION
        return
    assert run.decision is not None
    assert (run.decision.action, run.decision.reason) == (action, reason)
    assert run.decision.cause is Cause.VIOLATION


FAILURES = {
    "exit 1": ("echo broken >&2; exit 1", "exit code 1: broken"),
    "exit 127": ("nowhere-to-be-found", "exit code 127"),
    "killed": ("kill -9 $$", "signal 9"),
    "no JSON": ("echo yes", "is not one JSON value"),
    "cut short": ("""printf '{"decision": "den'""", "is not one JSON value"),
    "two values": (f"echo '{DENY}'; echo '{DENY}'", "is not one JSON value"),
    "the same key twice": (
        """echo '{"decision": "deny", "decision": "allow"}'""",
        "the key 'decision' comes twice",
    ),
    "a wrong word": ("""echo '{"decision": "block"}'""", "is none of deny, ask, modify, allow"),
    "another host's word": ("""echo '{"permissionDecision": "deny"}'""", "has unknown keys"),
    "a reason alone": ("""echo '{"reason": "no"}'""", "a reason, but no decision"),
    "a list": ("echo '[]'", "not a JSON object"),
    "modify without input": ("""echo '{"decision": "modify"}'""", "needs the whole new input"),
    "input without modify": ("""echo '{"updated_input": {}}'""", "comes with no decision"),
    "binary": (r"printf '\377\376\000'", "is not one JSON value"),
    "100 MB": ("head -c 100000000 /dev/zero", "more than 1048576 bytes"),
    "100 MB of complaints": ("head -c 100000000 /dev/zero >&2", "more than 1048576 bytes"),
}


@pytest.mark.parametrize(("script", "said"), FAILURES.values(), ids=FAILURES)
def test_a_guard_that_does_not_answer_is_a_hard_stop(
    tmp_path: Path, script: str, said: str
) -> None:
    run = shell(script, tmp_path)
    assert run.outcome is Outcome.CRASHED
    assert said in run.reason
    assert run.decision is not None
    assert (run.decision.action, run.decision.cause) == (Action.DENY, Cause.FAILURE)


def test_an_enricher_that_does_not_answer_stops_nothing(tmp_path: Path) -> None:
    run = shell("exit 1", tmp_path, Role.ENRICHER)
    assert (run.outcome, run.decision) == (Outcome.CRASHED, None)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    run = asyncio.run(asked(executable_hook(("./nowhere",), str(tmp_path))))
    assert run.outcome is Outcome.CRASHED
    assert "could not be started" in run.reason


HANGS = ["sleep 3600", "sleep 3600 & sleep 3600", "trap '' TERM; cat /dev/zero >/dev/null"]


@pytest.mark.parametrize("script", HANGS)
def test_a_hang_ends_with_the_budget_and_its_group(tmp_path: Path, script: str) -> None:
    run = shell(f"echo $$ > pid; {script}", tmp_path, seconds=0.5)
    assert run.outcome is Outcome.TIMED_OUT
    assert "unknown" not in run.reason
    asyncio.run(gone(int((tmp_path / "pid").read_text())))


def test_what_it_leaves_in_its_group_is_ended(tmp_path: Path) -> None:
    run = shell("sleep 3600 & echo $$ > pid", tmp_path)
    assert run.outcome is Outcome.NO_OPINION
    asyncio.run(gone(int((tmp_path / "pid").read_text())))


def test_what_gets_away_with_its_pipes_is_told(tmp_path: Path) -> None:
    script = "setsid sh -c 'echo $$ > pid; exec sleep 3600' & until [ -s pid ]; do :; done"
    run = shell(script, tmp_path)
    escaped = int((tmp_path / "pid").read_text())
    try:
        assert run.outcome is Outcome.CRASHED
        assert "holds its output open" in run.reason
    finally:
        os.kill(escaped, 9)


def test_it_gets_the_event_its_budget_and_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    script = "cat > event; env > env; pwd > cwd"
    shell(script, tmp_path)
    event = json.loads((tmp_path / "event").read_text())
    assert (event["event"], event["tool_name"]) == ("PreToolUse", "Bash")
    environ = (tmp_path / "env").read_text()
    assert "POINTSMAN_BUDGET=19." in environ or "POINTSMAN_BUDGET=20." in environ
    assert "POINTSMAN_SETTINGS={}" in environ
    assert "secret" not in environ
    assert (tmp_path / "cwd").read_text().strip() == str(tmp_path)


def test_a_script_that_changed_since_it_was_trusted_does_not_run(tmp_path: Path) -> None:
    script = tmp_path / "check.sh"
    script.write_text("exit 2")
    sources = {str(script): digest(str(script))}
    script.write_text("touch ran; exit 0")
    run = asyncio.run(asked(executable_hook(("/bin/sh", "check.sh"), str(tmp_path), sources)))
    assert run.outcome is Outcome.CRASHED
    assert "is not what was trusted" in run.reason
    assert not (tmp_path / "ran").exists()


def test_a_script_that_changes_while_it_runs_is_not_believed(tmp_path: Path) -> None:
    script = tmp_path / "check.sh"
    script.write_text("echo '# more' >> check.sh; exit 0\n")
    sources = {str(script): digest(str(script))}
    run = asyncio.run(asked(executable_hook(("/bin/sh", "check.sh"), str(tmp_path), sources)))
    assert run.outcome is Outcome.CRASHED
    assert "was changed while it ran" in run.reason


@pytest.mark.parametrize("code", [c for c in range(-64, 256) if c not in {0, 2}])
def test_no_other_exit_code_is_an_answer(code: int) -> None:
    with pytest.raises(HookError, match=r"signal|exit code"):
        read_answer(Finished(code, DENY.encode(), b""))


def test_a_large_event_that_nobody_reads_hangs_nothing(tmp_path: Path) -> None:
    event = PreToolUse(
        identity=Identity(host="x"), tool_name="Write", tool_input={"content": "x" * 4_000_000}
    )
    body = executable_hook((sys.executable, "-c", "print('{}')"), str(tmp_path))

    async def scenario() -> None:
        assert await body(event, HookContext(budget=Budget.of(20.0))) is None

    asyncio.run(scenario())
