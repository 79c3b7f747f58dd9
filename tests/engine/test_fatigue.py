"""How much is asked, how fast it is answered, and when that looks like nobody reads it."""

from dataclasses import replace

import pytest

from approving import Clock, question
from pointsman.engine.fatigue import FEWEST, by_rule, figures
from pointsman.model.approval import Approval, Moment, State


def answered(state: State, seconds: float, shown: float | None = None, rule: str = "r") -> Approval:
    start = Clock().now.wall_ns
    decided = Moment(start + int(seconds * 1e9))
    seen = 0 if shown is None else start + int(shown * 1e9)
    return question(state=state, decided=decided, shown_ns=seen, rule=rule)


def test_of_nothing_there_is_nothing_to_say() -> None:
    none = figures([])
    assert (none.requests, none.approved_share, none.median_s, none.fast_share) == (
        0,
        None,
        None,
        None,
    )
    assert not none.rubber_stamp


def test_every_state_is_counted_once() -> None:
    each = figures([question(state=state) for state in State])
    assert each.requests == len(State)
    counted = each.approved + each.refused + each.open + each.nobody + each.unknown
    assert counted == each.requests
    assert (each.approved, each.refused, each.open, each.nobody, each.unknown) == (4, 2, 2, 1, 1)
    assert each.approved_share == pytest.approx(4 / 6)


def test_time_runs_from_when_it_was_shown() -> None:
    each = figures([
        answered(State.USED, 600, shown=590), answered(State.USED, 3), answered(State.REFUSED, 1),
        answered(State.ANSWERED_YES, 5),
    ])  # fmt: skip
    assert each.median_s == pytest.approx(5)
    assert each.fast_share == pytest.approx(2 / 3)
    assert each.unseen == 1


def test_a_look_after_the_answer_is_none_and_a_clock_set_back_tells_nothing() -> None:
    each = figures([answered(State.USED, 2, shown=50), answered(State.APPROVED, -9)])
    assert each.median_s == pytest.approx(2)
    assert each.unseen == 2


@pytest.mark.parametrize(
    ("fast", "slow", "no", "stamped"),
    [
        (FEWEST, 0, 0, True),
        (FEWEST - 1, 0, 0, False),
        (FEWEST // 2, FEWEST // 2, 0, True),
        (FEWEST // 2 - 1, FEWEST // 2 + 1, 0, False),
        (19, 0, 1, True),
        (18, 0, 2, False),
        (0, 20, 0, False),
    ],
)
def test_rubber_stamping(fast: int, slow: int, no: int, stamped: bool) -> None:
    asked = [answered(State.USED, 1)] * fast + [answered(State.USED, 60)] * slow
    asked += [answered(State.REFUSED, 9)] * no
    assert figures(asked).rubber_stamp is stamped


def test_by_rule_the_most_asked_first() -> None:
    asked = [answered(State.USED, 1, rule=rule) for rule in ("b", "a", "c", "a", "c")]
    found = by_rule(asked)
    assert list(found) == ["a", "c", "b"]
    assert found["a"] == figures([replace(each, rule="x") for each in asked if each.rule == "a"])
