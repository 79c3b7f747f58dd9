"""Calls that lead nowhere are found, and reading, writing and testing are not."""

from pointsman.model.alert import Severity
from pointsman.model.events import UserPromptSubmit

from .run import Session


def idle(session: Session, calls: int) -> None:
    for number in range(calls):
        session.bash(f"echo {number}", "nothing")


def test_sixty_calls_without_anything_new() -> None:
    session = Session("no-progress")
    idle(session, 59)
    assert session.found == []
    idle(session, 61)
    assert session.severities() == [Severity.WARNING, Severity.CRITICAL]
    assert session.found[0].figures == {"calls": 60}


def test_the_same_content_again_is_no_progress() -> None:
    session = Session("no-progress")
    for number in range(40):
        session.write("/repo/a", f"{number % 2}")
        session.call("Read", {"file": {"filePath": "/b", "content": "b"}}, file_path="/b")
    assert len(session.found) == 1


def test_each_of_these_is_progress() -> None:
    session = Session("no-progress")
    for number in range(8):
        idle(session, 50)
        session.write("/repo/a", f"version {number}")
        idle(session, 50)
        session.bash("pytest -q", f"{number} passed")
        idle(session, 50)
        session.call("Read", {"file": {"content": f"text {number}"}}, file_path=f"/f{number}")
        idle(session, 50)
        session.bash("cargo test", error=f"Exit code 101\n{number} failed")
        idle(session, 50)
        session.event(UserPromptSubmit, prompt="go on")
    assert session.found == []
