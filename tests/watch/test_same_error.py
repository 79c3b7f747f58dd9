"""An error that comes again and again is found, whatever call it comes from."""

from pointsman.model.alert import Severity
from pointsman.model.events import PostToolUseFailure

from .run import Session


def test_the_same_error_of_different_calls() -> None:
    session = Session("same-error")
    for number in range(10):
        session.bash(f"make target{number}", error="Exit code 2\nmake: no rule, 0.12s, pid 48113")
    assert session.severities() == [Severity.WARNING, Severity.CRITICAL]
    assert "Exit code 2" in session.found[0].summary
    assert session.found[0].figures["count"] == 5


def test_times_and_addresses_do_not_tell_errors_apart() -> None:
    session = Session("same-error")
    for number in range(5):
        session.bash("x", error=f"Exit code 1\nat 0x7f{number}aa: gone after 1.{number}s")
    assert len(session.found) == 1


def test_errors_that_differ_are_work() -> None:
    session = Session("same-error")
    for word in ("one", "two", "three", "four", "five", "six", "seven"):
        session.bash("pytest", error=f"Exit code 1\nFAILED test_{word}")
    assert session.found == []


def test_out_of_the_window_they_no_longer_count() -> None:
    session = Session("same-error")
    for _ in range(20):
        session.bash("x", error="Exit code 1")
        for number in range(10):
            session.bash(f"echo {number}")
    assert session.found == []


def test_what_a_person_interrupts_is_no_error() -> None:
    session = Session("same-error")
    for _ in range(9):
        session.event(PostToolUseFailure, tool_name="Bash", error="stop", is_interrupt=True)
    assert session.found == []
