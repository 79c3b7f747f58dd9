"""The guard as the engine asks it: which events concern it, what it says, what it leaves alone."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hooks.acting import identity
from pointsman.hooks import proof
from pointsman.hooks.kit import Kit
from pointsman.model.budget import Budget
from pointsman.model.contract import EVERY_AGENT, Contract
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.event import Event
from pointsman.model.events import (
    PostToolBatch,
    PostToolUse,
    PostToolUseFailure,
    PreToolUse,
    SessionEnd,
    SessionStart,
    Stop,
    SubagentStop,
)
from pointsman.model.hook import Hook, HookContext
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.model.proof import Call, Finding, Judges, Outcome, Report
from proof.world import World


class Canned:
    """A prover that answers what it is told to, and keeps what it was asked."""

    def __init__(self, report: Report | None = None) -> None:
        self.report = report or Report()
        self.asked: list[tuple[str, Call | str]] = []
        self.open = True
        self.gate = threading.Event()
        self.gate.set()
        self.prepared = threading.Event()
        self.done = threading.Event()

    def prepare(self, root: str, judges: Judges) -> Report:
        del judges
        self.asked.append(("prepare", root))
        self.prepared.set()
        return self.report

    def beside(self, root: str, agent: str, pid: int) -> None:
        self.asked.append((f"beside {agent} {pid}", root))

    def before(self, call: Call, judges: Judges) -> Report:
        del judges
        report = self.report
        self.gate.wait(10)
        self.asked.append(("before", call))
        self.done.set()
        return report

    def note(self, call: Call) -> None:
        self.asked.append(("note", call))

    def noted(self, call: Call) -> None:
        self.asked.append(("noted", call))

    def after(self, call: Call, judges: Judges) -> Report:
        del judges
        self.asked.append(("after", call))
        return self.report

    def unsettled(self, call: Call) -> bool:
        del call
        return self.open

    def settle(self, call: Call, judges: Judges, *, over: bool) -> Report:
        del judges
        self.asked.append((f"settle, over {over}", call))
        return self.report


FOUND = Report(
    (Finding("tests/t.py", "modified", Outcome.RESTORED, "allowed are only: src/**", ("t",)),),
    id="s-t",
)
UNTOLD = Report((Finding("docs/n.md", "modified", Outcome.UNTOLD, "vim has it open", ("t",)),))


def made(prover: Any, root: Path, **contracts: tuple[Contract, ...]) -> Hook:
    policy = Policy(repository=str(root), contracts=contracts or {"builder": (held(root),)})
    places = Places(state=root / "state", config=root / "config")
    return proof.hook(policy, Kit(places=places, prover=prover))


def held(root: Path, agent: str = "builder", **more: Any) -> Contract:
    given = {"allowed": ("src/**",), **more}
    return Contract(agent=agent, source="builder.md", root=str(root), **given)


def ask(hook: Hook, event: Event, seconds: float = 5.0) -> Decision | None:
    async def asked() -> Decision | None:
        answer = hook.run(event, HookContext(budget=Budget.of(seconds)))
        assert not isinstance(answer, Decision | None)
        return await answer

    return asyncio.run(asked())


def pre(root: Path, agent: str = "builder", tool: str = "Bash", **given: Any) -> PreToolUse:
    return PreToolUse(
        identity=identity(root, agent), tool_name=tool, tool_input=given or {"command": "make"}
    )


def post(root: Path, agent: str = "builder", **more: Any) -> PostToolUse:
    return PostToolUse(
        identity=identity(root, agent), received_ns=10**18, tool_name="Bash",
        tool_input={"command": "make"}, duration_ms=250, **more,
    )  # fmt: skip


def test_a_call_is_announced_and_compared(tmp_path: Path) -> None:
    prover = Canned()
    hook = made(prover, tmp_path)
    assert ask(hook, pre(tmp_path)) is None
    assert ask(hook, post(tmp_path)) is None
    (_, before), (_, after) = prover.asked
    assert isinstance(before, Call)
    assert isinstance(after, Call)
    assert (before.agent, before.tool, before.text) == ("builder", "Bash", "make")
    assert before.foretold.opaque
    assert (after.ended_ns, after.ran_ns) == (10**18, 10**18 - 250_000_000)


@pytest.mark.parametrize(
    ("event", "concerned"),
    [
        (pre(Path("/r")), True),
        (pre(Path("/r"), tool="mcp__any__tool", x=1), True),
        (pre(Path("/r"), tool="Edit", file_path="src/a"), True),
        (pre(Path("/r"), tool="Read", file_path="src/a"), False),
        (pre(Path("/r"), tool="Grep", pattern="x"), False),
        (pre(Path("/r"), tool="Agent", prompt="x"), False),
        (pre(Path("/r"), agent=""), False),  # taken down, and not looked at
        (SessionStart(identity=identity(Path("/r"))), True),
        (Stop(identity=identity(Path("/r"))), False),
        (Stop(identity=identity(Path("/r"), "builder")), True),
        (PostToolBatch(identity=identity(Path("/r"), "builder")), True),
        (PostToolBatch(identity=identity(Path("/r"), "reader")), False),
    ],
)
def test_which_events_concern_it(event: Event, concerned: bool) -> None:
    hook = made(Canned(), Path("/r"))
    assert hook.when is not None
    assert hook.when(event) is concerned


@pytest.mark.parametrize("kind", [PostToolBatch, SubagentStop, Stop, SessionEnd])
@pytest.mark.parametrize("left_open", [True, False])
def test_the_end_of_a_turn_concerns_it_where_a_call_has_no_end(
    kind: type[Event], left_open: bool
) -> None:
    prover = Canned()
    prover.open = left_open
    hook = made(prover, Path("/r"))
    assert hook.when is not None
    assert hook.when(kind(identity=identity(Path("/r"), "builder"))) is left_open


def test_where_nobody_is_held_nothing_concerns_it() -> None:
    everything = Contract(agent="builder", source="b", root="/r")
    for hook in (
        made(Canned(), Path("/r"), builder=(everything,)),
        made(None, Path("/r")),
    ):
        assert hook.when is not None
        assert not hook.when(pre(Path("/r")))


@pytest.mark.parametrize(
    "contract", [{"forbidden": ("x",), "allowed": ("**",)}, {"read_only": True},
                 {"problems": ("broken",)}]
)  # fmt: skip
def test_whatever_binds_is_proven(contract: dict[str, Any]) -> None:
    hook = made(Canned(), Path("/r"), builder=(held(Path("/r"), **contract),))
    assert hook.when is not None
    assert hook.when(pre(Path("/r")))


def test_a_contract_that_might_be_anybodys_holds_everybody() -> None:
    prover = Canned()
    every = held(Path("/r"), EVERY_AGENT, problems=("it cannot be read",))
    hook = made(prover, Path("/r"), **{EVERY_AGENT: (every,)})
    ask(hook, pre(Path("/r"), agent="anybody"))
    assert prover.asked[0][0] == "before"


def test_an_agent_without_a_contract_is_only_noted(tmp_path: Path) -> None:
    prover = Canned(FOUND)
    hook = made(prover, tmp_path)
    assert hook.when is not None
    # Of a call without an id no end will be told: the gate, which has heard of it, takes it down.
    assert not hook.when(pre(tmp_path, agent=""))
    assert prover.asked == []
    for event in (pre(tmp_path, agent=""), post(tmp_path, agent="")):
        known = replace(event.identity, tool_use_id="t1")
        assert not hook.when(replace(event, identity=known))
    # Its changes are its own, which has to be known.
    assert [what for what, _ in prover.asked] == ["note", "noted"]


def test_it_begins_to_read_before_the_first_call(tmp_path: Path) -> None:
    prover = Canned()
    assert ask(made(prover, tmp_path), SessionStart(identity=identity(tmp_path))) is None
    assert prover.prepared.wait(10)
    assert prover.asked == [("prepare", str(tmp_path))]


SAID: list[tuple[Event, Action | None, bool]] = [
    (post(Path("/r")), Action.DENY, False),
    (PostToolUseFailure(identity=identity(Path("/r"), "builder")), Action.DENY, False),
    (SubagentStop(identity=identity(Path("/r"), "builder")), Action.DENY, False),
    (SubagentStop(identity=identity(Path("/r"), "builder"), stop_hook_active=True), None, True),
    # There a refusal would end the loop; the words reach the agent all the same.
    (PostToolBatch(identity=identity(Path("/r"), "builder")), None, True),
    # What an earlier call has done is no reason to stop the next one.
    (pre(Path("/r")), None, True),
]


@pytest.mark.parametrize(("event", "action", "as_context"), SAID)
def test_what_was_put_back_is_said_so_that_it_is_heard(
    event: Event, action: Action | None, as_context: bool
) -> None:
    decision = ask(made(Canned(FOUND), Path("/r")), event)
    assert decision is not None
    assert (decision.action, decision.rule) == (action, "proof.outside-contract")
    for part in ("tests/t.py (modified)", "src/**", "pointsman proof show s-t", "'builder'"):
        assert part in decision.reason
    assert (decision.context == decision.reason) is as_context


def test_what_cannot_be_told_stops_nothing_and_is_said(tmp_path: Path) -> None:
    decision = ask(made(Canned(UNTOLD), tmp_path), post(tmp_path))
    assert decision is not None
    assert (decision.action, decision.rule) == (None, "proof.unverified")
    assert decision.cause is Cause.UNVERIFIED
    assert "docs/n.md (modified): vim has it open" in decision.reason


def test_what_could_not_be_compared_is_said(tmp_path: Path) -> None:
    hook = made(Canned(Report(problem="it holds more than 500000 files")), tmp_path)
    for event in (pre(tmp_path), post(tmp_path)):
        decision = ask(hook, event)
        assert decision is not None
        assert (decision.action, decision.rule) == (None, "proof.unverified")
        assert "500000 files" in decision.reason


@pytest.fixture
def slow() -> Iterator[Canned]:
    prover = Canned()
    prover.gate.clear()
    yield prover
    prover.gate.set()


def test_a_baseline_that_is_not_there_in_time_stops_the_call(tmp_path: Path, slow: Canned) -> None:
    hook = made(slow, tmp_path)
    decision = ask(hook, pre(tmp_path), seconds=0.01)
    assert decision is not None
    assert (decision.action, decision.cause) == (Action.DENY, Cause.UNVERIFIED)
    assert (decision.rule, "try the same call again" in decision.reason) == (
        "proof.not-ready", True,
    )  # fmt: skip
    slow.gate.set()
    assert ask(hook, pre(tmp_path)) is None


def test_what_is_found_too_late_is_said_at_the_next_event(tmp_path: Path, slow: Canned) -> None:
    slow.report = FOUND
    hook = made(slow, tmp_path)

    async def both() -> list[Any]:
        first = await hook.run(pre(tmp_path), HookContext(budget=Budget.of(0.01)))  # type: ignore[misc]
        slow.gate.set()
        slow.report = Report()
        await asyncio.to_thread(slow.done.wait, 10)
        # The loop is told by then, or right after.
        await asyncio.sleep(0.05)
        return [first, await hook.run(post(tmp_path), HookContext(budget=Budget.of(5)))]  # type: ignore[misc]

    first, second = asyncio.run(both())
    assert first.rule == "proof.not-ready"
    assert (second.rule, "tests/t.py" in second.reason) == ("proof.outside-contract", True)


def test_the_real_thing(tmp_path: Path) -> None:
    world = World(tmp_path)
    hook = made(world.proof, world.root)
    command = "python3 -c \"open('te'+'sts/t.py', 'w').write('evil')\""
    given: dict[str, Any] = {"tool_name": "Bash", "tool_input": {"command": command}}
    who = identity(world.root, "builder")
    assert ask(hook, PreToolUse(identity=who, **given)) is None
    world.shell(command)
    decision = ask(hook, PostToolUse(identity=who, **given))
    assert decision is not None
    assert decision.action is Action.DENY
    assert (world.root / "tests/t.py").read_text() == "assert 1\n"


def test_a_call_is_judged_by_the_contract_that_it_began_under(tmp_path: Path) -> None:
    """It may have taken that away, or written itself another, as what it did to the tree."""
    world = World(tmp_path)
    root = world.root
    kit = Kit(places=Places(state=tmp_path / "s", config=tmp_path / "c"), prover=world.proof)
    before = Policy(repository=str(root), contracts={"builder": (held(root),)})
    wider = Policy(
        repository=str(root), contracts={"builder": (held(root, allowed=("src/**", "**/*")),)}
    )
    test = root / "tests/t.py"
    original = test.read_bytes()
    for after in (Policy(repository=str(root)), wider):
        assert ask(proof.hook(before, kit), pre(root)) is None
        test.write_text("changed\n")
        hook = proof.hook(after, kit)
        event = replace(post(root), received_ns=time.time_ns(), duration_ms=0)
        assert hook.when is not None
        assert hook.when(event)
        told = ask(hook, event)
        assert told is not None
        assert told.rule == "proof.outside-contract"
        assert test.read_bytes() == original
    # Whom a person lets go free before a call is free from that call on.
    hook = proof.hook(Policy(repository=str(root)), kit)
    assert hook.when is not None
    assert not hook.when(pre(root))
    assert not hook.when(post(root))


def test_what_an_agent_that_has_ended_was_judged_by_is_forgotten(tmp_path: Path) -> None:
    kit = Kit(places=Places(state=tmp_path, config=tmp_path), prover=Canned())
    policy = Policy(repository=str(tmp_path), contracts={"builder": (held(tmp_path),)})
    ask(proof.hook(policy, kit), pre(tmp_path))
    free = proof.hook(Policy(repository=str(tmp_path)), kit)
    end = SubagentStop(identity=identity(tmp_path, "builder"))
    assert free.when is not None
    assert free.when(end)
    ask(free, end)
    assert not free.when(end)
