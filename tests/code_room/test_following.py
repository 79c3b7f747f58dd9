"""What happens in a session moves the index and the memories."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hooks.acting import identity
from pointsman.code.following import Following
from pointsman.model.bundle import Change, NothingTold
from pointsman.model.decision import NO_OPINION, Decision, deny
from pointsman.model.event import Event
from pointsman.model.events import (
    PostCompact,
    PostToolUse,
    PreToolUse,
    SessionEnd,
    SessionStart,
    Stop,
)


class Heard(NothingTold):
    """Notes what it is told to do."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def taken_back(self, listener: str, change: Change) -> None:
        self.calls.append(("back", listener, change.path))

    def forget(self, session: str) -> None:
        self.calls.append(("forget", session))

    def begun(self, root: str) -> None:
        self.calls.append(("begun", root))

    def changed(self, root: str, paths: Sequence[str] | None) -> None:
        self.calls.append(("changed", root, paths))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def heard(event: Event, decision: Decision = NO_OPINION) -> list[tuple[Any, ...]]:
    told = Heard()
    Following(told).follow(event, decision)
    return told.calls


def test_a_session_begins_and_forgets(root: Path) -> None:
    who = identity(root)
    assert heard(SessionStart(identity=who, source="startup")) == [("begun", str(root))]
    for source in ("clear", "compact"):
        assert heard(SessionStart(identity=who, source=source))[0] == ("forget", "s")
    assert heard(PostCompact(identity=who)) == [("forget", "s")]
    assert heard(SessionEnd(identity=who)) == [("forget", "s")]
    assert heard(Stop(identity=who)) == []


def test_calls_change_files(root: Path) -> None:
    def after(tool: str, **given: Any) -> list[tuple[Any, ...]]:
        return heard(PostToolUse(identity=identity(root), tool_name=tool, tool_input=given))

    assert after("Edit", file_path=f"{root}/src/a.ts") == [("changed", str(root), ["src/a.ts"])]
    assert after("Bash", command="git checkout x") == [("changed", str(root), None)]
    assert after("Read", file_path=f"{root}/src/a.ts") == []
    assert after("Edit", file_path="/elsewhere/a.ts") == []


def test_a_refused_call_was_not_heard(root: Path) -> None:
    event = PreToolUse(
        identity=identity(root, "tester"), tool_name="Edit",
        tool_input={"file_path": f"{root}/a.ts"},
    )  # fmt: skip
    assert heard(event, deny("no")) == [("back", "s/tester-1", "a.ts")]
    assert heard(event) == []
