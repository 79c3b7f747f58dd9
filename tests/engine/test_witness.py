"""What is remembered of decisions, agents and turns, and what of it is used up."""

from dataclasses import replace
from typing import Any

import pytest

from pointsman.engine.witness import Turn, Verdict, Witness
from pointsman.model.decision import NO_OPINION, Decision, ask, deny, modify
from pointsman.model.event import Event, Identity, UnknownEvent
from pointsman.model.events import HOST_EVENTS, PreToolUse


def call(command: str = "make", call_id: str = "t1", agent: str = "", **more: Any) -> PreToolUse:
    return PreToolUse(
        identity=who(agent, call_id, **more), tool_name="Bash", tool_input={"command": command}
    )


def who(agent: str = "", call_id: str | None = None, prompt: str | None = None) -> Identity:
    return Identity(
        host="claude-code", session="s", tool_use_id=call_id, prompt_id=prompt,
        agent_id=f"id-{agent}" if agent else None, agent_type=agent or None,
    )  # fmt: skip


def event(kind: str, agent: str = "", **more: Any) -> Event:
    identity = more.pop("identity", None) or who(agent)
    return HOST_EVENTS[kind](identity=identity, **more)


def told(*events: Event | tuple[PreToolUse, Decision]) -> Witness:
    witness = Witness()
    for number, each in enumerate(events, 1):
        if isinstance(each, tuple):
            witness.opened(each[0])
            witness.decided(*each, number)
        else:
            witness.opened(each)
    return witness


def test_each_decision_answers_for_one_run() -> None:
    witness = told((call(), NO_OPINION), (call(call_id="t2"), NO_OPINION))
    claims = [witness.claim("s", "make") for _ in range(3)]
    assert [claim and claim.call.seq for claim in claims] == [1, 2, None]


@pytest.mark.parametrize(
    ("decision", "verdict"),
    [(NO_OPINION, Verdict.PASSED), (ask("sure?"), Verdict.PASSED), (deny("no"), Verdict.STOPPED)],
)
def test_what_was_decided(decision: Decision, verdict: Verdict) -> None:
    claim = told((call(), decision)).claim("s", "make")
    assert claim is not None
    assert claim.call.verdict is verdict


def test_what_is_not_answered_yet_is_told_apart_from_what_is_not_known() -> None:
    witness = told(call())
    claim = witness.claim("s", "make")
    assert claim is not None
    assert claim.call.verdict is Verdict.OPEN
    assert witness.claim("s", "make x") is None
    assert witness.claim("another", "make") is None


def test_a_changed_command_is_the_one_that_may_run() -> None:
    witness = told((call(), modify({"command": "make -n"})))
    assert witness.claim("s", "make") is None
    assert witness.claim("s", "make -n") is not None


def test_of_several_agents_with_one_command_each_may_be_the_one() -> None:
    witness = told((call(agent="a"), NO_OPINION), (call(call_id="t2", agent="b"), NO_OPINION))
    first, second = witness.claim("s", "make"), witness.claim("s", "make")
    assert first is not None
    assert second is not None
    assert [each.agent for each in (first.call.identity, *first.others)] == ["a", "b"]
    assert [each.agent for each in (second.call.identity, *second.others)] == ["b"]


@pytest.mark.parametrize(
    "over",
    [
        event("PostToolUse", identity=who(call_id="t1")),
        event("PostToolUseFailure", identity=who(call_id="t1")),
        event("PostToolBatch"),
        event("Stop"),
        call("ls", "t9", prompt="p2"),
    ],
)
def test_a_call_that_is_over_leaves_nothing_to_use(over: Event) -> None:
    assert told((call(prompt="p1"), NO_OPINION), over).claim("s", "make") is None


@pytest.mark.parametrize(
    "other",
    [
        event("PostToolUse", identity=who(call_id="t7")),
        event("SubagentStop", "worker"),
        event("UserPromptSubmit", identity=who(prompt="p2")),
        event("Notification"),
        call("ls", "t9", prompt="p1"),
    ],
)
def test_what_happens_beside_a_call_leaves_it_as_it_is(other: Event) -> None:
    assert told((call(prompt="p1"), NO_OPINION), other).claim("s", "make") is not None


def apart(tool: str = "Bash", **given: Any) -> PreToolUse:
    return replace(call(), tool_name=tool, tool_input={"command": "make", **given})


@pytest.mark.parametrize("begun", [apart("Monitor"), apart(run_in_background=True)])
@pytest.mark.parametrize("end", ["PostToolUse", "PostToolBatch"])
def test_what_runs_beside_its_call_may_begin_after_its_end(begun: PreToolUse, end: str) -> None:
    over = event(end, identity=who(call_id="t1" if end == "PostToolUse" else None))
    assert told((begun, NO_OPINION), over).claim("s", "make")
    assert not told((begun, deny("no")), over).claim("s", "make")
    assert not told((apart(run_in_background=False), NO_OPINION), over).claim("s", "make")
    assert not told((begun, NO_OPINION), over, event("Stop")).claim("s", "make")


def test_who_is_at_work() -> None:
    witness = told(
        event("SubagentStart", "a"), event("SubagentStart", "b"), event("SubagentStop", "a"),
        call(agent="c"), event("SubagentStop", identity=Identity(host="h", session="s")),
    )  # fmt: skip
    assert list(witness.session("s").agents.values()) == ["b", "c"]
    witness.opened(event("SessionEnd"))
    assert not witness.session("s").agents


@pytest.mark.parametrize(
    ("events", "turn"),
    [
        ([], Turn.UNKNOWN),
        ([event("SessionStart")], Turn.IDLE),
        ([event("UserPromptSubmit")], Turn.EXPANDING),
        ([event("UserPromptSubmit"), call()], Turn.RUNNING),
        ([call(), event("UserPromptSubmit")], Turn.RUNNING),
        ([call(), event("Stop")], Turn.IDLE),
        ([event("Stop"), call(agent="background")], Turn.IDLE),
        ([event("UserPromptSubmit"), event("Notification")], Turn.EXPANDING),
    ],
)
def test_whose_turn_it_is(events: list[Event], turn: Turn) -> None:
    assert told(*events).session("s").turn is turn


def test_only_calls_with_a_command_for_a_shell_are_kept() -> None:
    mcp = PreToolUse(
        identity=who(call_id="m"), tool_name="mcp__s__run", tool_input={"command": "make"}
    )
    read = PreToolUse(identity=who(call_id="r"), tool_name="Read", tool_input={"file_path": "/x"})
    other = UnknownEvent(name="Odd", identity=who())
    assert not told((mcp, NO_OPINION), (read, NO_OPINION), other).session("s").calls


def test_memory_is_bounded() -> None:
    witness = Witness()
    for number in range(700):
        witness.opened(call(f"c{number}", f"t{number}", f"a{number}"))
    session = witness.session("s")
    assert (len(session.calls), len(session.agents), session.overflowed) == (256, 256, True)
    for number in range(700):
        witness.session(f"s{number}")
    assert witness.session("s").calls == {}


def test_the_past_does_not_overrule_what_is_known_since() -> None:
    witness = told(event("Stop"), (call("new", "t5"), NO_OPINION), event("SubagentStart", "b"))
    turn = witness.session("s").turn
    past = told(event("UserPromptSubmit"), (call("old", "t1", "a"), NO_OPINION)).session("s")
    witness.take_in("s", past)
    session = witness.session("s")
    assert (session.turn, session.whole) == (turn, True)
    assert set(session.agents.values()) == {"a", "b"}
    assert witness.claim("s", "old") is not None
    assert witness.claim("s", "new") is not None
