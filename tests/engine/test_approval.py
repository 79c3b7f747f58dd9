"""What an approval is bound to, how long it holds, what a timeout comes to."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approving import MINUTE, WHO, Clock, question
from pointsman.engine.approval import (
    SAME_CALL,
    asking_rules,
    bind,
    digest,
    is_fresh,
    is_same_call,
    next_state,
    stands,
    terms,
    usable,
)
from pointsman.model.approval import Moment, State, Terms, Timeout
from pointsman.model.decision import ask, deny
from pointsman.model.hook import HookRun, Outcome, Role

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"command": "a", "timeout": 1}, {"timeout": 1, "command": "a"}, True),
        ({"command": "a"}, {"command": "a "}, False),
        ({"command": "a"}, {"command": "a", "timeout": 1}, False),
        ({"x": 1}, {"x": 1.0}, False),
        ({"x": 1}, {"x": True}, False),
        ({"x": 1}, {"x": "1"}, False),
        ({"x": ["a", "b"]}, {"x": ["b", "a"]}, False),
        ({"x": {"a": 1, "b": 2}}, {"x": {"b": 2, "a": 1}}, True),
        ({"x": "é"}, {"x": "e\u0301"}, False),
        ({"command": "a", "description": "x"}, {"command": "a", "description": "y"}, True),
        ({"command": "a"}, {"command": "a", "description": "y"}, True),
    ],
)
def test_the_arguments_fit_or_do_not(one: Any, other: Any, same: bool) -> None:
    assert (digest("Bash", one) == digest("Bash", other)) is same


def test_what_only_one_tool_shows_counts_for_the_others() -> None:
    assert digest("Agent", {"description": "x"}) != digest("Agent", {"description": "y"})


def test_a_lone_surrogate_can_be_bound() -> None:
    assert digest("Bash", {"command": "\ud800"}) != digest("Bash", {"command": "\ud801"})


@given(st.dictionaries(st.text(max_size=3), _JSON, max_size=4), st.randoms())
def test_the_order_of_keys_says_nothing(value: dict[str, Any], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert digest("T", dict(items)) == digest("T", value)


@given(
    st.dictionaries(st.text(max_size=3), _JSON, max_size=3),
    st.dictionaries(st.text(max_size=3), _JSON, max_size=3),
)
def test_other_arguments_have_another_hash(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (digest("T", one) == digest("T", other)) is (repr(_typed(one)) == repr(_typed(other)))


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, _typed(one)) for key, one in value.items())
    return [_typed(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "change",
    [
        {"host": "other"}, {"session": "t"}, {"agent_type": "builder"}, {"cwd": "/repo/sub"},
        {"repository": "/other"},
    ],
)  # fmt: skip
def test_another_agent_session_or_place_is_another_binding(change: dict[str, str]) -> None:
    own = bind(WHO, "Bash", {"command": "x"}, ["r"], "session")
    other = bind(replace(WHO, **change), "Bash", {"command": "x"}, ["r"], "session")
    assert own.key != other.key


def test_tool_and_rules_bind_and_their_order_does_not() -> None:
    own = bind(WHO, "Bash", {"command": "x"}, ["r", "q"], "session")
    assert own.key == bind(WHO, "Bash", {"command": "x"}, ["q", "r", "q"], "session").key
    assert own.key != bind(WHO, "Monitor", {"command": "x"}, ["r", "q"], "session").key
    assert own.key != bind(WHO, "Bash", {"command": "x"}, ["r"], "session").key


def test_bound_to_the_agent_another_session_fits_and_another_spawn_of_it() -> None:
    own = bind(WHO, "Bash", {"command": "x"}, ["r"], "agent")
    later = replace(WHO, session="t", agent_id="other")
    assert own.key == bind(later, "Bash", {"command": "x"}, ["r"], "agent").key


def test_every_rule_that_asks_counts() -> None:
    def run(decision: Any) -> HookRun:
        return HookRun(
            hook="g", role=Role.GUARD, kind="PreToolUse", started_ns=0, duration_ns=0,
            outcome=Outcome.DECIDED, budget=1, decision=decision,
        )  # fmt: skip

    runs = [run(ask("a", rule="a")), run(ask("b", rule="b")), run(deny("c", rule="c")), run(None)]
    assert asking_rules(ask("", rule="engine.input-clash"), runs) == (
        "a",
        "b",
        "engine.input-clash",
    )


# --- time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall", "boot", "fresh"),
    [
        (0, 0, True), (899, 899, True), (900, 900, False), (901, 0, False),
        (-1, 1, True),  # steered by a second
        (-3, 10, False),  # set back: how long ago it was cannot be known
        (-86_400, 10, False),
        (5, 1000, False),  # set back by less than has passed: the other clock tells
        (86_400, 5, False),  # set forward: on the safe side
        (5, -1, False),
    ],
)  # fmt: skip
def test_a_yes_is_fresh_by_every_clock(wall: float, boot: float, fresh: bool) -> None:
    start = Moment(10**18, 10**12, "b")
    now = Moment(start.wall_ns + int(wall * 1e9), start.boot_ns + int(boot * 1e9), "b")
    assert is_fresh(start, now, 900) is fresh


def test_after_a_restart_the_wall_clock_alone_tells() -> None:
    start = Moment(10**18, 10**12, "b")
    assert is_fresh(start, Moment(10**18 + 10**9, 5, "c"), 900)
    assert not is_fresh(start, Moment(10**18 + 10**12, 5, "c"), 900)
    assert is_fresh(start, Moment(10**18 + 10**9), 900)
    assert not is_fresh(None, start, 900)


@pytest.mark.parametrize("state", list(State))
def test_only_a_fresh_yes_can_be_used(state: State) -> None:
    clock = Clock()
    one = question(state=state, decided=clock.now)
    assert usable(one, clock.now) is (state is State.APPROVED)
    assert stands(one, clock.now) is (state is State.REFUSED)
    clock.pass_by(15 * MINUTE)
    assert not usable(one, clock.now)
    clock.pass_by(45 * MINUTE)
    assert not stands(one, clock.now)


def test_a_call_that_is_asked_about_twice_is_one_call() -> None:
    clock = Clock()
    one = question(state=State.USED, call="c", used_ns=clock.now.wall_ns)
    assert is_same_call(one, "c", clock.now)
    assert not is_same_call(one, "d", clock.now)
    assert not is_same_call(replace(one, call=""), "", clock.now)
    assert not is_same_call(replace(one, state=State.APPROVED), "c", clock.now)
    clock.pass_by(SAME_CALL)
    assert not is_same_call(one, "c", clock.now)


@pytest.mark.parametrize(
    ("state", "on_timeout", "escalated", "minutes", "then"),
    [
        (State.WAITING, "deny", 0, 59, None),
        (State.WAITING, "deny", 0, 60, State.LAPSED),
        (State.WAITING, "escalate", 0, 59, None),
        (State.WAITING, "escalate", 0, 60, Timeout.ESCALATE),
        (State.WAITING, "escalate", 1, 60, State.LAPSED),
        (State.WAITING, "escalate", 1, 59, None),
        (State.APPROVED, "deny", 0, 14, None),
        (State.APPROVED, "deny", 0, 15, State.EXPIRED),
        (State.USED, "deny", 0, 999, None),
        (State.REFUSED, "escalate", 0, 999, None),
        (State.ASKED, "escalate", 0, 999, None),
        (State.ASKED, "escalate", 0, 1441, State.UNKNOWN),
    ],
)
def test_what_time_makes_of_it(
    state: State, on_timeout: str, escalated: int, minutes: float, then: object
) -> None:
    clock = Clock()
    waits = Terms(on_timeout=Timeout(on_timeout))
    one = question(state=state, terms=waits, decided=clock.now, escalated_ns=escalated)
    clock.pass_by(minutes * MINUTE)
    assert next_state(one, clock.now) == then


# --- terms --------------------------------------------------------------------------------------


def test_terms_of_nothing_are_the_defaults() -> None:
    assert terms({}, ["r"]) == terms({}, []) == Terms(wait=3600, valid_for=900)


def test_the_first_pattern_that_fits_counts_and_keeps_what_it_does_not_say() -> None:
    settings = {
        "wait": 10,
        "rules": [
            {"rule": "command.git-*", "on_timeout": "escalate"},
            {"rule": "command.*", "wait": 1, "valid_for": 2},
        ],
    }
    assert terms(settings, ["command.git-rewrite"]) == Terms(
        wait=600, on_timeout=Timeout.ESCALATE, valid_for=900
    )
    assert terms(settings, ["command.x"]) == Terms(wait=60, valid_for=120)
    assert terms(settings, ["self.x"]) == Terms(wait=600)


def test_of_several_rules_the_shortest_times_count_and_to_escalate() -> None:
    settings = {
        "rules": [
            {"rule": "a", "wait": 1, "valid_for": 9},
            {"rule": "b", "wait": 5, "valid_for": 3, "on_timeout": "escalate"},
        ],
    }
    found = terms(settings, ["a", "b"])
    assert found == Terms(wait=60, on_timeout=Timeout.ESCALATE, valid_for=180)
