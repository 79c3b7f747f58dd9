"""Too many subagents, and too deep ones."""

from pointsman.model.alert import Severity
from pointsman.model.events import SubagentStart, SubagentStop

from .run import Session


def test_too_many_at_the_same_time() -> None:
    session = Session("fan-out")
    for number in range(33):
        session.event(SubagentStart, "worker", agent_id=f"w{number}")
    assert [each.key for each in session.found] == ["running", "running"]
    assert session.severities() == [Severity.WARNING, Severity.CRITICAL]
    assert session.found[0].figures == {"count": 17, "most": 16}


def test_one_after_the_other_are_not_many_until_they_are() -> None:
    session = Session("fan-out")
    for number in range(41):
        session.event(SubagentStart, "worker", agent_id=f"w{number}")
        session.event(SubagentStop, "worker", agent_id=f"w{number}")
    assert session.found_keys() == ["begun"]
    slow = Session("fan-out")
    for number in range(100):
        slow.event(SubagentStart, "worker", agent_id=f"w{number}")
        slow.event(SubagentStop, "worker", agent_id=f"w{number}")
        slow.wait(1)
    assert slow.found == []


def test_an_agent_counts_once_and_the_host_s_own_not_at_all() -> None:
    session = Session("fan-out", **{"fan-out": {"running": 2, "begun": 2}})
    for _ in range(9):
        session.event(SubagentStart, "worker", agent_id="one")
        session.event(SubagentStart, "worker", agent_id="two")
        session.event(SubagentStart, "", agent_id="host")
    assert session.found == []


def test_how_deep_they_are() -> None:
    session = Session("depth")
    parent = "main"
    for number in range(1, 6):
        session.event(SubagentStart, "worker", agent_id=f"w{number}", parent=parent)
        parent = f"w{number}"
    assert [each.figures["depth"] for each in session.found] == [3, 4, 5]
    assert session.severities()[-1] is Severity.CRITICAL
    flat = Session("depth")
    for number in range(50):
        flat.event(SubagentStart, "worker", agent_id=f"w{number}", parent="main")
        flat.event(SubagentStart, "worker", agent_id=f"x{number}", parent=None)
        flat.event(SubagentStart, "worker", agent_id=f"y{number}", parent="w1")
    assert flat.found == []
