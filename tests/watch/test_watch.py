"""What stands around the detectors: whose they are, what is told again, what a failure costs."""

import gc
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from pointsman.model.alert import Severity
from pointsman.model.events import MessageDisplay, PreCompact, PreToolUse, SubagentStart
from pointsman.watch import watch
from pointsman.watch.all_detectors import Row, Scope
from pointsman.watch.detector import Detector, Seen, Sight

from .run import Session, run


def looping(session: Session, calls: int = 5, agent: str = "") -> None:
    for _ in range(calls):
        session.bash("ls", "same", agent=agent)


def test_a_finding_says_who_and_where() -> None:
    session = Session("repetition")
    looping(session, agent="worker")
    (found,) = session.found
    assert (found.detector, found.host, found.session) == ("repetition", "h", "s")
    assert (found.agent_id, found.agent_type, found.repository) == ("worker-id", "worker", "/repo")
    assert found.at_ns == session.at - 10**9
    assert found.seqs == (session.seq - 1,)


def test_what_is_found_of_a_session_names_no_agent() -> None:
    session = Session("compactions")
    for _ in range(3):
        session.event(PreCompact, "worker")
    assert (session.found[0].agent_id, session.found[0].session) == (None, "s")


def test_the_same_is_told_again_after_a_while_and_at_once_where_it_is_worse() -> None:
    session = Session("repetition")
    looping(session, 9)
    assert session.severities() == [Severity.WARNING]
    looping(session, 1)
    assert session.severities() == [Severity.WARNING, Severity.CRITICAL]
    looping(session, 20)
    assert len(session.found) == 2
    session.wait(6)
    looping(session, 1)
    assert len(session.found) == 3
    quick = Session("repetition", repeat_after=1)
    looping(quick, 9)
    assert len(quick.found) == 5


def test_sessions_do_not_add_up() -> None:
    session = Session("repetition")
    for number in range(20):
        session.name = f"s{number}"
        looping(session, 4)
    assert session.found == []


def test_one_can_be_switched_off_or_all_of_them() -> None:
    for settings in ({"repetition": {"enabled": False}}, {"enabled": False}):
        session = Session("repetition", **settings)
        looping(session, 30)
        session.usage(10**9, 10**6)
        assert session.wait(10_000) == []
        assert session.found == []


def test_thresholds_are_the_settings_and_change_with_them() -> None:
    session = Session("repetition", repetition={"warn": 3})
    looping(session, 3)
    assert len(session.found) == 1
    session = Session("repetition", repetition={"warn": 50, "critical": 60})
    looping(session, 40)
    assert session.found == []
    session.settings = {"repetition": {"warn": 41, "critical": 60}}
    looping(session, 1)
    assert len(session.found) == 1


class Broken(Detector):
    """Fails at every step."""

    def event(self, seen: Seen) -> Sight | None:
        raise ValueError(seen.seq)


def test_one_that_fails_is_told_once_and_off_for_its_session_alone() -> None:
    session = Session("repetition")
    table = (Row("cycle", Broken, Scope.AGENT), *session.watch._rows)
    session.watch = watch.Watch(
        lambda name, at, _error: session.faults.append(f"{name} {at}"), table
    )
    looping(session)
    assert session.faults == ["cycle s"]
    assert [found.detector for found in session.found] == ["repetition"]
    session.name = "t"
    looping(session)
    assert session.faults == ["cycle s", "cycle t"]


def test_lines_that_are_shown_are_not_looked_at() -> None:
    session = Session()
    session.event(MessageDisplay, "worker")
    assert session.watch._sessions == {}


def size(value: Any, seen: set[int] | None = None) -> int:
    """Return the bytes of a value with all that hangs on it, code and names aside."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, type) or callable(value):
        return 0
    seen.add(id(value))
    return sys.getsizeof(value) + sum(size(each, seen) for each in gc.get_referents(value))


def busy(session: Session, start: int, steps: int) -> None:
    for number in range(start, start + steps):
        agent = f"agent{number % 100}"
        session.bash(f"echo {number}", f"{number}", agent=agent)
        session.bash("x", error=f"failed at step{number}x", agent=agent)
        session.write(f"/repo/{number}", f"{number}", agent=agent)
        session.call(f"mcp__server{number}__x", error="Not connected", agent=agent)
        session.event(SubagentStart, agent, agent_id=f"id{number}", parent=f"id{number - 1}")
        session.event(PreToolUse, agent, runs=[run(f"hook{number}")])
        session.usage(number, agent=agent)
        session.at += 10**10


def test_a_session_s_memory_does_not_grow_with_its_length() -> None:
    session = Session(repeat_after=0.001)
    busy(session, 1000, 1500)
    session.found.clear()
    first = size(session.watch._sessions)
    busy(session, 2500, 1500)
    session.found.clear()
    grown = size(session.watch._sessions) / first
    assert grown < 1.1, grown


def test_sessions_agents_types_and_keys_are_bounded() -> None:
    session = Session("repetition", "burn-rate", repetition={"warn": 2}, repeat_after=0.001)
    for number in range(1200):
        session.name = f"s{number}"
        session.bash("ls", agent=f"a{number}")
    assert len(session.watch._sessions) == watch.MOST_SESSIONS
    assert len(session.watch._kin) <= watch.MOST_TYPES
    for number in range(600):
        session.bash(f"{number}", agent=f"a{number}")
        session.bash(f"{number}", agent=f"a{number}")
    one = session.watch._sessions[session.name]
    assert len(one.agents) == watch.MOST_AGENTS
    assert len(one.raised) == watch.MOST_KEYS


@pytest.mark.parametrize("settings", [{}, {"repetition": {}}, {"repeat_after": 10.0}])
def test_settings_may_leave_everything_open(settings: Mapping[str, Any]) -> None:
    session = Session("repetition", **settings)
    looping(session)
    assert len(session.found) == 1
