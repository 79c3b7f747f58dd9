"""What was found is over once its condition is, and not before."""

from collections.abc import Callable
from typing import Any

import pytest

from pointsman.model.decision import Decision, deny
from pointsman.model.events import (
    PreCompact,
    PreToolUse,
    SessionEnd,
    SessionStart,
    SubagentStart,
    SubagentStop,
    UserPromptSubmit,
)
from pointsman.model.hook import Outcome
from pointsman.watch.all_detectors import ALL

from .run import SECOND, Session, run

Step = Callable[[Session], object]
NO: Decision = deny("no", rule="scope.outside")


def many(times: int, step: Step) -> Step:
    def steps(session: Session) -> None:
        for _ in range(times):
            step(session)

    return steps


def both(*steps: Step) -> Step:
    return lambda session: [step(session) for step in steps]


def quiet(minutes: float) -> Step:
    return lambda session: session.wait(minutes)


def flipping(session: Session) -> None:
    for number in range(7):
        session.write("/repo/a", str(number % 2))


def steady_then_wild(session: Session) -> None:
    for _ in range(12):
        session.usage(1000, 0.01)
        session.wait(1)
    session.usage(500_000, 0.01)


def creeping(session: Session) -> None:
    for number in range(60):
        session.usage(1000 if number < 30 else 30_000)


def spawned(count: int, *, end: bool = False) -> Step:
    def steps(session: Session) -> None:
        for number in range(count):
            session.event(SubagentStop if end else SubagentStart, "w", agent_id=f"id{number}")

    return steps


def hooked(outcome: Outcome, seconds: float = 0.001) -> Step:
    made = run("mine", outcome, duration_ns=int(seconds * SECOND))
    return lambda session: session.event(PreToolUse, runs=[made])


def asked(decision: Decision) -> Step:
    return lambda session: session.event(PreToolUse, decision=decision)


def failing(session: Session) -> None:
    session.bash("x", error="no such thing")


def left_alone(session: Session) -> None:
    session.event(PreToolUse, "w")
    session.event(SessionEnd, "")


Case = tuple[str, Step, Step, Step]
CASES: list[Case] = [
    ("repetition", many(5, lambda s: s.bash("ls", "same")), quiet(1),
     lambda s: s.write("/repo/new", "x")),
    ("cycle", many(4, both(lambda s: s.bash("a", "1"), lambda s: s.bash("b", "1"))), quiet(1),
     both(lambda s: s.bash("c"), lambda s: s.bash("d"))),
    ("same-error", many(5, failing), many(20, lambda s: s.bash("ok")),
     many(40, lambda s: s.bash("ok"))),
    ("no-progress", many(61, lambda s: s.bash("ls")), quiet(1),
     lambda s: s.event(UserPromptSubmit, prompt="on")),
    ("churn", flipping, quiet(5), lambda s: [s.write("/repo/a", f"v{n}") for n in range(24)]),
    ("fan-out", spawned(17), quiet(1), spawned(17, end=True)),
    ("depth", lambda s: s.event(SubagentStart, "w", agent_id="c", parent="b"), quiet(1),
     lambda s: s.event(SubagentStop, "w", agent_id="c", parent="b")),
    ("burn-rate", steady_then_wild, quiet(0.5), quiet(2)),
    ("drift", creeping, many(3, lambda s: s.usage(30_000)), many(12, lambda s: s.usage(900))),
    ("denials", many(5, asked(NO)), quiet(0.5), quiet(1)),
    ("stalled", both(lambda s: s.event(UserPromptSubmit, prompt="on"), quiet(16)), quiet(1),
     lambda s: s.event(PreToolUse)),
    ("zombie", both(left_alone, quiet(1), lambda s: s.event(PreToolUse, "w")), quiet(1),
     lambda s: s.event(SessionStart)),
    ("context", lambda s: s.usage(10, input_tokens=170_000), quiet(1),
     lambda s: s.usage(10, input_tokens=20_000)),
    ("compactions", many(3, lambda s: s.event(PreCompact)), quiet(30), quiet(31)),
    ("hook-failures", many(3, hooked(Outcome.CRASHED)), many(5, hooked(Outcome.NO_OPINION)),
     many(18, hooked(Outcome.NO_OPINION))),
    ("hook-budget", many(4, hooked(Outcome.NO_OPINION, 0.9)), many(5, hooked(Outcome.NO_OPINION)),
     many(18, hooked(Outcome.NO_OPINION))),
    ("mcp-down", many(3, lambda s: s.call("mcp__a__x", error="Not connected")), quiet(1),
     lambda s: s.call("mcp__a__x", "fine")),
]  # fmt: skip
SETUP: dict[str, Step] = {
    "depth": both(lambda s: s.event(SubagentStart, "w", agent_id="a"),
                  lambda s: s.event(SubagentStart, "w", agent_id="b", parent="a")),
}  # fmt: skip
TIME_ALONE = {"limit-reached"}
"""Of this nobody can tell when it is over."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_over_when_the_condition_is_and_not_before(case: Case) -> None:
    name, fault, still, end = case
    settings: dict[str, Any] = {"depth": {"warn": 3}}
    session = Session(name, **settings)
    if name in SETUP:
        SETUP[name](session)
    fault(session)
    assert session.found, name
    still(session)
    assert session.watch.gone(session.at) == []
    end(session)
    found = {(one.detector, one.key) for one in session.found}
    over = session.watch.gone(session.at)
    assert over
    assert {(one.detector, one.key) for one in over} <= found
    assert {one.session for one in over} == {"s"}
    assert session.watch.gone(session.at) == []


def test_the_table_has_every_detector() -> None:
    assert {case[0] for case in CASES} | TIME_ALONE == {row.name for row in ALL}


def test_found_again_it_is_news() -> None:
    session = Session("mcp-down")
    for _ in range(3):
        session.call("mcp__a__x", error="Not connected")
    assert len(session.found) == 1
    session.call("mcp__a__x", "fine")
    assert [one.key for one in session.watch.gone(session.at)] == ["a"]
    for _ in range(3):
        session.call("mcp__a__x", error="Not connected")
    assert len(session.found) == 2


def test_a_runaway_that_goes_on_is_not_over_between_its_minutes() -> None:
    session = Session("burn-rate")
    steady_then_wild(session)
    for _ in range(3):
        session.wait(0.9)
        assert session.watch.gone(session.at) == []
        session.usage(900_000)
    assert session.found


def test_an_agent_is_named() -> None:
    session = Session("denials")
    for _ in range(5):
        session.event(PreToolUse, "worker", decision=NO)
    session.wait(2)
    assert [one.agent_id for one in session.watch.gone(session.at)] == ["worker-id"]
