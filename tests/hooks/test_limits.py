"""A limit is told, asked about, denied or the end, and says so."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.hooks import limits
from pointsman.hooks.kit import Kit
from pointsman.model.budget import Budget
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.event import Event, Identity
from pointsman.model.events import (
    PostToolBatch,
    PostToolUse,
    PostToolUseFailure,
    PreToolUse,
    UserPromptSubmit,
)
from pointsman.model.hook import HookContext
from pointsman.model.limit import Limit, NothingSpent, Told, Used
from pointsman.model.places import Places
from pointsman.model.policy import Policy

AFTER = [PostToolUse, PostToolUseFailure, PostToolBatch]


class Spent(NothingSpent):
    """So much of everything is used."""

    def __init__(self, used: Used) -> None:
        self.given = used
        self.begun: list[tuple[Event, tuple[Told, ...]]] = []

    def used(self, event: Event, limit: Limit) -> Used:
        return self.given

    def begin(self, event: Event, told: Any = ()) -> None:
        self.begun.append((event, tuple(told)))


def limit(then: str = "deny", **more: Any) -> Limit:
    return Limit(
        **{"per": "session", "of": "calls", "at": 5, "source": "/c.toml", **more}, then=then
    )


def answered(
    used: Used, *all_limits: Limit, kind: type[Event] = PreToolUse, agent: str = ""
) -> tuple[Decision | None, Spent, list[str]]:
    spent, lines = Spent(used), []
    kit = Kit(places=Places.from_environ({}, Path("/h")), spent=spent)
    hook = limits.hook(Policy(limits=all_limits), kit)
    who = Identity(host="h", agent_id="x" if agent else None, agent_type=agent or None)
    context = HookContext(Budget.of(5), lambda text, /, **_more: lines.append(text))
    assert kind.KIND in hook.events
    decision = hook.run(kind(identity=who), context)
    assert decision is None or isinstance(decision, Decision)
    return decision, spent, lines


def test_below_it_nothing_is_said_and_the_call_is_counted() -> None:
    decision, spent, _ = answered(Used(4), limit())
    assert decision is None
    assert len(spent.begun) == 1


@pytest.mark.parametrize(
    ("then", "action"), [("ask", Action.ASK), ("deny", Action.DENY), ("end", Action.DENY)]
)
def test_what_becomes_of_the_next_call(then: str, action: Action) -> None:
    decision, spent, _ = answered(Used(5), limit(then))
    assert decision is not None
    assert (decision.action, decision.rule) == (action, "limit.session-calls")
    assert decision.ends == (then == "end")
    assert len(spent.begun) == (then == "ask"), "a call that is denied is not one"
    for word in ("limit of 5 calls for this session is reached: 5 calls are used", "/c.toml",
                 'per = "session", of = "calls"', "begins a new session"):  # fmt: skip
        assert word in decision.reason


def test_a_warning_is_given_once() -> None:
    decision, spent, _ = answered(Used(5), limit("warn"))
    assert decision is not None
    assert decision.action is None
    assert "limit of 5 calls" in decision.context
    assert spent.begun[0][1] == ((limit("warn"), "limit.session-calls"),)
    assert answered(Used(6, told=frozenset({"limit.session-calls"})), limit("warn"))[0] is None


@pytest.mark.parametrize("kind", [*AFTER, UserPromptSubmit])
@pytest.mark.parametrize("then", ["ask", "deny"])
def test_what_is_no_call_is_not_stopped(kind: type[Event], then: str) -> None:
    decision, spent, _ = answered(Used(9), limit(then), kind=kind)
    assert decision is None
    assert spent.begun == []


@pytest.mark.parametrize("kind", [*AFTER, UserPromptSubmit])
def test_the_end_of_a_run_does_not_wait_for_the_next_call(kind: type[Event]) -> None:
    decision, _, _ = answered(Used(5), limit("end"), kind=kind)
    assert decision is not None
    assert decision.ends
    subagent, _, _ = answered(Used(5), limit("end"), kind=kind, agent="worker")
    assert subagent is None


def test_a_subagent_is_ended_by_denying() -> None:
    decision, _, _ = answered(Used(5), limit("end"), agent="worker")
    assert decision is not None
    assert decision.action is Action.DENY
    assert not decision.ends


def test_a_prompt_is_not_refused_for_a_task_that_is_over() -> None:
    assert answered(Used(5), limit("end", per="task"), kind=UserPromptSubmit)[0] is None
    assert answered(Used(5), limit("end", per="day"), kind=UserPromptSubmit)[0] is not None


def test_of_several_the_strictest_speaks() -> None:
    every = [limit(then) for then in ("warn", "ask", "end", "deny")]
    decision, _, _ = answered(Used(5), *every)
    assert decision is not None
    assert decision.ends
    decision, _, _ = answered(Used(5), *every[:2])
    assert decision is not None
    assert decision.action is Action.ASK
    warned, _, _ = answered(Used(5), limit("warn"), limit("warn", per="day"))
    assert warned is not None
    assert "for this session" in warned.context
    assert "for today" in warned.context


@pytest.mark.parametrize(
    ("agents", "agent", "held"),
    [
        (("worker",), "worker", True),
        (("worker",), "other", False),
        (("work*",), "worker", True),
        (("main",), "", True),
        (("main",), "worker", False),
        ((), "worker", True),
    ],
)
def test_whom_it_stops(agents: tuple[str, ...], agent: str, held: bool) -> None:
    decision, _, _ = answered(Used(5), limit(agents=agents), agent=agent)
    assert (decision is not None) == held


@pytest.mark.parametrize(
    ("of", "used", "words"),
    [
        ("tokens", 1_234_567, "1,234,567 tokens are used (as far as the transcript has been read)"),
        ("usd", 12.5, "$12.50 are used (as far as the transcript has been read)"),
        ("minutes", 90.25, "90.2 minutes are used."),
    ],
)
def test_figures_are_said_with_what_they_are(of: str, used: float, words: str) -> None:
    decision, _, _ = answered(Used(used), limit(of=of))
    assert decision is not None
    assert words in decision.reason


@pytest.mark.parametrize(
    ("then", "said", "action"),
    [
        ("deny", "", Action.ASK),
        ("end", "", Action.ASK),
        ("ask", "", Action.ASK),
        ("warn", "", None),
        ("deny", "deny", Action.DENY),
        ("deny", "warn", None),
    ],
)
def test_money_without_a_price_could_not_be_verified(
    then: str, said: str, action: Action | None
) -> None:
    decision, _, lines = answered(Used(1, unpriced=3), limit(then, of="usd", unpriced=said))
    assert decision is not None
    assert (decision.action, decision.rule) == (action, limits.UNPRICED_RULE)
    if action is not None:
        assert decision.cause is Cause.UNVERIFIED
    assert "3 messages come from a model without a price" in decision.reason + decision.context
    assert lines


def test_money_without_a_price_may_be_let_pass_and_is_on_record_all_the_same() -> None:
    decision, _, lines = answered(Used(1, unpriced=3), limit(of="usd", unpriced="off"))
    assert decision is None
    assert "without a price" in lines[0]
    assert answered(Used(1, unpriced=3), limit(of="tokens"))[0] is None
    reached, _, _ = answered(Used(7, unpriced=3), limit(of="usd", unpriced="off"))
    assert reached is not None
    assert reached.rule == "limit.session-usd"


def test_to_be_told_of_one_is_not_to_be_told_of_the_other() -> None:
    warns = limit("warn", of="usd", at=5)
    knows = Used(6, unpriced=1, told=frozenset({limits.UNPRICED_RULE}))
    decision, _, _ = answered(knows, warns)
    assert decision is not None
    assert decision.rule == "limit.session-usd"
    assert answered(Used(1, unpriced=1, told=knows.told), warns)[0] is None
