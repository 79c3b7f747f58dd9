"""A context that fills up, and one that is compacted over and over."""

from pointsman.model.alert import Severity
from pointsman.model.events import PreCompact

from .run import Session


def filled(session: Session, tokens: int, model: str = "m", agent: str = "") -> None:
    session.usage(10, input_tokens=100, cache_read_tokens=tokens - 100, model=model, agent=agent)


def test_a_context_that_fills_up() -> None:
    session = Session("context")
    for tokens in range(10_000, 200_000, 5_000):
        filled(session, tokens)
    assert session.severities() == [Severity.WARNING, Severity.CRITICAL]
    assert session.found[0].figures == {"tokens": 150_000, "window": 200_000.0, "percent": 75.0}
    assert "pointsman handoff" not in session.found[0].summary
    assert session.found[1].figures["percent"] == 80.0
    assert session.found[1].summary.endswith("start afresh from its brief: pointsman handoff s")


def test_a_larger_window_is_known_by_its_name_or_its_use() -> None:
    session = Session("context")
    filled(session, 190_000, "m[1m]")
    assert session.found == []
    used = Session("context")
    filled(used, 250_000)
    filled(used, 190_000)
    assert used.found == []
    filled(used, 950_000)
    assert len(used.found) == 1


def test_each_agent_has_a_context_of_its_own() -> None:
    session = Session("context")
    filled(session, 100_000)
    filled(session, 170_000, agent="worker")
    assert [each.agent_type for each in session.found] == ["worker"]


def test_three_compactions_within_an_hour() -> None:
    session = Session("compactions")
    for _ in range(5):
        session.event(PreCompact, trigger="auto")
        session.wait(1)
    assert session.severities() == [Severity.WARNING, Severity.CRITICAL]
    slow = Session("compactions")
    for _ in range(9):
        slow.event(PreCompact, trigger="auto")
        slow.wait(31)
    assert slow.found == []
