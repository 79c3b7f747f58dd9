"""Where a question meets a person: from payload to answer, in runs with somebody and without."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from approving import MINUTE, Clock, store_in
from made_secrets import made
from pointsman.case import Delivery, Handled
from pointsman.desk import MOST_WAITING, NEW, TRIGGER, Desk, spoken
from pointsman.model.answer import PASS, STOP
from pointsman.model.approval import NOT_KNOWN, Approval, State
from pointsman.model.decision import Action, Cause, Decision, ask, deny, inject, modify, unverified
from pointsman.model.errors import ApprovalError
from pointsman.model.event import Event
from pointsman.model.hook import Hook, Role
from pointsman.model.policy import Policy
from pointsman.secrets.redact import Redactor
from pointsman.store import verdicts
from pointsman.store.approvals import Approvals
from scene import Scene, delivery, hook

RULE = "command.git-rewrite"


@dataclass
class Office:
    """A runtime with a desk; its person answers from another connection."""

    scene: Scene
    store: Approvals
    other: Approvals
    clock: Clock
    desk: Desk
    failures: list[tuple[str, str]] = field(default_factory=list)
    calls: int = 0

    def call(self, command: str = "git commit --amend", **more: Any) -> Handled:
        """Make a call in a run that nobody sits at."""
        self.calls += 1
        made = {"tool_use_id": f"call{self.calls}", "tool_input": {"command": command}, **more}
        return self.deliver(delivery(**made))

    def deliver(self, given: Delivery, entrypoint: str = "sdk-cli") -> Handled:
        return self.scene.handle(replace(given, entrypoint=entrypoint))[0]

    def there(self, event: str = "PreToolUse", **native: Any) -> Handled:
        """Deliver an event of a session that somebody sits at."""
        return self.deliver(delivery(event, **native), "cli")

    def one(self) -> Approval:
        (found,) = self.store.some()
        return found


Open = Callable[..., Office]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    made: list[Office] = []

    def start(*hooks: Hook, **approvals: Any) -> Office:
        clock = Clock()
        store, other = store_in(tmp_path, clock), store_in(tmp_path, clock)
        failures: list[tuple[str, str]] = []
        desk = Desk(store, lambda kind, text: failures.append((kind, text)))
        given = hooks or (hook("g", ask("sure?", rule=RULE)),)
        scene = Scene(*given, policy=Policy(approvals=approvals), desk=desk)
        made.append(Office(scene, store, other, clock, desk, failures))
        return made[-1]

    yield start
    for office in made:
        office.store.close()
        office.other.close()


def rule_of(handled: Handled) -> tuple[object, str]:
    return handled.decision.action, handled.decision.rule


STOPPED = (Action.DENY, "approval.waiting")
PASSED = (None, "approval.used")


# --- the way of one approval --------------------------------------------------------------------


def test_asked_stopped_approved_passed_once_and_asked_again(opened: Open) -> None:
    office = opened()
    first = office.call()
    assert rule_of(first) == STOPPED
    assert first.answer.code == STOP
    one = office.one()
    told = first.answer.stderr.decode()
    for words in ("sure?", one.id, "did not run", "Go on with other work", "same call again"):
        assert words in told
    assert rule_of(office.call()) == STOPPED
    assert office.one().requests == 2

    verdicts.approve(office.other, one.id, "me", "fine")
    passed = office.call()
    assert rule_of(passed) == PASSED
    assert (passed.answer.code, passed.answer.stdout, passed.answer.stderr) == (PASS, b"", b"")
    assert "me" in passed.decision.reason
    assert "fine" in passed.decision.reason
    assert rule_of(office.call()) == STOPPED
    assert {each.state for each in office.store.some()} == {State.USED, State.WAITING}


def test_both_ways_through_the_runtime_come_to_the_same(opened: Open) -> None:
    office = opened()
    office.call()
    verdicts.approve(office.other, office.one().id, "me")
    case = office.scene.runtime.open(replace(
        delivery(tool_input={"command": "git commit --amend"}), entrypoint="sdk-cli"
    ))  # fmt: skip
    assert case.at_once
    assert rule_of(office.scene.runtime.finish_at_once(case)) == PASSED
    assert rule_of(office.scene.runtime.finish_at_once(case)) == STOPPED


@pytest.mark.parametrize(
    "change",
    [
        {"tool_input": {"command": "git commit --amend -m y"}},
        {"tool_input": {"command": "git commit --amend", "timeout": 9}},
        {"session_id": "t"},
        {"agent_id": "a", "agent_type": "builder"},
        {"cwd": "/nowhere/else"},
        {"tool_name": "Monitor"},
    ],
)
def test_a_call_that_differs_does_not_fit(opened: Open, change: dict[str, Any]) -> None:
    office = opened()
    office.call()
    verdicts.approve(office.other, office.one().id, "me")
    assert rule_of(office.call(**change)) == STOPPED
    assert rule_of(office.call()) == PASSED


def test_other_words_about_the_same_command_fit(opened: Open) -> None:
    office = opened()
    office.call(tool_input={"command": "x", "description": "one"})
    verdicts.approve(office.other, office.one().id, "me")
    assert rule_of(office.call(tool_input={"command": "x", "description": "two"})) == PASSED


def test_a_yes_to_one_rule_is_none_to_another(opened: Open, tmp_path: Path) -> None:
    office = opened()
    office.call()
    verdicts.approve(office.other, office.one().id, "me")
    both = (hook("g", ask("sure?", rule=RULE)), hook("h", ask("and this?", rule="other")))
    stricter = Scene(*both, desk=office.desk)
    given = replace(delivery(tool_input={"command": "git commit --amend"}), entrypoint="sdk-cli")
    assert rule_of(stricter.handle(given)[0]) == STOPPED


def test_a_denial_is_none_the_less_for_an_approval(opened: Open) -> None:
    office = opened()
    office.call()
    verdicts.approve(office.other, office.one().id, "me")
    denying = Scene(hook("g", ask("?", rule=RULE)), hook("d", deny("no")), desk=office.desk)
    given = replace(delivery(tool_input={"command": "git commit --amend"}), entrypoint="sdk-cli")
    assert denying.handle(given)[0].decision.hook == "d"
    assert office.one().state is State.APPROVED


def test_what_could_not_be_verified_is_still_told_so(opened: Open) -> None:
    office = opened(hook("g", unverified("it cannot be read", rule="r")))
    handled = office.call()
    assert handled.decision.cause is Cause.UNVERIFIED
    assert "could not verify" in handled.answer.stderr.decode()
    assert office.one().cause == "could not verify"


def test_context_of_others_is_kept_either_way(opened: Open) -> None:
    office = opened(
        hook("g", ask("sure?", rule=RULE)), hook("e", inject("by the way"), Role.ENRICHER)
    )
    assert office.call().decision.context == "by the way"
    verdicts.approve(office.other, office.one().id, "me")
    passed = office.call()
    assert rule_of(passed) == PASSED
    output = json.loads(passed.answer.stdout)["hookSpecificOutput"]
    assert output == {"hookEventName": "PreToolUse", "additionalContext": "by the way"}


def test_what_hooks_make_of_the_call_is_what_is_asked_about_and_what_runs(opened: Open) -> None:
    changed = {"command": "git commit --amend --no-edit"}
    office = opened(hook("g", ask("sure?", rule=RULE)), hook("m", modify(changed)))
    office.call()
    assert office.one().input == changed
    verdicts.approve(office.other, office.one().id, "me")
    passed = office.call()
    assert (passed.decision.action, passed.decision.rule) == (Action.MODIFY, "approval.used")
    assert passed.decision.updated_input == changed


# --- who is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "entrypoint", "queued"),
    [
        ("auto", "cli", False), ("auto", "sdk-cli", True), ("auto", "", False),
        ("host", "sdk-cli", False), ("queue", "cli", True),
    ],
)  # fmt: skip
def test_whom_the_question_is_put_to(
    opened: Open, said: str, entrypoint: str, queued: bool
) -> None:
    office = opened(ask=said)
    handled = office.deliver(delivery(tool_use_id="c"), entrypoint)
    assert (rule_of(handled) == STOPPED) is queued
    if not queued:
        output = json.loads(handled.answer.stdout)["hookSpecificOutput"]
        assert output["permissionDecision"] == "ask"
    assert office.one().state is (State.WAITING if queued else State.ASKED)


def test_without_a_desk_a_question_stays_one() -> None:
    handled = Scene(hook("g", ask("sure?"))).handle(replace(delivery(), entrypoint="sdk-cli"))[0]
    assert handled.decision.action is Action.ASK


def test_only_questions_about_calls_are_queued(opened: Open) -> None:
    office = opened(hook("g", ask("sure?", rule=RULE)))
    given = delivery("UserPromptSubmit", prompt="x")
    assert office.deliver(given).decision.action is Action.ASK
    assert office.store.some() == []


# --- the person's no, and nobody's --------------------------------------------------------------


def test_a_no_stands_with_its_reason_and_nobody_is_asked_again(opened: Open) -> None:
    office = opened()
    office.call()
    verdicts.refuse(office.other, office.one().id, "me", "not on a Friday")
    again = office.call()
    assert rule_of(again) == (Action.DENY, "approval.refused")
    assert "said no: not on a Friday" in again.decision.reason
    assert office.one().state is State.REFUSED
    office.clock.pass_by(60 * MINUTE)
    assert rule_of(office.call()) == STOPPED


def test_nobody_answers_and_it_lapses(opened: Open) -> None:
    office = opened(wait=10)
    office.call()
    office.clock.pass_by(9 * MINUTE)
    assert office.desk.sweep() == []
    assert office.one().state is State.WAITING
    office.clock.pass_by(1 * MINUTE)
    assert office.desk.sweep() == []
    assert office.one().state is State.LAPSED
    assert rule_of(office.call()) == STOPPED
    assert len(office.store.some()) == 2


def test_a_question_is_escalated_once_and_lapses_later(opened: Open) -> None:
    office = opened(wait=10, rules=[{"rule": "command.*", "on_timeout": "escalate"}])
    office.call(agent_id="a", agent_type="builder")
    office.clock.pass_by(10 * MINUTE)
    (told,) = office.desk.sweep()
    one = office.one()
    assert (told.trigger, told.key, told.identity.session) == (TRIGGER, one.id, "s")
    assert (told.identity.agent, told.identity.agent_id) == ("builder", "a")
    assert one.id in told.summary
    assert "10 minutes" in told.summary
    assert office.desk.sweep() == []
    assert one.state is State.WAITING
    office.clock.pass_by(10 * MINUTE)
    assert office.desk.sweep() == []
    assert office.one().state is State.LAPSED


def test_an_escalation_reaches_the_hooks_and_the_record(opened: Open) -> None:
    seen: list[Event] = []
    office = opened(
        hook("g", ask("sure?", rule=RULE), Role.GUARD, "PreToolUse"),
        hook("o", seen.append, Role.OBSERVER, "ErrorEscalation"), on_timeout="escalate",
    )  # fmt: skip
    office.call()
    office.clock.pass_by(60 * MINUTE)
    asyncio.run(office.scene.runtime.escalate(office.desk.sweep()))
    (event,) = seen
    assert event.kind == "ErrorEscalation"
    assert office.scene.journal.records[-1].decision.rule == "escalation.approval-waiting"


@pytest.mark.parametrize(
    ("wall", "boot", "rule"),
    [(14, 14, PASSED), (15, 15, STOPPED), (-60, 1, STOPPED), (5, 20, STOPPED), (600, 1, STOPPED)],
)
def test_a_yes_runs_out_by_either_clock(
    opened: Open, wall: float, boot: float, rule: tuple[object, str]
) -> None:
    office = opened()
    office.call()
    verdicts.approve(office.other, office.one().id, "me")
    office.clock.pass_by(boot * MINUTE)
    office.clock.set((wall - boot) * MINUTE)
    assert rule_of(office.call()) == rule


def test_a_yes_that_nobody_used_expires(opened: Open) -> None:
    office = opened(valid_for=1)
    office.call()
    verdicts.approve(office.other, office.one().id, "me")
    office.clock.pass_by(59)
    office.desk.sweep()
    assert office.one().state is State.APPROVED
    office.clock.pass_by(1)
    office.desk.sweep()
    assert office.one().state is State.EXPIRED


# --- used once ----------------------------------------------------------------------------------


def test_of_two_calls_at_once_one_passes(opened: Open) -> None:
    office = opened(hook("g", ask("sure?", rule=RULE), later=True))
    office.call()
    verdicts.approve(office.other, office.one().id, "me")

    async def both() -> list[Handled]:
        made = [
            replace(
                delivery(tool_use_id=name, tool_input={"command": "git commit --amend"}),
                entrypoint="sdk-cli",
            )
            for name in ("left", "right")
        ]
        return list(await asyncio.gather(*(office.scene.runtime.handle(each) for each in made)))

    assert sorted(str(rule_of(each)) for each in asyncio.run(both())) == sorted(
        [str(PASSED), str(STOPPED)]
    )


def test_one_call_that_is_asked_about_twice_passes_twice(opened: Open) -> None:
    """The host runs every entry that names us: a project's and the user's own."""
    office = opened()
    office.call()
    verdicts.approve(office.other, office.one().id, "me")
    assert rule_of(office.call(tool_use_id="same")) == PASSED
    assert rule_of(office.call(tool_use_id="same")) == PASSED
    assert rule_of(office.call(tool_use_id="other")) == STOPPED
    office.clock.pass_by(61)
    assert rule_of(office.call(tool_use_id="same")) == STOPPED


def test_a_call_without_an_id_is_another_call_each_time(opened: Open) -> None:
    office = opened()
    office.call(tool_use_id=None)
    verdicts.approve(office.other, office.one().id, "me")
    assert rule_of(office.call(tool_use_id=None)) == PASSED
    assert rule_of(office.call(tool_use_id=None)) == STOPPED


def test_bound_to_the_agent_a_later_session_fits(opened: Open) -> None:
    office = opened(bind="agent")
    office.call()
    verdicts.approve(office.other, office.one().id, "me")
    assert rule_of(office.call(session_id="t")) == PASSED
    assert rule_of(office.call()) == STOPPED


def test_a_person_may_let_it_pass_in_any_session(opened: Open) -> None:
    office = opened()
    office.call()
    verdicts.approve(office.other, office.one().id, "me", any_session=True)
    assert rule_of(office.call(session_id="t", agent_id="a", agent_type="builder")) == STOPPED
    assert rule_of(office.call(session_id="t")) == PASSED


# --- another input ------------------------------------------------------------------------------


def guards(rules: Mapping[str, Decision]) -> Hook:
    def judge(event: Event) -> Decision | None:
        return rules.get(getattr(event, "tool_input", {}).get("command", ""))

    return hook("g", judge, Role.GUARD, "PreToolUse")


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    ("written", "action", "rule"),
    [
        ("git status", Action.MODIFY, "approval.used"),
        ("git commit --amend -m y", Action.MODIFY, "approval.used"),
        ("rm -rf /", Action.DENY, "command.rm-tree"),
    ],
)
def test_what_a_person_writes_is_judged_and_runs(
    opened: Open, written: str, action: Action, rule: str, later: bool
) -> None:
    judging = guards({
        "git commit --amend": ask("sure?", rule=RULE),
        "git commit --amend -m y": ask("and this?", rule=RULE),
        "rm -rf /": deny("no", rule="command.rm-tree"),
    })  # fmt: skip
    waits = hook("e", None, Role.ENRICHER, later=later)
    office = opened(judging, waits)
    office.call()
    verdicts.approve(office.other, office.one().id, "me", modified={"command": written})
    handled = office.call()
    assert rule_of(handled) == (action, rule)
    if action is Action.MODIFY:
        output = json.loads(handled.answer.stdout)["hookSpecificOutput"]
        assert output == {"hookEventName": "PreToolUse", "updatedInput": {"command": written}}
    assert len([run for run in handled.runs if run.hook == "g"]) == 2
    assert rule_of(office.call()) == STOPPED


def test_an_edit_that_a_person_redirects_is_held_to_the_contract(opened: Open) -> None:
    def inside(event: Event) -> Decision | None:
        return None if event.paths == ("/nowhere/src/a",) else deny("outside", rule="outside")

    office = opened(
        hook("a", ask("sure?", rule=RULE), Role.GUARD, "PreToolUse"),
        hook("s", inside, Role.GUARD, "PreEdit"),
    )
    call: dict[str, Any] = {"tool_name": "Write", "tool_input": {"file_path": "src/a"}}
    office.call(**call)
    verdicts.approve(office.other, office.one().id, "me", modified={"file_path": "/etc/passwd"})
    assert rule_of(office.call(**call)) == (Action.DENY, "outside")


# --- the host's own question --------------------------------------------------------------------


def asked(office: Office, command: str = "git commit --amend", **more: Any) -> Handled:
    given = {"tool_name": "Bash", "tool_input": {"command": command}, **more}
    return office.deliver(delivery("PermissionRequest", **given))


def test_the_host_s_own_question_about_an_approved_call_is_answered_once(opened: Open) -> None:
    office = opened(hook("g", ask("sure?", rule=RULE), Role.GUARD, "PreToolUse"))
    assert asked(office).answer.stdout == b""
    office.call()
    assert asked(office).answer.stdout == b""
    verdicts.approve(office.other, office.one().id, "me")
    assert asked(office).answer.stdout == b""
    assert rule_of(office.call()) == PASSED
    assert asked(office, "git push").answer.stdout == b""
    assert asked(office, session_id="t").answer.stdout == b""
    allowed = asked(office)
    assert rule_of(allowed) == (Action.ALLOW, "approval.used")
    output = json.loads(allowed.answer.stdout)["hookSpecificOutput"]
    assert output == {"hookEventName": "PermissionRequest", "decision": {"behavior": "allow"}}
    assert asked(office).answer.stdout == b""


def test_a_person_at_the_prompt_is_asked_by_the_host_all_the_same(opened: Open) -> None:
    office = opened(hook("g", ask("?", rule=RULE), Role.GUARD, "PreToolUse"), ask="queue")
    given: dict[str, Any] = {"tool_name": "Bash", "tool_input": {"command": "x"}}
    office.there(tool_use_id="a", **given)
    verdicts.approve(office.other, office.one().id, "me")
    assert rule_of(office.there(tool_use_id="b", **given)) == PASSED
    assert office.there("PermissionRequest", **given).answer.stdout == b""


def test_the_host_s_question_is_about_what_a_person_wrote(opened: Open) -> None:
    office = opened(guards({"git commit --amend": ask("sure?", rule=RULE)}))
    office.call()
    verdicts.approve(office.other, office.one().id, "me", modified={"command": "git status"})
    office.call()
    assert asked(office).answer.stdout == b""
    assert rule_of(asked(office, "git status")) == (Action.ALLOW, "approval.used")


# --- when it cannot be done ---------------------------------------------------------------------


def test_without_a_store_the_call_is_stopped_as_our_own_failure(tmp_path: Path) -> None:
    desk = Desk(Approvals(tmp_path / "none" / "x.db"))
    scene = Scene(hook("g", ask("sure?", rule=RULE)), desk=desk)
    handled = scene.handle(replace(delivery(), entrypoint="sdk-cli"))[0]
    assert rule_of(handled) == (Action.DENY, "approval.unavailable")
    assert handled.decision.cause is Cause.FAILURE
    assert "pointsman up" in handled.decision.reason


def test_without_a_store_a_person_is_asked_by_the_host_all_the_same(tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    desk = Desk(Approvals(tmp_path / "none" / "x.db"), lambda kind, text: said.append((kind, text)))
    scene = Scene(hook("g", ask("sure?", rule=RULE)), desk=desk)
    handled = scene.handle(replace(delivery(), entrypoint="cli"))[0]
    assert handled.decision.action is Action.ASK
    assert [kind for kind, _ in said] == ["approvals failed"]
    with pytest.raises(ApprovalError):
        desk.sweep()


def test_nobody_is_asked_without_end(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    office = opened()
    monkeypatch.setattr("pointsman.desk.MOST_WAITING", 2)
    assert MOST_WAITING > 2
    for number in range(3):
        handled = office.call(f"git commit --amend -m {number}")
    assert rule_of(handled) == (Action.DENY, "approval.full")
    assert "approvals list" in handled.decision.reason
    assert len(office.store.some()) == 2


def test_the_risk_goes_with_the_question(opened: Open) -> None:
    office = opened()
    office.call()
    risk = office.one().risk
    assert risk.reach == ("repository",)
    assert "git reset --soft" in risk.rollback
    assert risk.cost == NOT_KNOWN


def test_a_change_as_the_record_says_it(opened: Open) -> None:
    office = opened()
    office.call()
    verdicts.approve(office.other, office.one().id, "me", "fine")
    first, second = [spoken(each) for each in office.store.unnoted()]
    name = office.one().id
    assert first.startswith(f"{name} waiting, by main in session s: Bash: sure?")
    assert second == f"{name} waiting → approved, by me: yes: fine"


def test_secrets_are_covered_in_what_is_kept_and_the_call_fits_all_the_same(
    tmp_path: Path,
) -> None:
    token, word = made()["github"], "kX9vTq2LmZ8pWd4RbN7y"
    store = store_in(tmp_path)
    desk = Desk(store, secrets=Redactor.of(tmp_path / "state", {}))
    scene = Scene(hook("g", ask(f"it says {token} and {word}", rule=RULE)), desk=desk)
    given = delivery(
        tool_input={"command": f"curl {token}; export DB_PASSWORD={word}", "more": [word, 1]}
    )
    made_call = replace(given, entrypoint="sdk-cli")
    scene.handle(made_call)
    (one,) = store.some()
    assert one.input["command"].startswith("curl [redacted:github-pat:")
    assert one.input["more"][1] == 1
    verdicts.approve(store, one.id, "me")
    assert rule_of(scene.handle(made_call)[0]) == PASSED
    store.close()
    for file in tmp_path.glob("approvals.db*"):
        data = file.read_bytes()
        assert token.encode() not in data
        assert word.encode() not in data


# --- how a person hears of it ---------------------------------------------------------------------


def test_a_new_question_is_told_once_and_reaches_the_hooks(opened: Open) -> None:
    seen: list[Event] = []
    office = opened(
        hook("g", ask("sure?", rule=RULE), Role.GUARD, "PreToolUse"),
        hook("o", seen.append, Role.OBSERVER, "ErrorEscalation"),
    )
    office.call("git commit --amend -m a", agent_id="a", agent_type="builder")
    office.call("git commit --amend -m a", agent_id="a", agent_type="builder")
    told = office.desk.news()
    one = office.one()
    assert [(each.trigger, each.key, each.count) for each in told] == [(NEW, one.id, 1)]
    assert told[0].identity.agent == "builder"
    for words in (one.id, "builder wants Bash", "sure?", f"pointsman approvals show {one.id}"):
        assert words in told[0].summary
    asyncio.run(office.scene.runtime.escalate(told))
    assert [event.kind for event in seen] == ["ErrorEscalation"]
    assert office.scene.journal.records[-1].decision.rule == "escalation.approval-asked"
    assert office.desk.news() == []


def test_many_questions_are_told_together(opened: Open) -> None:
    office = opened()
    for number in range(4):
        office.call(f"git commit --amend -m {number}")
        office.desk.news()
    office.clock.pass_by(MINUTE)
    (told,) = office.desk.news()
    assert told.count == 3
    assert "2 more" in told.summary


def test_whoever_sits_down_is_told_of_what_waits(opened: Open) -> None:
    office = opened(hook("g", ask("sure?", rule=RULE), Role.GUARD, "PreToolUse"))
    assert office.there("SessionStart").answer.stdout == b""
    office.call()
    said = json.loads(office.there("SessionStart").answer.stdout)["systemMessage"]
    assert said == "Pointsman: 1 question waits for a person's answer: pointsman approvals list"
    office.call("git commit --amend -m other")
    assert b"2 questions wait " in office.there("SessionStart").answer.stdout


def test_a_run_that_nobody_sits_at_is_told_nothing(opened: Open) -> None:
    office = opened(hook("g", ask("sure?", rule=RULE), Role.GUARD, "PreToolUse"))
    office.call()
    assert office.deliver(delivery("SessionStart")).answer.stdout == b""
