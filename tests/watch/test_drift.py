"""A slow rise that no single message shows is found; a growing context is none."""

import random

import pytest

from .run import Session


def message(session: Session, chance: random.Random, scale: float = 1.0, context: int = 0) -> None:
    new = int(scale * chance.lognormvariate(7, 0.8))
    session.usage(new, None, cache_read_tokens=context)


@pytest.mark.parametrize("seed", range(20))
def test_one_percent_more_with_each_message_is_found(seed: int) -> None:
    chance, session = random.Random(seed), Session("drift")
    scale = 1.0
    for number in range(600):
        scale *= 1.01 if number > 100 else 1.0
        message(session, chance, scale)
        if session.found:
            break
    assert session.found
    assert session.found[0].key == "tokens"
    assert "crept up" in session.found[0].summary


@pytest.mark.parametrize(("times", "within"), [(4, 75), (8, 60), (30, 50)])
def test_a_rise_is_found_soon(times: int, within: int) -> None:
    found = []
    for seed in range(20):
        chance, session = random.Random(seed), Session("drift")
        for number in range(200):
            message(session, chance, times if number >= 30 else 1)
            if session.found:
                found.append(number + 1)
                break
    # The median; docs/watching.md names the figures.
    assert len(found) == 20
    assert 45 <= sorted(found)[10] <= within


def test_what_a_message_grows_by_is_no_message() -> None:
    chance, session, split = random.Random(3), Session("drift"), Session("drift")
    for number in range(120):
        new = int((30 if number > 60 else 1) * chance.lognormvariate(7, 0.8))
        session.usage(new)
        split.usage(new // 2)
        split.usage(new - new // 2, growth=True)
    assert session.found
    assert split.found
    assert session.found[0].at_ns == split.found[0].at_ns


def test_messages_that_vary_as_they_do_are_seldom_found() -> None:
    found = 0
    for seed in range(200):
        chance, session = random.Random(seed), Session("drift")
        for number in range(300):
            message(session, chance, context=1000 * number)
        found += bool(session.found)
    # docs/watching.md names the figure.
    assert found <= 1, found


def test_one_wild_message_is_no_drift() -> None:
    chance, session = random.Random(1), Session("drift")
    for number in range(200):
        message(session, chance, 500 if number == 100 else 1)
    assert session.found == []
