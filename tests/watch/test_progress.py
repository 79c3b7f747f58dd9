"""What is new in a session: contents, and results of tests."""

from typing import Any

import pytest

from pointsman.model.event import Identity
from pointsman.model.events import PostToolUse, PostToolUseFailure
from pointsman.watch.fingerprint import outcome
from pointsman.watch.progress import Progress, is_check, state_after


def ended(tool: str, response: Any = "", **given: Any) -> PostToolUse:
    return PostToolUse(
        identity=Identity(host="h"), tool_name=tool, tool_input=given, tool_response=response
    )


def fresh(progress: Progress, *events: PostToolUse) -> list[bool]:
    return [progress.is_fresh(each, outcome(each.tool_response)) for each in events]


def test_a_content_is_new_once_whether_written_or_read() -> None:
    written = [ended("Write", file_path="/a", content=text) for text in ("x", "y", "x")]
    assert fresh(Progress(), *written) == [True, True, False]
    read = ended("Read", {"file": {"content": "z"}}, file_path="/b")
    assert fresh(Progress(), read, read) == [True, False]


def test_a_test_s_result_is_new_once() -> None:
    progress = Progress()
    runs = [ended("Bash", {"stdout": text}, command="pytest -q")
            for text in ("1 failed in 1s", "1 failed in 2s", "2 failed in 1s")]  # fmt: skip
    assert fresh(progress, *runs) == [True, False, True]
    failed = PostToolUseFailure(
        identity=Identity(host="h"), tool_name="Bash", tool_input={"command": "make test"},
        error="Exit code 2",
    )  # fmt: skip
    assert progress.is_fresh(failed, outcome(failed.error))
    assert fresh(progress, ended("Bash", {"stdout": "new"}, command="ls")) == [False]


@pytest.mark.parametrize(
    ("command", "check"),
    [
        ("pytest -q", True),
        (".venv/bin/python -m pytest tests", True),
        ("npm run test:unit", True),
        ("cd x && go test ./...", True),
        ("cargo clippy", True),
        ("make", True),
        ("ls tests", False),
        ("echo hello", False),
        ("git log", False),
    ],
)
def test_what_tells_whether_the_work_is_right(command: str, check: bool) -> None:
    assert is_check({"command": command}) == check


def test_the_content_that_is_left() -> None:
    edited = ended(
        "Edit", {"originalFile": "a b a"}, file_path="/f", old_string="a", new_string="c"
    )
    whole = ended("Edit", {"originalFile": "a b a"}, file_path="/f", old_string="a",
                  new_string="c", replace_all=True)  # fmt: skip
    for event, content in ((edited, "c b a"), (whole, "c b c")):
        assert state_after(event) == state_after(ended("Write", file_path="/f", content=content))
    assert state_after(ended("Write", content="x")) is None
    silent = [ended("Edit", file_path="/f", old_string=old, new_string="n") for old in "ab"]
    assert state_after(silent[0]) != state_after(silent[1])


def test_what_is_remembered_is_bounded() -> None:
    progress = Progress()
    fresh(progress, *[ended("Write", file_path="/a", content=str(n)) for n in range(5000)])
    assert len(progress._known) == 1024


def test_what_a_shell_command_changes_is_new_the_first_time() -> None:
    progress = Progress()
    hunk = {"oldStart": 1, "newStart": 1, "lines": ["-x", "+y"]}
    diff = {"files": [{"filePath": "/repo/a", "hunks": [hunk]}]}

    def sed() -> PostToolUse:
        return ended("Bash", {"stdout": "", "bashEditDiff": diff}, command="sed -i s/x/y/ a")

    assert [progress.is_fresh(sed(), 1) for _ in range(2)] == [True, False]
    hunk["lines"] = ["-x", "+z"]
    assert progress.is_fresh(sed(), 1)
