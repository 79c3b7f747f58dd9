"""Files that go back and forth are found, whoever does it."""

from typing import Any

from pointsman.model.alert import Severity

from .run import Session

FILE = "/repo/a.py"


def edit(session: Session, before: str, old: str, new: str, agent: str = "") -> None:
    told = {"originalFile": before, "oldString": old, "newString": new}
    session.call("Edit", told, agent=agent, file_path=FILE, old_string=old, new_string=new)


def test_an_edit_that_is_put_back_over_and_over() -> None:
    session = Session("churn")
    for _ in range(6):
        edit(session, "x = 1\n", "1", "2")
        edit(session, "x = 2\n", "2", "1")
    assert session.found_keys() == [FILE, FILE]
    assert session.severities() == [Severity.WARNING, Severity.CRITICAL]
    assert "went back" in session.found[0].summary


def test_two_agents_that_undo_each_other() -> None:
    session = Session("churn")
    for _ in range(3):
        session.write(FILE, "mine", agent="a")
        session.write(FILE, "yours", agent="b")
    assert len(session.found) == 1


def test_a_write_and_an_edit_are_compared_by_what_the_file_holds() -> None:
    session = Session("churn")
    for _ in range(3):
        session.write(FILE, "x = 1\n")
        edit(session, "x = 1\n", "1", "2")
    assert len(session.found) == 1


def test_contents_that_are_new_are_work() -> None:
    session = Session("churn")
    for number in range(60):
        session.write(FILE, f"version {number}")
    session.write(FILE, "version 58")
    assert session.found == []


def test_the_same_content_twice_in_a_row_is_no_revert() -> None:
    session = Session("churn")
    for _ in range(9):
        session.write(FILE, "same")
    assert session.found == []


def test_other_files_do_not_add_up() -> None:
    session = Session("churn")
    for number in range(12):
        for content in ("a", "b", "a"):
            session.write(f"/repo/{number}", content)
    assert session.found == []


def sed(session: Session, *lines: str, path: str = FILE, start: tuple[int, int] = (1, 1)) -> None:
    """Let a shell command change a file, as the host tells it."""
    hunk = {
        "oldStart": start[0], "oldLines": 1, "newStart": start[1], "newLines": 1,
        "lines": [*lines],
    }  # fmt: skip
    diff = {"files": [{"filePath": path, "hunks": [hunk]}], "moreFiles": 0, "changedFiles": [path]}
    result = {"stdout": "", "stderr": "", "bashEditDiff": diff}
    session.call("Bash", result, command=f"sed -i {lines!r} {path}")


def test_what_a_shell_command_changes_and_puts_back_is_found() -> None:
    session = Session("churn")
    for _ in range(3):
        sed(session, "-x", "+y")
        sed(session, "-y", "+x")
    assert session.found_keys() == [FILE]


def test_a_shell_command_and_a_file_tool_against_each_other() -> None:
    session = Session("churn")
    for _ in range(3):
        session.write(FILE, "x\n")
        sed(session, "-x", "+y")
    assert session.found_keys() == [FILE]


def test_what_a_shell_command_changes_on_and_on_is_work() -> None:
    session = Session("churn")
    for number in range(40):
        sed(session, f"-{number}", f"+{number + 1}")
        sed(session, "+a line", start=(number, number + 1))
    assert session.found == []


def test_what_the_host_says_of_it_may_be_anything() -> None:
    session = Session("churn")
    hunks = [1, {"lines": 3}, {"lines": [4]}]
    several: list[Any] = [
        None, 1, {}, {"files": 1}, {"files": [1, {}, {"filePath": 2}]},
        {"files": [{"filePath": "/a", "hunks": hunks}]},
    ]  # fmt: skip
    for diff in several:
        for _ in range(4):
            session.call("Bash", {"bashEditDiff": diff}, command="x")
    assert session.found == []
    assert session.faults == []
