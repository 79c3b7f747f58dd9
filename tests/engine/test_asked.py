"""New questions are told at once, then together, and each once."""

from dataclasses import replace

from approving import question
from pointsman.engine.asked import QUIET, Asked
from pointsman.model.approval import Approval

SECOND = 10**9


def of(name: str, session: str = "s") -> Approval:
    return replace(question(name), session=session)


def told(asked: Asked, seconds: float) -> list[tuple[str, int]]:
    return [(one.id, count) for one, count in asked.due(int(seconds * SECOND))]


def test_the_first_at_once_and_each_once() -> None:
    asked = Asked()
    assert told(asked, 0) == []
    asked.note(of("a"))
    assert told(asked, 0) == [("a", 1)]
    assert told(asked, 10 * QUIET) == []


def test_what_follows_is_told_together_once_it_has_been_quiet() -> None:
    asked = Asked()
    asked.note(of("a"))
    told(asked, 0)
    asked.note(of("b"))
    asked.note(of("c"))
    assert told(asked, QUIET - 1) == []
    assert told(asked, QUIET) == [("b", 2)]


def test_one_session_does_not_keep_another_waiting() -> None:
    asked = Asked()
    asked.note(of("a"))
    told(asked, 0)
    asked.note(of("b"))
    asked.note(of("c", "other"))
    assert told(asked, 1) == [("c", 1)]


def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    asked = Asked()
    asked.note(of("a"))
    told(asked, 1000)
    asked.note(of("b"))
    assert told(asked, 10) == [("b", 1)]


def test_sessions_without_end_are_forgotten() -> None:
    asked = Asked()
    for number in range(2000):
        asked.note(of(f"a{number}", f"s{number}"))
    assert len(told(asked, 0)) == 512
