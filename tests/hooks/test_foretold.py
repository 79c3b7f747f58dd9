from pathlib import Path
from typing import Any

import pytest

from hooks.acting import identity
from pointsman.hooks.foretold import READING, foretold
from pointsman.model.proof import Foretold

WHO = identity(Path("/r"))


def told(command: str, **more: Any) -> tuple[Foretold, bool]:
    return foretold("Bash", {"command": command, **more}, WHO)


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        ("echo x > src/a", ("/r/src/a",)),
        ("rm -r docs", ("/r/docs",)),
        ("rm docs/*.md", ("/r/docs",)),
        ("ls; cat x | grep y", ()),
        ("git status", ()),
        ("cp a b; touch c", ("/r/b", "/r/b/a", "/r/c")),
    ],
)
def test_what_is_known_in_full(command: str, paths: tuple[str, ...]) -> None:
    found, lasting = told(command)
    assert (found.paths, found.opaque, lasting) == (paths, False, False)


@pytest.mark.parametrize(
    "command",
    [
        "make", "python3 x.py", "sh x.sh", "cd src && ls", "echo x > $(cat name)",
        "git commit -m x", "git -c core.fsmonitor=x status", 'eval "$x"', "cat x | sh", "$x",
        "pytest -q", "./cat x", "src/ls", "PATH=src:$PATH ls", "alias ls=x; ls", "ls() { x; }; ls",
        "ln -s a b", "cp -r a b", "chmod 777 src/*", "mv a b; echo x > b/c",
    ],
)  # fmt: skip
def test_what_may_do_anything(command: str) -> None:
    assert told(command)[0].opaque


def test_what_is_named_in_code_that_may_do_anything() -> None:
    found, _ = told("python3 -c \"open('tests/t.py', 'w')\"")
    assert found == Foretold(("/r/tests/t.py",), opaque=True)


@pytest.mark.parametrize(
    ("command", "more", "lasting"),
    [
        ("make &", {}, True),
        ("nohup make", {}, True),
        ("setsid sh -c 'make'", {}, True),
        ("make", {"run_in_background": True}, True),
        ("make && make test", {}, False),
        ("make 2>&1 | tee log", {}, False),
        ("make &> log", {}, False),
    ],
)
def test_what_may_run_on(command: str, more: dict[str, Any], lasting: bool) -> None:
    assert told(command, **more)[1] is lasting


def test_tools_that_edit_write_what_they_name() -> None:
    assert foretold("Write", {"file_path": "src/a"}, WHO)[0] == Foretold(("/r/src/a",), False)
    assert foretold("Edit", {}, WHO)[0].opaque
    assert foretold("mcp__any__thing", {"path": "src/a"}, WHO)[0].opaque


def test_no_tool_that_edits_or_runs_counts_as_reading() -> None:
    assert READING.isdisjoint({"Write", "Edit", "MultiEdit", "NotebookEdit", "Bash", "Monitor"})


def test_what_is_watched_runs_on() -> None:
    assert foretold("Monitor", {"command": "make"}, WHO)[1]
    assert not foretold("Bash", {"command": "make"}, WHO)[1]
