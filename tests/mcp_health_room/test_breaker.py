"""A breaker's states, by tables and by everything that may happen in any order."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.mcp_health.breaker import (
    Terms,
    call_answered,
    call_failed,
    due,
    half_opened,
    is_shut,
    probe_failed,
    probe_passed,
    tried,
)
from pointsman.model.backoff import delay
from pointsman.model.server_health import Breaker, Phase

TERMS = Terms(failures=3, first=10.0, most=60.0)
S = 10**9
CLOSED = Breaker()


def failing(times: int, at: int = 0, now: Breaker = CLOSED) -> Breaker:
    for _ in range(times):
        now = call_failed(now, "gone", at, TERMS, lambda: 1.0)
    return now


def test_so_many_failures_in_a_row_open_it() -> None:
    assert failing(2).phase is Phase.CLOSED
    opened = failing(3)
    assert (opened.phase, opened.by, opened.reason) == (Phase.OPEN, "calls", "gone")
    assert opened.retry_ns == 10 * S
    assert call_answered(failing(2)) == Breaker()


def test_a_late_failure_does_not_prolong_it() -> None:
    assert failing(1, at=5 * S, now=failing(3)).retry_ns == 10 * S


def test_one_call_tries_and_the_others_wait() -> None:
    opened = failing(3)
    assert is_shut(opened, 5 * S)
    assert not due(opened, 5 * S)
    assert due(opened, 10 * S)
    half = half_opened(opened)
    assert not is_shut(half, 11 * S)
    trying = tried(half, 11 * S)
    assert is_shut(trying, 12 * S)
    assert call_answered(trying) == Breaker()
    again = failing(1, at=13 * S, now=trying)
    assert (again.phase, again.trips) == (Phase.OPEN, 2)
    assert again.retry_ns == 33 * S
    # Of a trial without an end nobody waits for ever.
    assert not is_shut(trying, 11 * S + 121 * S)


def test_what_a_probe_opens_a_probe_closes() -> None:
    opened = probe_failed(Breaker(), "refused", 0, TERMS)
    assert (opened.phase, opened.by) == (Phase.OPEN, "probe")
    assert probe_passed(opened) == Breaker()


def test_what_calls_open_a_call_closes() -> None:
    half = probe_passed(failing(3))
    assert half.phase is Phase.HALF_OPEN
    assert call_answered(tried(half, S)) == Breaker()


def test_an_unsure_probe_lets_one_call_try() -> None:
    half = probe_failed(Breaker(), "no key", 0, TERMS, sure=False)
    assert half.phase is Phase.HALF_OPEN
    assert not is_shut(half, S)
    assert failing(1, now=half).phase is Phase.OPEN


def test_passing_probes_do_not_hide_failing_calls() -> None:
    now = Breaker()
    for _ in range(3):
        now = probe_passed(failing(1, now=now))
    assert now.phase is Phase.HALF_OPEN


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_nothing_and_never_more_than_the_most(attempt: int, drawn: float) -> None:
    wait = delay(attempt, 2.0, 30.0, lambda: drawn)
    assert min(30.0, 2.0 * 2.0 ** min(attempt - 1, 64)) / 2 <= wait <= 30.0


_STEPS: dict[str, Callable[[Breaker, int], Breaker]] = {
    "call fails": lambda now, at: call_failed(now, "gone", at, TERMS),
    "call answered": lambda now, _: call_answered(now),
    "probe fails": lambda now, at: probe_failed(now, "refused", at, TERMS),
    "probe unsure": lambda now, at: probe_failed(now, "slow", at, TERMS, sure=False),
    "probe passes": lambda now, _: probe_passed(now),
    "waited": lambda now, at: half_opened(now) if due(now, at) else now,
    "call begins": lambda now, at: now if is_shut(now, at) else tried(now, at),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(_STEPS)), st.integers(0, 90 * S)), max_size=60))
def test_an_answer_always_closes_it_and_it_never_waits_longer_than_allowed(
    steps: list[tuple[str, int]],
) -> None:
    now, at = Breaker(), 0
    for name, later in steps:
        at += later
        now = _STEPS[name](now, at)
        assert now.retry_ns - at <= 60 * S
        assert (now.phase is Phase.CLOSED) <= (not is_shut(now, at))
        assert call_answered(now) == Breaker()
        if now.phase is Phase.OPEN:
            assert due(now, now.retry_ns)
            assert now.reason


@pytest.mark.parametrize("sure", [True, False])
def test_an_open_one_stays_open_by_a_failing_probe(sure: bool) -> None:
    opened = failing(3)
    assert probe_failed(opened, "refused", 20 * S, TERMS, sure=sure).phase is Phase.OPEN
