"""The same call with nothing changed in between is found; work is not."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.alert import Severity
from pointsman.model.decision import deny
from pointsman.model.events import PreToolUse

from .run import Session


def test_five_identical_calls_are_a_warning_and_ten_are_critical() -> None:
    session = Session("repetition")
    found = [session.bash("ls", "a") for _ in range(10)]
    assert [len(each) for each in found] == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert session.severities() == [Severity.WARNING, Severity.CRITICAL]
    assert session.found[0].figures == {"count": 5, "tool": "Bash"}
    assert session.found[0].seqs
    assert "same Bash call 5 times" in session.found[0].summary


def test_it_is_found_between_other_calls() -> None:
    session = Session("repetition")
    for number in range(5):
        session.bash("ls", "a")
        session.bash(f"echo {number}")
    assert len(session.found) == 1


def test_a_call_that_is_denied_each_time_is_one_too() -> None:
    session = Session("repetition")
    given = {"command": "rm -rf /"}
    for _ in range(5):
        session.event(PreToolUse, tool_name="Bash", tool_input=given, decision=deny("no"))
    assert len(session.found) == 1


def test_the_order_of_keys_does_not_matter_and_their_values_do() -> None:
    session = Session("repetition")
    for number in range(6):
        pairs: list[tuple[str, Any]] = [("a", 1), ("b", [True, None])]
        session.call("T", **dict(pairs if number % 2 else reversed(pairs)))
    assert len(session.found) == 1
    session = Session("repetition")
    for value in (1, True, "1", 1.5, -1, -2):
        session.call("T", a=value)
    assert session.found == []


def test_with_a_change_in_between_it_is_work() -> None:
    session = Session("repetition")
    for number in range(20):
        session.write("/repo/a.py", f"version {number}")
        session.bash("pytest -q", "failed")
    assert session.found == []


def test_a_result_that_changes_is_waited_for() -> None:
    session = Session("repetition")
    for number in range(20):
        session.bash("gh pr checks", f"{number} of 20 are done")
    assert session.found == []


def test_times_in_a_result_are_no_change() -> None:
    session = Session("repetition")
    for number in range(5):
        session.bash("pytest", f"2 failed in 0.{number}1s at 12:00:0{number}")
    assert len(session.found) == 1


def test_each_agent_has_a_count_of_its_own() -> None:
    session = Session("repetition")
    for _ in range(4):
        session.bash("ls", agent="a")
        session.bash("ls", agent="b")
    assert session.found == []
    session.bash("ls", agent="a")
    assert session.found[0].agent_type == "a"


def test_tools_that_wait_may_be_called_again() -> None:
    session = Session("repetition")
    for _ in range(20):
        session.call("TaskOutput", "running", task_id="1")
    assert session.found == []


def told(call: dict[str, Any]) -> str:
    return str(sorted(call.items()))


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), unique_by=told))
def test_calls_that_differ_are_never_found(calls: list[dict[str, Any]]) -> None:
    session = Session("repetition", repetition={"warn": 2})
    for call in calls:
        session.call("T", one="x", **call)
    assert session.found == []
