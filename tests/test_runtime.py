"""The path of one event, with hooks and a journal that are made up."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pointsman.case import MOST_PAYLOAD, Delivery, Handled, as_row
from pointsman.model.answer import PASS, STOP
from pointsman.model.decision import Action, Cause, Decision, ask, deny, inject, modify
from pointsman.model.errors import LedgerError
from pointsman.model.event import Event, Identity
from pointsman.model.events import ErrorEscalation, PreEdit
from pointsman.model.guard_events import GUARD_EVENTS
from pointsman.model.hook import Hook, HookContext, Outcome, Role
from pointsman.model.policy import McpWriter, Policy
from pointsman.runtime import Runtime
from pointsman.store.record import Record
from pointsman.store.recorder import Recorder
from scene import Journal, Scene, delivery, hook


@pytest.mark.parametrize("later", [False, True])
def test_a_denial_from_bytes_to_bytes(later: bool) -> None:
    scene = Scene(hook("g", deny("no", rule="r"), later=later))
    handled = scene.one(tool_use_id="t", agent_id="a", agent_type="builder", prompt_id="p")
    assert handled.answer.code == STOP
    assert handled.answer.stderr == b"Pointsman stopped this: no [r g]\n"
    (record,) = scene.journal.records
    assert record is handled.record
    assert (record.decision.action, record.decision.hook) == (Action.DENY, "g")
    assert record.event.received_ns == 42
    assert json.loads(record.payload)["tool_name"] == "Bash"
    assert record.answer == handled.answer
    assert [(run.hook, run.outcome) for run in record.runs] == [("g", Outcome.DECIDED)]
    assert record.event.identity == Identity(
        host="claude-code", session="s", agent_id="a", agent_type="builder", prompt_id="p",
        tool_use_id="t", cwd="/nowhere", parent="main",
    )  # fmt: skip


def test_both_ways_through_the_runtime_come_to_the_same() -> None:
    """A batch of the daemon takes the short way where nothing has to be waited for."""

    async def both() -> tuple[Handled, Handled]:
        scene = Scene(hook("g", ask("sure?", rule="r")), hook("e", inject("c"), Role.ENRICHER))
        case = scene.runtime.open(delivery())
        assert case.at_once
        return scene.runtime.finish_at_once(case), await scene.runtime.finish(case)

    short, long = asyncio.run(both())
    assert (short.decision, short.answer) == (long.decision, long.answer)
    assert [run.outcome for run in short.runs] == [run.outcome for run in long.runs]


def test_nobody_has_an_opinion() -> None:
    handled = Scene(hook("g", None)).one()
    assert (handled.answer.code, handled.answer.stdout, handled.answer.stderr) == (PASS, b"", b"")
    assert as_row(handled)["decision"] == "none"


def test_answers_are_folded() -> None:
    scene = Scene(
        hook("a", modify({"command": "ls -l"}, "better")),
        hook("e", inject("context"), Role.ENRICHER, later=True),
        hook("b", ask("sure?", rule="r")),
    )
    handled = scene.one()
    output = json.loads(handled.answer.stdout)["hookSpecificOutput"]
    assert output["permissionDecision"] == "ask"
    assert output["updatedInput"] == {"command": "ls -l"}
    assert output["additionalContext"] == "context"
    row = as_row(handled)
    assert (row["decision"], row["rule"], row["hook"]) == ("ask", "r", "b")
    assert (row["context"], row["updated_input"]) == ("context", {"command": "ls -l"})


# --- a modified call is judged as what it has become --------------------------------------------


def no_force(event: Event) -> Decision | None:
    command = getattr(event, "tool_input", {}).get("command", "")
    return deny(f"{command} forces", rule="force") if "--force" in command else None


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("order", [1, -1])
def test_what_a_hook_makes_of_a_call_is_judged(later: bool, order: int) -> None:
    hooks = [
        hook("m", modify({"command": "git push --force"}, "better"), later=later),
        hook("g", no_force),
    ][::order]
    handled = Scene(*hooks).one(tool_input={"command": "git push"})
    assert handled.answer.code == STOP
    assert (handled.decision.rule, handled.decision.hook) == ("force", "g")
    assert handled.decision.updated_input is None
    outcomes = [(run.hook, run.outcome) for run in handled.runs]
    assert outcomes.count(("g", Outcome.NO_OPINION)) == 1
    assert outcomes.count(("g", Outcome.DECIDED)) == 1
    assert outcomes.count(("m", Outcome.DECIDED)) == 1


def test_two_changes_are_judged_together_and_by_those_who_made_them() -> None:
    def one(event: Event) -> Decision | None:
        given = getattr(event, "tool_input", {})
        if given.get("cwd") == "/etc":
            return deny("not there", rule="there")
        return modify({**given, "command": "make"})

    def other(event: Event) -> Decision:
        return modify({**getattr(event, "tool_input", {}), "cwd": "/etc"})

    handled = Scene(hook("one", one), hook("other", other)).one(tool_input={"command": "ls"})
    assert (handled.answer.code, handled.decision.rule) == (STOP, "there")


def test_a_change_that_nobody_minds_stands() -> None:
    scene = Scene(hook("m", modify({"command": "ls -l"})), hook("g", no_force))
    output = json.loads(scene.one().answer.stdout)["hookSpecificOutput"]
    assert output == {"hookEventName": "PreToolUse", "updatedInput": {"command": "ls -l"}}


def test_the_edit_that_a_call_has_become_is_judged() -> None:
    def inside(event: Event) -> Decision | None:
        return None if event.paths == ("/nowhere/src/a",) else deny("outside", rule="outside")

    scene = Scene(
        hook("m", modify({"file_path": "/etc/passwd"})), hook("g", inside, Role.GUARD, "PreEdit")
    )
    handled = scene.one(tool_name="Write", tool_input={"file_path": "src/a"})
    assert (handled.answer.code, handled.decision.rule) == (STOP, "outside")


def test_an_edit_that_no_longer_says_of_what_is_stopped() -> None:
    scene = Scene(hook("m", modify({"content": "x"})))
    handled = scene.one(tool_name="Write", tool_input={"file_path": "src/a"})
    assert (handled.answer.code, handled.decision.cause) == (STOP, Cause.FAILURE)
    assert "what m made of the call" in handled.decision.reason


# --- PreEdit ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "tool_input", "files"),
    [
        ("Write", {"file_path": "/nowhere/a", "content": ""}, ["/nowhere/a"]),
        ("Edit", {"file_path": "a/../b"}, ["/nowhere/b"]),
        ("MultiEdit", {"file_path": "/nowhere/m"}, ["/nowhere/m"]),
        ("NotebookEdit", {"notebook_path": "/nowhere/n.ipynb"}, ["/nowhere/n.ipynb"]),
        ("mcp__x__put", {"to": "/nowhere/x", "from": "/nowhere/y"}, ["/nowhere/x", "/nowhere/y"]),
        ("Read", {"file_path": "/nowhere/a"}, None),
        ("Bash", {"command": "touch a; cat b"}, ["/nowhere/a"]),
        ("Bash", {"command": "cat b"}, None),
        ("mcp__x__get", {"to": "/nowhere/x"}, None),
    ],
)
def test_calls_that_edit_files(
    tool: str, tool_input: dict[str, str], files: list[str] | None
) -> None:
    writers = (McpWriter(tool="mcp__x__p*", paths=("to", "from")),)
    seen: list[Event] = []
    scene = Scene(hook("g", seen.append, Role.GUARD, "PreEdit"), policy=Policy(mcp_writers=writers))
    scene.one(tool_name=tool, tool_input=tool_input, agent_id="a", tool_use_id="t")
    (record,) = scene.journal.records
    if files is None:
        assert (seen, record.derived) == ([], ())
        return
    (edit,) = seen
    assert isinstance(edit, PreEdit)
    assert list(edit.files) == files
    assert edit.identity == record.event.identity
    assert edit.tool_input == tool_input
    (derived,) = record.derived
    assert derived.event is edit
    assert derived.transport == "derived"
    assert [run.kind for run in derived.runs] == ["PreEdit"]
    assert record.runs == ()


def test_a_guard_of_the_edit_stops_the_call() -> None:
    scene = Scene(hook("g", deny("no"), Role.GUARD, "PreEdit"))
    assert scene.one(tool_name="Write", tool_input={"file_path": "/x"}).answer.code == STOP
    assert scene.one(tool_name="Read", tool_input={"file_path": "/x"}).answer.code == PASS


def test_observers_of_the_edit_are_told_of_it() -> None:
    seen: list[str] = []
    scene = Scene(hook("o", lambda event: seen.append(event.kind), Role.OBSERVER, "PreEdit"))
    scene.one(tool_name="Write", tool_input={"file_path": "/x"})
    assert seen == ["PreEdit"]
    ((seq, first, runs),) = scene.journal.later
    assert (seq, first, [run.kind for run in runs]) == (1, 0, ["PreEdit"])


# --- what cannot be read ------------------------------------------------------------------------


UNREADABLE = [
    {"payload": b"{"},
    {"payload": b""},
    {"payload": b'{"hook_event_name": "SomethingElse"}'},
    {"payload": b"x" * MOST_PAYLOAD, "size": MOST_PAYLOAD + 1},
    {"payload": b"{}", "host": "nobody"},
    {"payload": b"{}", "host": ""},
]


@pytest.mark.parametrize("event", sorted(GUARD_EVENTS))
@pytest.mark.parametrize("given", UNREADABLE)
def test_what_cannot_be_read_stops_what_is_guarded(event: str, given: dict[str, Any]) -> None:
    scene = Scene(hook("g", None))
    (handled,) = scene.handle(Delivery(**{"host": "claude-code", "event": event, **given}))
    assert handled.answer.code == STOP
    assert b"its own failure, not a policy violation" in handled.answer.stderr
    assert b"Next step: " in handled.answer.stderr
    assert handled.decision.cause is Cause.FAILURE
    (record,) = scene.journal.records
    assert record.event.kind == event
    assert record.event.problems
    assert record.payload == given["payload"]


@pytest.mark.parametrize("event", ["PostToolUse", "Stop", "SessionStart", "Unheard"])
@pytest.mark.parametrize("given", [UNREADABLE[0], UNREADABLE[3], UNREADABLE[4]])
def test_what_cannot_be_read_passes_elsewhere_and_is_on_record(
    event: str, given: dict[str, Any]
) -> None:
    scene = Scene(hook("g", deny("no")))
    (handled,) = scene.handle(Delivery(**{"host": "claude-code", "event": event, **given}))
    assert (handled.answer.code, handled.answer.stderr) == (PASS, b"")
    assert scene.journal.records[0].event.problems


def test_an_editing_call_that_names_no_file_is_not_judged() -> None:
    handled = Scene(hook("g", None)).one(tool_name="Write", tool_input={"content": "x"})
    assert handled.answer.code == STOP
    assert handled.decision.rule == "payload.unreadable"


def test_an_unknown_event_is_recorded_and_passes() -> None:
    scene = Scene()
    handled = scene.one("BrandNew", anything=[1])
    assert handled.answer.code == PASS
    assert scene.journal.records[0].event.kind == "BrandNew"


# --- where it happens ---------------------------------------------------------------------------


def test_the_repository_is_that_of_the_session(tmp_path: Path) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/deep").mkdir()
    (tmp_path / "other/.git").mkdir(parents=True)
    scene = Scene()
    repo = str(tmp_path / "repo")
    here = scene.one(cwd=f"{repo}/deep")
    assert here.event.identity.repository == repo
    away = delivery(cwd=str(tmp_path / "other"))
    kept = Delivery(host=away.host, event=away.event, payload=away.payload, project=repo)
    assert scene.handle(kept)[0].event.identity.repository == repo
    assert scene.one(cwd="/").event.identity.repository is None
    assert scene.setups.asked_for == [repo, repo, None]


def test_the_parent_of_a_subagent_is_known() -> None:
    scene = Scene()
    scene.handle(
        delivery(tool_name="Agent", tool_input={"subagent_type": "lead"}),
        delivery("SubagentStart", agent_id="a1", agent_type="lead"),
        delivery(
            tool_name="Agent",
            tool_input={"subagent_type": "hand"},
            agent_id="a1",
            agent_type="lead",
        ),
        delivery(agent_id="a2", agent_type="hand"),
    )
    found = [record.event.identity.parent for record in scene.journal.records]
    assert found == [None, "main", "main", "a1"]


def test_a_spawn_that_is_denied_has_no_child() -> None:
    def judge(event: Event) -> Decision | None:
        return deny("no") if event.identity.agent_id == "a1" and event.tool == "Agent" else None

    scene = Scene(hook("g", judge), recorded=False)
    done = scene.handle(
        delivery("SubagentStart", agent_id="a1", agent_type="lead"),
        delivery(tool_name="Agent", tool_input={"subagent_type": "hand"}, agent_id="a1"),
        delivery(tool_name="Agent", tool_input={"subagent_type": "hand"}),
        delivery(agent_id="a2", agent_type="hand"),
    )
    assert done[-1].event.identity.parent == "main"


# --- afterwards ---------------------------------------------------------------------------------


def test_observers_run_once_the_record_is_made_and_the_answer_is_out() -> None:
    order: list[str] = []

    class Slow(Journal):
        def append(self, records: Sequence[Record]) -> list[int]:
            order.append("recorded")
            return super().append(records)

    async def run() -> None:
        scene = Scene(hook("o", lambda _event: order.append("observed"), Role.OBSERVER, later=True))
        runtime = Runtime(scene.setups, Recorder(Slow()))
        await runtime.handle(delivery())
        order.append("answered")
        await runtime.settle()

    asyncio.run(run())
    assert order == ["recorded", "answered", "observed"]


def test_what_observers_did_is_added_to_the_record() -> None:
    scene = Scene(
        hook("g", None),
        hook("broken", RuntimeError("x"), Role.OBSERVER),
        hook("says", deny("no"), Role.OBSERVER),
    )
    handled = scene.one()
    assert handled.answer.code == PASS
    ((seq, first, runs),) = scene.journal.later
    assert (seq, first) == (1, 1)
    assert [(run.hook, run.outcome) for run in runs] == [
        ("broken", Outcome.CRASHED), ("says", Outcome.DEGRADED),
    ]  # fmt: skip
    (raised,) = [each.event for each in scene.journal.records[1:]]
    assert isinstance(raised, ErrorEscalation)
    assert raised.trigger == "hook failed"


def test_escalations_are_recorded_and_put_to_their_hooks() -> None:
    told: list[Event] = []
    scene = Scene(hook("tells", told.append, Role.OBSERVER, "ErrorEscalation"))
    failed = {"tool_name": "Bash", "tool_input": {}, "error": "Exit code 3\nx", "tool_use_id": "t"}
    scene.handle(*[delivery("PostToolUseFailure", **failed)] * 3)
    (raised,) = [each for each in scene.journal.records if each.event.kind == "ErrorEscalation"]
    assert len(scene.journal.records) == 4
    assert [event.kind for event in told] == ["ErrorEscalation"]
    assert raised.transport == "derived"
    assert raised.decision.rule == "escalation.tool-failed"
    assert "Exit code 3" in raised.decision.reason
    assert json.loads(raised.payload)["event"] == "ErrorEscalation"
    assert raised.event.identity.tool_use_id == "t"
    assert [run.hook for run in raised.runs] == ["tells"]


def test_a_guard_that_fails_is_escalated() -> None:
    scene = Scene(hook("g", RuntimeError("broken")))
    handled = scene.one()
    assert (handled.answer.code, handled.decision.rule) == (STOP, "guard.crashed")
    assert [record.event.kind for record in scene.journal.records] == [
        "PreToolUse", "ErrorEscalation",
    ]  # fmt: skip


def test_a_burst_of_denials_is_escalated_once() -> None:
    scene = Scene(hook("g", deny("no")))
    scene.handle(*[delivery()] * 8)
    raised = [each for each in scene.journal.records if isinstance(each.event, ErrorEscalation)]
    assert [each.decision.rule for each in raised] == ["escalation.denial-burst"]


def test_without_a_recorder_nobody_is_told() -> None:
    told: list[Event] = []
    scene = Scene(hook("o", told.append, Role.OBSERVER), recorded=False)
    failed = {"tool_name": "Bash", "tool_input": {}, "error": "x"}
    scene.handle(delivery(), delivery("PostToolUseFailure", **failed))
    assert told == []


# --- the record ---------------------------------------------------------------------------------


def test_what_is_not_on_record_is_not_answered() -> None:
    scene = Scene(hook("g", None))
    scene.journal.full = True
    with pytest.raises(LedgerError, match="the disk is full"):
        scene.one()


def test_what_follows_and_cannot_be_recorded_is_reported() -> None:
    scene = Scene(hook("o", None, Role.OBSERVER))

    async def run() -> None:
        case = scene.runtime.open(delivery())
        handled = scene.runtime.finish_at_once(case)
        scene.journal.full = True
        scene.runtime.recorded(case, handled, 1)
        await scene.runtime.settle()

    asyncio.run(run())
    assert scene.said == [("ledger failed", "the disk is full; free space")]


@pytest.mark.parametrize(
    ("event", "action", "code"), [("PreToolUse", Action.DENY, STOP), ("Stop", None, PASS)]
)
def test_what_a_client_had_to_answer_alone(event: str, action: Action | None, code: int) -> None:
    scene = Scene(hook("g", deny("not asked")))
    given = delivery(event)
    alone = Delivery(
        host=given.host,
        event=event,
        payload=given.payload,
        undelivered="no daemon",
        client="native",
    )
    asyncio.run(scene.runtime.take_in(alone))
    (record,) = scene.journal.records
    assert (record.decision.action, record.answer.code) == (action, code)
    assert record.decision.rule == "client.undelivered"
    assert "no daemon" in record.decision.reason
    assert record.event.kind == event
    assert record.runs == ()


def test_a_budget_that_ends_stops_a_guard() -> None:
    async def hangs(event: Event, context: HookContext) -> None:
        await asyncio.sleep(3600)

    scene = Scene(Hook(name="g", role=Role.GUARD, run=hangs, budget=0.05))
    handled = scene.one()
    assert (handled.answer.code, handled.decision.rule) == (STOP, "guard.timed-out")
    raised = scene.journal.records[1].event
    assert isinstance(raised, ErrorEscalation)
    assert raised.trigger == "budget blown"
