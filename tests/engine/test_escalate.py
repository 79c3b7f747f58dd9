from dataclasses import replace

import pytest

from pointsman.engine.escalate import Escalation
from pointsman.model.alerting import STOPPED_RULE
from pointsman.model.decision import NO_OPINION, Decision, deny, failure
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.model.team import GIVEN_UP

from .events import failed, pre

SECOND = 10**9


def triggers(found: list) -> list[str]:  # type: ignore[type-arg]
    return [each.trigger for each in found]


def hook_run(outcome: Outcome, broke: Outcome | None) -> HookRun:
    return HookRun(
        hook="h", role=Role.GUARD, kind="PreToolUse", started_ns=0, duration_ns=1,
        outcome=outcome, budget=1.0, reason="why", broke=broke,
    )  # fmt: skip


def test_a_failed_tool_is_raised_once_per_window() -> None:
    escalation = Escalation()
    first = escalation.derive(failed("Exit code 3\nx", SECOND), (), NO_OPINION, {})
    assert triggers(first) == ["tool failed"]
    assert "Exit code 3" in first[0].summary
    assert escalation.derive(failed("Exit code 3", 2 * SECOND), (), NO_OPINION, {}) == []
    assert escalation.derive(failed("Exit code 3", 3 * SECOND), (), NO_OPINION, {}) == []
    again = escalation.derive(failed("Exit code 3", 400 * SECOND), (), NO_OPINION, {})
    assert again[0].count == 3
    other = escalation.derive(failed("Exit code 4", 3 * SECOND), (), NO_OPINION, {})
    assert triggers(other) == ["tool failed"]


def test_an_interrupted_tool_is_no_failure() -> None:
    event = replace(failed("x"), is_interrupt=True)
    assert Escalation().derive(event, (), NO_OPINION, {}) == []


@pytest.mark.parametrize(
    ("outcome", "broke", "trigger"),
    [
        (Outcome.CRASHED, Outcome.CRASHED, ["hook failed"]),
        (Outcome.TIMED_OUT, Outcome.TIMED_OUT, ["budget blown"]),
        (Outcome.DEGRADED, Outcome.TIMED_OUT, ["budget blown"]),
        (Outcome.DEGRADED, Outcome.CRASHED, ["hook failed"]),
        (Outcome.DEGRADED, None, []),
        (Outcome.DECIDED, None, []),
        (Outcome.SKIPPED, None, []),
    ],
)
def test_hooks_that_fail(outcome: Outcome, broke: Outcome | None, trigger: list[str]) -> None:
    run = hook_run(outcome, broke)
    assert triggers(Escalation().derive(pre(), [run], NO_OPINION, {})) == trigger


@pytest.mark.parametrize(
    ("rule", "trigger"), [(GIVEN_UP, ["validation failed"]), ("completion.unverified", [])]
)
def test_an_agent_that_ends_though_its_checks_fail(rule: str, trigger: list[str]) -> None:
    decision = Decision(action=None, reason="make test failed", rule=rule)
    run = replace(hook_run(Outcome.DECIDED, None), decision=decision)
    # An iterator: what is looked at twice must be kept.
    found = Escalation().derive(pre(), iter([run]), decision, {})
    assert triggers(found) == trigger
    assert all(each.summary == "make test failed" for each in found)


def test_a_burst_of_denials() -> None:
    escalation = Escalation()
    found = []
    for number in range(7):
        event = replace(pre(), received_ns=number * SECOND)
        found.append(triggers(escalation.derive(event, (), deny("no"), {"denial_burst": 4})))
    assert found == [[], [], [], ["denial burst"], [], [], []]


def test_slow_denials_are_no_burst() -> None:
    escalation = Escalation()
    for number in range(20):
        event = replace(pre(), received_ns=number * 100 * SECOND)
        assert escalation.derive(event, (), deny("no"), {"denial_burst": 3, "window": 60.0}) == []


def test_whom_a_person_has_stopped_makes_no_burst() -> None:
    escalation = Escalation()
    for number in range(20):
        event = replace(pre(), received_ns=number * SECOND)
        stopped = deny("stopped", rule=STOPPED_RULE)
        assert escalation.derive(event, (), stopped, {"denial_burst": 3}) == []


def test_our_own_failure_is_no_denial_of_the_agents() -> None:
    escalation = Escalation()
    for number in range(20):
        event = replace(pre(), received_ns=number)
        assert escalation.derive(event, (), failure("x", rule="r"), {}) == []


def test_memory_is_bounded() -> None:
    escalation = Escalation()
    for number in range(5000):
        escalation.derive(failed(f"error {number}"), (), NO_OPINION, {})
    assert len(escalation._seen) <= 2048
