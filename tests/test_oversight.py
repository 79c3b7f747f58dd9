"""Limits take hold on the very next call, and what detectors find goes where it should."""

import asyncio
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from pointsman.assembly import Setup
from pointsman.case import Handled
from pointsman.engine.select import HookTable
from pointsman.engine.spent import Spending
from pointsman.hooks import limits
from pointsman.hooks.kit import Kit
from pointsman.model.alert import Finding, Gone
from pointsman.model.answer import STOP
from pointsman.model.decision import NO_OPINION, Cause, Decision, deny, modify
from pointsman.model.errors import LedgerError
from pointsman.model.event import Event, Identity
from pointsman.model.events import PreToolUse, WatchFinding
from pointsman.model.hook import Hook, HookRun, Role
from pointsman.model.limit import Deed, Limit, NoPast
from pointsman.model.policy import Policy
from pointsman.model.usage import Cost, Usage
from pointsman.oversight import Oversight
from pointsman.secrets.redact import Redactor
from scene import Fixed, Scene, delivery, hook

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


class Limited(Scene):
    """A runtime whose one guard is that of limits, beside the hooks of the test."""

    def __init__(self, *given: Limit, hooks: Sequence[Hook] = (), **more: Any) -> None:
        policy = Policy(limits=given)
        super().__init__(*hooks, policy=policy, **more)
        oversight = self.setups.oversight
        kit = Kit(places=self.setups._kit.places, spent=oversight.spent)
        guard = limits.hook(policy, kit)
        self.setups = Fixed([*hooks, guard], policy)
        self.setups.oversight = oversight
        oversight.report = lambda kind, text: self.said.append((kind, text))
        self.runtime._setups = self.setups

    def call(self, number: int, **native: Any) -> Handled:
        return self.one(tool_use_id=f"t{number}", **native)


def limit(then: str = "deny", **more: Any) -> Limit:
    return Limit(**{"per": "session", "of": "calls", "at": 2, "then": then, **more})


def test_a_limit_of_calls_takes_hold_on_the_very_next_one() -> None:
    scene = Limited(limit())
    codes = [scene.call(number).answer.code for number in range(4)]
    assert codes == [0, 0, STOP, STOP]
    record = scene.journal.records[-1]
    assert (record.decision.rule, record.decision.hook) == ("limit.session-calls", "limits")


def test_calls_of_one_batch_do_not_slip_through_together() -> None:
    scene = Limited(limit())

    async def batch() -> list[int]:
        cases = [scene.runtime.open(delivery(tool_use_id=f"t{number}")) for number in range(5)]
        return [scene.runtime.finish_at_once(case).answer.code for case in cases]

    assert asyncio.run(batch()) == [0, 0, STOP, STOP, STOP]


def test_a_limit_of_tokens_and_of_money_takes_hold_once_the_use_is_known() -> None:
    for of, at in (("tokens", 100), ("usd", 1.0)):
        scene = Limited(limit(of=of, at=at))
        assert scene.call(1).answer.code == 0
        usage = Usage(
            host="claude-code", session="s", message_id="m", model="x", at_ns=42, output_tokens=100
        )
        scene.setups.oversight.usage(usage, Cost(usd=1.0, prices="1"))
        assert scene.call(2).answer.code == STOP


def test_a_limit_of_minutes_takes_hold_before_the_call() -> None:
    scene = Limited(limit(of="minutes", at=5))
    now = [0]
    scene.runtime._clock = type(scene.runtime._clock)(wall_ns=lambda: now[0])
    codes = []
    for minutes in (1, 3, 5, 7):
        now[0] = minutes * 60 * 10**9
        codes.append(scene.call(minutes).answer.code)
    assert codes == [0, 0, 0, STOP]


def test_what_another_guard_stops_is_no_call() -> None:
    scene = Limited(limit(), hooks=[hook("g", lambda event: deny("no") if "x" in str(
        event.tool_input) else None)])  # fmt: skip
    for number in range(5):
        assert scene.call(number, tool_input={"command": "x"}).decision.hook == "g"
    assert [scene.call(number).answer.code for number in (6, 7, 8)] == [0, 0, STOP]


def test_a_call_that_is_judged_twice_counts_once() -> None:
    scene = Limited(limit(), hooks=[hook("m", modify({"command": "ls -l"}), Role.ENRICHER)])
    assert [scene.call(number).answer.code for number in range(3)] == [0, 0, STOP]


def test_a_warning_reaches_the_agent_once() -> None:
    scene = Limited(limit("warn"))
    contexts = [scene.call(number).decision.context for number in range(5)]
    assert [bool(context) for context in contexts] == [False, False, True, False, False]
    assert "limit of 2 calls for this session is reached" in contexts[2]


def test_a_warning_that_a_denial_swallows_comes_with_the_next_call() -> None:
    answers = iter([None, None, deny("no"), None, None])
    scene = Limited(limit("warn"), hooks=[hook("g", lambda _event: next(answers))])
    told = [scene.call(number) for number in range(5)]
    assert [bool(each.decision.context) for each in told][3:] == [True, False]


def test_what_is_only_asked_about_counts_for_nothing() -> None:
    scene = Limited(limit())
    from dataclasses import replace

    for number in range(5):
        asked = replace(delivery(tool_use_id=f"t{number}"), transport="decide")
        assert scene.handle(asked)[0].answer.code == 0
    assert scene.call(9).answer.code == 0


def test_the_end_of_a_run_is_told_to_the_host_before_and_behind_a_call() -> None:
    scene = Limited(limit("end"))
    for number in range(2):
        scene.call(number)
    before = json.loads(scene.call(3).answer.stdout)
    assert before["continue"] is False
    assert before["hookSpecificOutput"]["permissionDecision"] == "deny"
    behind = scene.one("PostToolUse", tool_name="Bash", tool_use_id="t1")
    assert behind.answer.code == 0
    assert json.loads(behind.answer.stdout)["continue"] is False
    assert scene.one("UserPromptSubmit", prompt="go on").answer.code == STOP
    subagent = scene.call(4, agent_id="a", agent_type="worker").answer
    assert subagent.code == STOP
    assert "continue" not in json.loads(subagent.stdout)


# --- what is found ------------------------------------------------------------------------------


def looping(scene: Scene, calls: int = 5) -> None:
    scene.handle(*[delivery(tool_use_id=f"t{number}") for number in range(calls)])


def test_a_finding_is_on_record_and_told_to_hooks() -> None:
    told: list[Event] = []
    observer = hook("o", told.append, Role.OBSERVER, "WatchFinding")
    scene = Scene(observer)
    looping(scene)
    record = scene.journal.records[-1]
    event = record.event
    assert isinstance(event, WatchFinding)
    assert (event.detector, event.severity, event.identity.session) == (
        "repetition",
        "warning",
        "s",
    )
    assert event.identity.cwd == "/nowhere"
    assert (record.decision.rule, record.decision.action) == ("watch.repetition", None)
    assert record.transport == "derived"
    assert json.loads(record.payload)["figures"]["count"] == 5
    assert event.seqs == (5,)
    assert told == [event]
    assert [run.hook for run in record.runs] == ["o"]


def test_without_anybody_to_take_it_it_is_a_note_and_else_it_is_handed_over() -> None:
    scene = Scene()
    notes: list[tuple[str, str]] = []
    scene.setups.oversight.report = lambda kind, text: notes.append((kind, text))
    looping(scene)
    assert notes[0][0] == "warning"
    assert notes[0][1].startswith("repetition (main, session s): the same Bash call")
    scene, taken = Scene(), list[Finding]()
    scene.setups.oversight.on_finding = taken.append
    scene.setups.oversight.report = lambda kind, text: notes.append((kind, text))
    notes.clear()
    looping(scene)
    assert [finding.detector for finding in taken] == ["repetition"]
    assert notes == []


def test_whoever_takes_findings_may_fail() -> None:
    scene = Scene()
    notes: list[tuple[str, str]] = []
    scene.setups.oversight.report = lambda kind, text: notes.append((kind, text))

    def broken(_finding: Finding) -> None:
        raise ValueError("no")

    scene.setups.oversight.on_finding = broken
    looping(scene)
    assert [kind for kind, _ in notes] == ["watch failed"]
    assert isinstance(scene.journal.records[-1].event, WatchFinding), "on record all the same"


@dataclass(frozen=True)
class Done:
    """What became of a call."""

    event: Event
    decision: Decision = NO_OPINION
    runs: tuple[HookRun, ...] = ()


def oversight(*, watched: bool = True) -> tuple[Oversight, list[Any]]:
    from pathlib import Path

    made = Oversight(
        Spending(), Redactor.of(Path("/state")), lambda _repository: Policy(), watched=watched
    )
    notes: list[Any] = []
    made.report = lambda kind, text: notes.append((kind, text))
    return made, notes


def call(number: int, command: str = "ls") -> Done:
    who = Identity(host="h", session="s", tool_use_id=f"t{number}")
    return Done(PreToolUse(identity=who, received_ns=number * 10**9, tool_name="Bash",
                           tool_input={"command": command}))  # fmt: skip


def test_what_cannot_be_counted_is_noted_once_and_costs_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_given: object, **_more: object) -> None:
        raise LedgerError("it is broken", fix="pointsman doctor")

    made, notes = oversight()
    for name in ("note", "usage"):
        monkeypatch.setattr(made.spent, name, fails)
    found = [made.after(Policy(), call(number), number, real=True) for number in range(1, 6)]
    assert [kind for kind, _ in notes] == ["limits failed", "warning"]
    assert [each.detector for each in found[-1]] == ["repetition"]
    usage = Usage(host="h", session="s", message_id="m", model="x", at_ns=1)
    made.usage(usage, Cost(usd=None, prices="1"))
    assert len(notes) == 2


def test_a_detector_that_fails_is_noted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from pointsman.watch.repetition import Repetition

    def fails(_self: object, _seen: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Repetition, "event", fails)
    made, notes = oversight()
    for number in range(1, 9):
        made.after(Policy(), call(number), number, real=True)
    failed = [text for kind, text in notes if kind == "watch failed"]
    assert failed == [
        "the detector 'repetition' has failed and is off for the session s: ZeroDivisionError: "
    ]


def test_nobody_looks_where_nothing_happens_or_nobody_should() -> None:
    made, notes = oversight()
    for number in range(1, 30):
        assert made.after(Policy(), call(number), number, real=False) == []
    made, notes = oversight(watched=False)
    for number in range(1, 30):
        assert made.after(Policy(), call(number), number, real=True) == []
    assert made.tick(10**18) == []
    assert notes == []


def test_time_is_looked_at_every_five_seconds() -> None:
    made, _ = oversight()
    made.after(Policy(), call(1), 1, real=True)
    hours = 3 * 3600 * 10**9
    assert [each.key for each in made.tick(hours)] == ["call"]
    made.after(Policy(), call(2), 2, real=True)
    assert made.tick(hours + 10**9) == []


def test_secrets_in_a_finding_are_covered() -> None:
    made, notes = oversight()
    taken: list[Finding] = []
    made.on_finding = taken.append
    from pointsman.model.events import PostToolUseFailure

    for number in range(1, 6):
        who = Identity(host="h", session="s", tool_use_id=f"t{number}")
        event = PostToolUseFailure(
            identity=who, received_ns=number * 10**9, tool_name="Bash", error=f"bad token {TOKEN}"
        )
        found = made.after(Policy(), Done(event), number, real=True)
    assert taken
    assert TOKEN not in repr(taken)
    assert TOKEN not in repr(found)
    assert notes == []


def test_what_is_read_late_of_another_day_is_counted_and_no_finding() -> None:
    now = 10**18
    full: dict[str, Any] = {"host": "h", "session": "s", "model": "x", "cache_read_tokens": 190_000}
    ages: list[tuple[int, list[str]]] = [(3600, []), (60, ["context"])]
    for age, keys in ages:
        made, _ = oversight()
        made._clock = lambda: now
        made.usage(Usage(message_id="m", at_ns=now - age * 10**9, **full), Cost(usd=1, prices="1"))
        assert [each.key for each in made.tick(now)] == keys
        assert made.tick(now) == []
        asked = PreToolUse(identity=Identity(host="h", session="s"), received_ns=now)
        used = made.spent.used(asked, limit(of="tokens"))
        assert used.amount == 190_000


def test_what_is_over_is_handed_over_with_the_tick_its_secrets_covered() -> None:
    from pointsman.model.events import PostToolUse, PostToolUseFailure

    made, _ = oversight()
    over: list[Gone] = []
    made.on_gone = over.append
    made.on_finding = lambda _finding: None
    tool = f"mcp__{TOKEN}__x"
    for number in range(1, 6):
        who = Identity(host="h", session="s", tool_use_id=f"t{number}")
        common: dict[str, Any] = {
            "identity": who, "received_ns": number * 10**9, "tool_name": tool,
            "tool_input": {"n": number},
        }  # fmt: skip
        failed = PostToolUseFailure(error="Not connected", **common)
        made.after(
            Policy(), Done(PostToolUse(**common) if number == 5 else failed), number, real=True
        )
        made.tick(number * 6 * 10**9)
    assert [each.detector for each in over] == ["mcp-down"]
    assert TOKEN not in repr(over)


class Slow(NoPast):
    """A record that is long: whoever reads it waits until it is let."""

    def __init__(self, calls: int) -> None:
        self.gate, self.begun, self.calls = threading.Event(), threading.Event(), calls
        self.reads = 0

    def deeds(self, since_ns: int, before_ns: int, session: str | None = None) -> Sequence[Deed]:
        del since_ns, before_ns
        self.reads += 1
        self.begun.set()
        assert self.gate.wait(60)
        return [Deed(at_ns=1, session="old", is_call=True)] * (0 if session else self.calls)


def test_a_call_waits_for_what_was_before_and_nobody_else_does() -> None:
    scene = Limited(limit(per="day", at=4))
    past = Slow(calls=3)
    spent = Spending(past, day_of=lambda _ns: "d", begins=lambda _ns: 0, since_ns=40)
    scene.setups.oversight.spent = spent
    policy = Policy(limits=(limit(per="day", at=4),))
    kit = Kit(places=scene.setups._kit.places, spent=spent)
    scene.setups._setup = Setup(policy, HookTable([limits.hook(policy, kit)]))

    async def three() -> list[Any]:
        cases = [scene.runtime.open(delivery(tool_use_id=f"t{number}")) for number in range(3)]
        assert [case.at_once for case in cases] == [False] * 3
        waiting = [asyncio.ensure_future(scene.runtime.finish(case)) for case in cases]
        assert await asyncio.to_thread(past.begun.wait, 60)
        other = scene.runtime.open(delivery("Stop"))
        assert other.at_once, "what no limit is asked about goes on"
        scene.runtime.finish_at_once(other)
        assert not any(task.done() for task in waiting)
        past.gate.set()
        return list(await asyncio.gather(*waiting))

    codes = [handled.answer.code for handled in asyncio.run(three())]
    assert sorted(codes) == [0, STOP, STOP]
    assert past.reads == 2, "the session's past and the day's, each once"
    assert scene.runtime.open(delivery(tool_use_id="t9")).at_once


def test_a_record_that_cannot_be_read_stops_what_it_should_have_told() -> None:
    class Broken(NoPast):
        def deeds(self, *_given: object, **_more: object) -> Sequence[Deed]:
            raise LedgerError("it is broken", fix="pointsman doctor")

    scene = Limited(limit())
    spent = Spending(Broken())
    scene.setups.oversight.spent = spent
    policy = Policy(limits=(limit(),))
    kit = Kit(places=scene.setups._kit.places, spent=spent)
    scene.setups._setup = Setup(policy, HookTable([limits.hook(policy, kit)]))
    handled = scene.call(1)
    assert (handled.answer.code, handled.decision.cause) == (STOP, Cause.FAILURE)
    assert "it is broken" in handled.decision.reason


def test_a_price_that_comes_later_is_counted_and_no_burst() -> None:
    made, _ = oversight()
    now = 10**18
    made._clock = lambda: now
    known: dict[str, Any] = {"host": "h", "session": "s", "model": "x"}
    for minute in range(12):
        at = now - (13 - minute) * 60 * 10**9
        usage = Usage(message_id=f"m{minute}", at_ns=at, output_tokens=1, **known)
        made.usage(usage, Cost(usd=0.01, prices="1"))
    late = Usage(message_id="m1", at_ns=now, growth=True, repriced=True, **known)
    made.usage(late, Cost(usd=500.0, prices="2"))
    assert made.tick(now) == []
    asked = PreToolUse(identity=Identity(host="h", session="s"), received_ns=now)
    assert made.spent.used(asked, limit(of="usd")).amount == pytest.approx(500.12)
