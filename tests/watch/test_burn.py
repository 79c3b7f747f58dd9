"""A run that takes far more than it used to is found, in tokens and in money."""

import random

import pytest

from pointsman.model.alert import Severity

from .run import Session


def steady(
    session: Session, minutes: int, tokens: int = 30_000, agent: str = "", **more: float
) -> None:
    for _ in range(minutes):
        for _ in range(4):
            session.usage(tokens // 4, more.get("usd", 0.05), agent=agent)
        session.wait(1)


def test_a_minute_far_above_the_session_s_own_is_found_while_it_goes_on() -> None:
    session = Session("burn-rate")
    steady(session, 12)
    assert session.found == []
    for _ in range(20):
        session.usage(60_000, 0.05)
        if session.found:
            break
    first = session.found[0]
    assert first.key == "tokens"
    assert float(first.figures["value"]) < 400_000, "found before the minute was over"
    assert first.figures["median"] == 30_000
    assert "used to take 30,000 tokens" in first.summary


def test_money_is_found_apart_from_tokens() -> None:
    session = Session("burn-rate")
    steady(session, 12)
    session.usage(1000, 30.0)
    assert "usd" in session.found_keys()
    assert "tokens" not in session.found_keys()
    assert Severity.CRITICAL in session.severities()
    assert "$30.00 within a minute" in session.found[0].summary


def test_an_agent_is_held_against_its_type_in_other_sessions() -> None:
    session = Session("burn-rate")
    for name in ("one", "two", "three"):
        session.name = name
        steady(session, 6, agent="worker")
        session.usage(1, agent="worker")
    session.name = "four"
    session.wait(5)
    session.usage(900_000, agent="worker")
    assert [(each.session, each.agent_type) for each in session.found] == [("four", "worker")]
    session.usage(900_000, agent="other")
    assert len(session.found) == 1, "of that type nothing is known yet"


@pytest.mark.parametrize("seed", range(20))
def test_what_goes_up_and_down_as_runs_do_is_not_found(seed: int) -> None:
    chance = random.Random(seed)
    session = Session("burn-rate")
    context = 20_000.0
    for _ in range(120):
        for _ in range(chance.randint(1, 8)):
            context *= 1.004
            tokens = int(context + chance.lognormvariate(6, 1))
            session.usage(tokens, tokens * 1e-6, cache_read_tokens=int(context))
        session.wait(1)
    assert session.found == []


def test_little_is_never_found_and_what_has_no_price_is_not_money() -> None:
    session = Session("burn-rate")
    steady(session, 20, tokens=400, usd=0.0001)
    session.usage(50_000, 0.4)
    assert session.found == []
    unpriced = Session("burn-rate")
    for _ in range(20):
        unpriced.usage(100, None)
        unpriced.wait(1)
    assert unpriced.found == []
