from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.hooks import kernel_refusal
from pointsman.hooks.kit import Kit
from pointsman.model.contract import Contract
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.events import PostToolUse, PostToolUseFailure
from pointsman.model.places import Places
from pointsman.model.policy import Policy

from .acting import asking, identity

CONTRACT = Contract(agent="builder", source="builder.md", root="/r", allowed=("src/**",))
POLICY = Policy(contracts={"builder": (CONTRACT,)})
REFUSED = "bash: line 1: tests/t.py: Read-only file system"
DENIED = "bash: line 1: tests/t.py: Permission denied"
BUBBLEWRAP, LANDLOCK = ("/r/src", "-/r/src/a"), ("~/", "/r/src")


def ask_of(root: Path, writable: tuple[str, ...] | None) -> Callable[[Event], Decision | None]:
    kit = Kit(places=Places(root, root), writable=lambda _event: writable)
    return asking(kernel_refusal.hook(POLICY, kit))


def failed(root: Path, error: str, agent: str = "builder") -> PostToolUseFailure:
    return PostToolUseFailure(identity=identity(root, agent), tool_name="Bash", error=error)


def passed(root: Path, stdout: str, stderr: str = "") -> PostToolUse:
    response = {"stdout": stdout, "stderr": stderr, "interrupted": False}
    who = identity(root, "builder")
    return PostToolUse(identity=who, tool_name="Bash", tool_response=response)


@pytest.mark.parametrize("error", [
    f"Exit code 1\n{REFUSED}",
    "OSError: [Errno 30] Read-only file system: 'tests/t.py'",
    "Error: EROFS: read-only file system, open 'tests/t.py'",
])  # fmt: skip
def test_a_refusal_of_the_kernel_is_explained(tmp_path: Path, error: str) -> None:
    told = ask_of(tmp_path, BUBBLEWRAP)(failed(tmp_path, error))
    assert told is not None
    assert (told.action, told.rule) == (None, "sandbox.refused")
    for words in ("agent 'builder'", "builder.md", "src/**", "tests/t.py", "Keep to what is"):
        assert words in told.context


def test_so_it_is_where_the_command_went_on_all_the_same(tmp_path: Path) -> None:
    told = ask_of(tmp_path, BUBBLEWRAP)(passed(tmp_path, "done\n", REFUSED))
    assert told is not None
    assert REFUSED in told.context


def test_of_landlock_it_is_said_in_other_words(tmp_path: Path) -> None:
    assert ask_of(tmp_path, LANDLOCK)(failed(tmp_path, DENIED)) is not None
    assert ask_of(tmp_path, BUBBLEWRAP)(failed(tmp_path, DENIED)) is None


@pytest.mark.parametrize("error", ["", "Exit code 1", "a read-only thing", "file system full"])
def test_other_faults_are_the_commands_own(tmp_path: Path, error: str) -> None:
    assert ask_of(tmp_path, BUBBLEWRAP)(failed(tmp_path, error)) is None


def test_where_nothing_was_held_nothing_is_said(tmp_path: Path) -> None:
    assert ask_of(tmp_path, None)(failed(tmp_path, REFUSED)) is None
    other = failed(tmp_path, REFUSED, agent="other")
    assert ask_of(tmp_path, BUBBLEWRAP)(other) is None


def test_what_is_shown_is_short(tmp_path: Path) -> None:
    lines = "\n".join(f"cp: t{number}: Read-only file system" for number in range(1000))
    told = ask_of(tmp_path, BUBBLEWRAP)(failed(tmp_path, lines + "x" * 500_000))
    assert told is None  # It stands too far in front of the end.
    told = ask_of(tmp_path, BUBBLEWRAP)(failed(tmp_path, "x" * 500_000 + lines))
    assert told is not None
    assert told.context.count("Read-only") == kernel_refusal._MOST_LINES
    long = failed(tmp_path, "x" * 9000 + ": Read-only file system " + "y" * 9000)
    told = ask_of(tmp_path, BUBBLEWRAP)(long)
    assert told is not None
    assert len(told.context) < 2000


def test_a_tool_that_runs_no_shell_is_not_asked(tmp_path: Path) -> None:
    kit = Kit(places=Places(tmp_path, tmp_path))
    assert "Bash" in kernel_refusal.hook(POLICY, kit).tools
    told = ask_of(tmp_path, BUBBLEWRAP)(replace(passed(tmp_path, ""), tool_response=[REFUSED]))
    assert told is None
