"""A command that is about to run: with its decision, without one, and who it is judged for."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from approving import store_in
from pointsman.agents.claude_events import registration
from pointsman.case import Case, Handled
from pointsman.desk import Desk
from pointsman.engine.run import Clock
from pointsman.engine.whose import NO_HOOK
from pointsman.model.answer import PASS, STOP, Answer
from pointsman.model.confinement import Confinement, Prefix
from pointsman.model.contract import Contract
from pointsman.model.decision import Action, Decision, ask, deny, modify
from pointsman.model.event import HOST, PERSON, Event
from pointsman.model.events import ErrorEscalation
from pointsman.model.policy import Policy
from pointsman.runtime import Runtime
from pointsman.second_gate import Passage, Run, Services
from pointsman.store import verdicts
from pointsman.store.approvals import Approvals
from pointsman.store.lookback import Past
from pointsman.store.recorder import Recorder
from scene import Fixed, Journal, delivery, hook

WORKER = Contract(agent="worker", source="w.md", root="/r", allowed=("src/**",))
TESTER = Contract(agent="tester", source="t.md", root="/r", allowed=("tests/**",))
POLICY = Policy(repository="/r", contracts={"worker": (WORKER,), "tester": (TESTER,)})


def text(command: str) -> bytes:
    word = "'" + command.replace("'", "'\"'\"'") + "'"
    return f"source /s.sh 2>/dev/null || true && eval {word} < /dev/null && pwd -P >| /c".encode()


class Box:
    """A sandbox that says whose contracts it was asked to hold a command to."""

    def __init__(self) -> None:
        self.held: list[list[str]] = []
        self.works = True

    def hold(
        self, contracts: Sequence[Contract], root: str, cwd: str, environ: Mapping[str, str]
    ) -> tuple[Confinement, Prefix]:
        del cwd, environ
        self.held.append([contract.agent for contract in contracts])
        made = Confinement(root=root, writable=(f"{root}/src",), protected=())
        if not self.works:
            return made, Prefix(mechanism="none", limits=("bubblewrap: missing",))
        return made, Prefix(mechanism="bubblewrap", words=("/bin/box", "--", ""))


def judged(event: Event) -> Decision | None:
    command = getattr(event, "tool_input", {}).get("command", "")
    answers = {"bad": deny("it is bad", rule="r.bad"), "odd": ask("is it meant?", rule="r.odd")}
    if command == "scoped" and event.identity.agent == "worker":
        return deny("worker may not", rule="scope.outside")
    if command == "changed":
        return modify({"command": "other"})
    return answers.get(command)


class Gate:
    """A runtime whose hooks are in the settings of a repository, or are not."""

    def __init__(
        self,
        folder: Path,
        policy: Policy = POLICY,
        past: Sequence[Past] = (),
        desk: Desk | None = None,
    ) -> None:
        self.folder = folder
        self.journal, self.box = Journal(), Box()
        self.beside: list[tuple[str, str, int]] = []
        services = Services(
            sandbox=self.box,
            past=lambda *_: past,
            home=str(folder / "home"),
            beside=lambda *told: self.beside.append(told),
        )
        self.runtime = Runtime(
            Fixed([hook("g", judged)], policy),
            Recorder(self.journal),
            Clock(wall_ns=lambda: 42),
            gate=services,
            desk=desk,
        )
        self.register()

    def register(self) -> None:
        self.settings.parent.mkdir(exist_ok=True, parents=True)
        hooks = registration(("/bin/pointsman-hook",), (9999,))
        self.settings.write_text(json.dumps({"hooks": hooks}))

    @property
    def settings(self) -> Path:
        return self.folder / ".claude" / "settings.json"

    def hooks(self, *events: str, **native: Any) -> None:
        async def deliver() -> None:
            for event in events:
                await self.runtime.handle(delivery(event, **native))
            await self.runtime.settle()

        asyncio.run(deliver())

    def call(self, command: str, call: str = "t", **native: Any) -> None:
        self.hooks("PreToolUse", tool_input={"command": command}, tool_use_id=call, **native)

    def run(self, command: str | bytes, **more: Any) -> Passage | Handled:
        given = command if isinstance(command, bytes) else text(command)
        # Begun in the folder: there the settings are looked for.
        run = Run(agent="claude-code", session="s", text=given, cwd=str(self.folder), **more)

        async def go() -> Passage | Handled:
            case = self.runtime.open_exec(run)
            if not isinstance(case, Case):
                return case
            handled = await self.runtime.finish(case)
            await self.runtime.settle()
            return handled

        return asyncio.run(go())

    def stopped(self, command: str | bytes, **more: Any) -> Handled:
        handled = self.run(command, **more)
        assert isinstance(handled, Handled)
        assert (handled.answer.code, handled.answer.stdout) == (STOP, b"")
        assert handled.answer.stderr.startswith(b"Pointsman ")
        return handled

    def passed(self, command: str | bytes, **more: Any) -> Handled:
        handled = self.run(command, **more)
        assert isinstance(handled, Handled)
        assert handled.answer.code == PASS
        return handled

    @property
    def alerts(self) -> list[ErrorEscalation]:
        events = [record.event for record in self.journal.records]
        return [event for event in events if isinstance(event, ErrorEscalation)]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    (tmp_path / ".git").mkdir()
    return Gate(tmp_path)


# --- with a decision -----------------------------------------------------------------------------


def test_a_call_that_passed_its_hook_runs_as_it_is_and_needs_no_row(gate: Gate) -> None:
    gate.call("make")
    rows = len(gate.journal.records)
    assert gate.run("make") == Passage(Answer())
    assert len(gate.journal.records) == rows


def test_a_scoped_agent_is_held_by_the_kernel_and_that_is_on_record(gate: Gate) -> None:
    gate.call("make", agent_id="a1", agent_type="worker")
    found = gate.run("make")
    assert isinstance(found, Passage)
    assert found.answer == Answer(PASS, b"/bin/box\0--\0\0")
    (run,) = found.runs
    assert (run.hook, run.reason) == ("sandbox", "bubblewrap: 1 writable, 0 protected")
    assert found.seq == 1
    assert gate.box.held == [["worker"]]


def test_without_a_sandbox_the_record_says_so(gate: Gate) -> None:
    gate.box.works = False
    gate.call("make", agent_id="a1", agent_type="worker")
    found = gate.run("make")
    assert isinstance(found, Passage)
    assert found.answer == Answer()
    assert found.runs[0].reason == "no sandbox on this machine (bubblewrap: missing)"


def test_switched_off_nothing_holds_it_and_the_record_says_so(tmp_path: Path) -> None:
    gate = Gate(tmp_path, replace(POLICY, sandbox=False))
    gate.call("make", agent_id="a1", agent_type="worker")
    found = gate.run("make")
    assert isinstance(found, Passage)
    assert (found.answer, gate.box.held) == (Answer(), [])
    assert "sandbox.enabled" in found.runs[0].reason


def test_a_second_run_needs_a_second_decision(gate: Gate) -> None:
    gate.hooks("UserPromptSubmit")
    gate.call("make")
    assert isinstance(gate.run("make"), Passage)
    assert gate.passed("make").decision.rule == NO_HOOK
    assert len(gate.alerts) == 1


def test_a_question_that_the_host_put_to_its_person_is_answered_by_the_run(gate: Gate) -> None:
    gate.call("odd")
    assert isinstance(gate.run("odd"), Passage)


def test_a_denied_call_is_stopped_here_again(gate: Gate) -> None:
    gate.call("bad")
    handled = gate.stopped("bad")
    assert handled.decision.rule == "exec.denied"
    assert "it is bad" in handled.decision.reason
    assert [alert.trigger for alert in gate.alerts] == ["command without a hook"]


def test_a_call_whose_guards_have_not_answered_is_stopped(gate: Gate) -> None:
    gate.runtime.open(delivery(tool_input={"command": "make"}, tool_use_id="t"))
    assert gate.stopped("make").decision.rule == "exec.unanswered"


def test_two_agents_with_one_command_are_held_to_both_contracts(gate: Gate) -> None:
    gate.call("make", "t1")
    gate.call("make", "t2", agent_id="a1", agent_type="worker")
    gate.run("make")
    assert gate.box.held == [["worker"]]


# --- without one ---------------------------------------------------------------------------------


def test_no_record_is_no_reason_to_stop(gate: Gate) -> None:
    handled = gate.passed("make")
    (record,) = [one for one in gate.journal.records if one.transport == "exec"]
    assert (record.event.kind, record.event.tool) == ("PreToolUse", "Bash")
    assert (handled.decision.action, handled.decision.rule) == (None, NO_HOOK)
    assert [(run.hook, run.decision and run.decision.rule) for run in record.runs] == [
        ("g", None), ("second-gate", NO_HOOK),
    ]  # fmt: skip
    assert json.loads(record.payload)["tool_input"] == {"command": "make"}


@pytest.mark.parametrize("command", ["bad", "odd", "changed"])
def test_what_a_guard_objects_to_is_stopped_in_words(gate: Gate, command: str) -> None:
    gate.hooks("UserPromptSubmit")
    gate.call("ls")
    handled = gate.stopped(command)
    assert handled.decision.action is Action.DENY
    assert b"terminal of their own" in handled.answer.stderr
    assert b"pointsman doctor" in handled.answer.stderr
    assert gate.journal.records[-1].event == gate.alerts[-1]


def test_who_acts_is_not_known_so_everybody_at_work_must_be_allowed(gate: Gate) -> None:
    gate.hooks("SubagentStart", agent_id="a1", agent_type="worker")
    gate.hooks("SubagentStart", agent_id="a2", agent_type="tester")
    gate.hooks("SubagentStart", agent_id="a3", agent_type="free")
    gate.settings.write_text("{}")
    assert gate.stopped("scoped").decision.rule == "scope.outside"
    gate.passed("make")
    assert gate.box.held == [["worker", "tester"]]
    gate.hooks("SubagentStop", agent_id="a1", agent_type="worker")
    gate.passed("scoped")
    assert gate.box.held[1:] == [["tester"]]


def test_settings_emptied_in_the_middle_leave_the_guards(gate: Gate) -> None:
    gate.hooks("SessionStart", "UserPromptSubmit")
    gate.call("rm .claude/settings.json")
    gate.run("rm .claude/settings.json")
    gate.settings.unlink()
    assert gate.stopped("bad").decision.rule == "r.bad"
    (alert,) = gate.alerts
    assert alert.trigger == "command without a hook"
    assert alert.summary.endswith(": bad")


def test_an_alarm_is_raised_only_where_hooks_were_expected(gate: Gate) -> None:
    gate.settings.unlink()
    gate.passed("make")
    assert not gate.alerts
    gate.register()
    gate.passed("make")
    assert len(gate.alerts) == 1


def test_an_agent_that_no_hook_has_told_of_is_known_by_the_hosts_files(gate: Gate) -> None:
    gate.hooks("SessionStart", "UserPromptSubmit")
    gate.settings.write_text("{}")
    folder = gate.folder / "home/.claude/projects/-x/s/subagents"
    folder.mkdir(parents=True)
    (folder / "agent-1.jsonl").write_text("{}\n")
    (folder / "agent-1.meta.json").write_text('{"agentType": "worker"}')
    assert gate.stopped("scoped").decision.rule == "scope.outside"
    gate.passed("make")
    assert gate.box.held == [["worker"]]


# --- a person, a command file, the host itself ---------------------------------------------------


@pytest.mark.parametrize("before", [["SessionStart"], ["UserPromptSubmit", "Stop"]])
def test_what_is_typed_while_the_agent_waits_is_a_persons(gate: Gate, before: list[str]) -> None:
    gate.hooks(*before)
    handled = gate.passed("odd")
    assert handled.event.identity.agent == PERSON
    assert handled.decision.action is None
    assert "is it meant?" in handled.decision.reason
    assert gate.passed("scoped").answer == Answer()
    denied = gate.stopped("bad")
    assert b"in a terminal of your own" in denied.answer.stderr
    assert not gate.alerts


def test_a_background_agent_at_work_is_not_taken_for_the_person(gate: Gate) -> None:
    gate.hooks("UserPromptSubmit")
    gate.hooks("SubagentStart", agent_id="a1", agent_type="worker")
    gate.hooks("Stop")
    assert gate.passed("make").event.identity.agent == PERSON
    # With the hooks gone, it could be that agent's.
    gate.settings.write_text('{"disableAllHooks": true}')
    gate.passed("make")
    assert gate.box.held == [["worker"]]


def test_what_a_command_file_embeds_raises_no_alarm(gate: Gate) -> None:
    gate.hooks("UserPromptSubmit", "UserPromptExpansion")
    gate.passed("git status")
    assert not gate.alerts
    gate.stopped("bad")


def test_the_hosts_own_commands_go_on_to_work(gate: Gate) -> None:
    gate.hooks("SessionStart")
    rows = len(gate.journal.records)
    for command in (b"odd", b"prettier --write $FILE", text("x")[:-1] + b"'"):
        assert gate.run(command, project=str(gate.folder)) == Passage(Answer())
    assert len(gate.journal.records) == rows
    handled = gate.stopped(b"bad", project=str(gate.folder))
    assert handled.event.identity.agent == HOST


def test_what_runs_beside_the_agents_calls_is_taken_down_with_its_process(gate: Gate) -> None:
    gate.hooks("SessionStart", "UserPromptSubmit", "Stop")
    gate.run(b"prettier --write $FILE", project=str(gate.folder), pid=7)
    gate.run("make", pid=8)
    gate.call("cat")
    gate.run("cat", pid=9)
    where = str(gate.folder)
    assert gate.beside == [(where, HOST, 7), (where, PERSON, 8)]


def test_with_the_hooks_gone_the_hosts_own_commands_are_anybodys(gate: Gate) -> None:
    gate.hooks("SubagentStart", agent_id="a1", agent_type="worker")
    gate.settings.write_text("{}")
    gate.stopped(b"scoped", project=str(gate.folder))
    assert len(gate.alerts) == 1


def test_a_text_that_cannot_be_taken_apart_is_judged_whole(gate: Gate) -> None:
    handled = gate.stopped(b"bad")
    assert json.loads(handled.record.payload)["tool_input"]["command"] == "bad"


# --- after a restart -----------------------------------------------------------------------------


def past(seq: int, event: str, decision: str = "none", **native: Any) -> Past:
    payload = delivery(event, **native).payload
    return Past(seq, event, seq, "/nowhere", "/r", decision, "", payload)


def test_decisions_and_agents_are_found_in_the_record_again(tmp_path: Path) -> None:
    known = [
        past(1, "SubagentStart", agent_id="a1", agent_type="worker"),
        past(2, "PreToolUse", tool_input={"command": "make"}, tool_use_id="t",
             agent_id="a1", agent_type="worker"),
        past(3, "PreToolUse", "deny", tool_input={"command": "no"}, tool_use_id="u"),
        replace(past(4, "PreToolUse"), payload=b"{"),
    ]  # fmt: skip
    gate = Gate(tmp_path, past=known)
    found = gate.run("make")
    assert isinstance(found, Passage)
    assert (found.seq, gate.box.held) == (2, [["worker"]])
    assert gate.stopped("no").decision.rule == "exec.denied"
    gate.settings.unlink()
    gate.stopped("scoped")


def test_a_session_that_was_seen_from_its_start_has_no_other_past(tmp_path: Path) -> None:
    gate = Gate(tmp_path, past=[past(2, "PreToolUse", tool_input={"command": "make"})])
    gate.hooks("SessionStart", source="startup")
    gate.passed("make")


def test_a_session_nobody_has_seen_is_judged_as_the_main_thread(gate: Gate) -> None:
    assert gate.passed("scoped").event.identity.agent_type is None
    gate.stopped("bad")


# --- questions and the people who answer them ----------------------------------------------------


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Approvals]:
    (tmp_path / ".git").mkdir()
    store = store_in(tmp_path)
    yield store
    store.close()


def test_a_question_is_queued_and_runs_once_after_a_yes(queue: Approvals, tmp_path: Path) -> None:
    gate = Gate(tmp_path, desk=Desk(queue))
    gate.hooks("UserPromptSubmit")
    stop = gate.stopped("odd")
    (one,) = queue.some()
    assert one.id in stop.answer.stderr.decode()
    assert "is it meant?" in stop.answer.stderr.decode()
    gate.stopped("odd")
    verdicts.approve(queue, one.id, "me")
    passed = gate.passed("odd")
    assert passed.decision.rule == NO_HOOK
    assert f"approved by me as {one.id}" in passed.decision.reason
    gate.stopped("odd")
    assert len(queue.some()) == 2


def test_a_no_stands_at_the_second_gate(queue: Approvals, tmp_path: Path) -> None:
    gate = Gate(tmp_path, desk=Desk(queue))
    gate.hooks("UserPromptSubmit")
    gate.stopped("odd")
    verdicts.refuse(queue, queue.some()[0].id, "me", "not now")
    assert b"not now" in gate.stopped("odd").answer.stderr


def test_a_yes_does_not_overrule_a_denial(queue: Approvals, tmp_path: Path) -> None:
    gate = Gate(tmp_path, desk=Desk(queue))
    gate.hooks("UserPromptSubmit")
    gate.stopped("bad")
    assert queue.some() == []


def test_what_a_person_writes_in_its_place_is_too_late(queue: Approvals, tmp_path: Path) -> None:
    gate = Gate(tmp_path, desk=Desk(queue))
    gate.hooks("UserPromptSubmit")
    gate.stopped("odd")
    verdicts.approve(queue, queue.some()[0].id, "me", modified={"command": "even"})
    assert b"too late" in gate.stopped("odd").answer.stderr


def test_a_person_who_typed_it_is_not_asked_again(queue: Approvals, tmp_path: Path) -> None:
    gate = Gate(tmp_path, desk=Desk(queue))
    gate.hooks("SessionStart")
    gate.hooks("UserPromptSubmit", "Stop")
    assert gate.passed("odd").decision.rule == NO_HOOK
    assert queue.some() == []
