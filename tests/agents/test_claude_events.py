import pytest

from pointsman.agents.claude_events import (
    EVENTS,
    FAILURE_BLOCKS_SINCE,
    GUARDS,
    fails_open,
    failure_blocks,
    registration,
    version_text,
)
from pointsman.model.budget import CLIENT_DEADLINE, CLIENT_GUARD_DEADLINE

ARGV = ("/usr/bin/python3", "-IS", "/x/client/hook.py")


def entries(version: tuple[int, ...] | None) -> dict[str, dict[str, object]]:
    return {event: groups[0]["hooks"][0] for event, groups in registration(ARGV, version).items()}


def test_every_entry_is_exec_form_with_a_timeout_beyond_our_own_deadlines() -> None:
    for event, entry in entries((2, 1, 330)).items():
        assert entry["type"] == "command"
        assert entry["command"] == ARGV[0]
        assert entry["args"] == [*ARGV[1:], "claude-code", event]
        assert entry["timeout"] == 30
    assert max(CLIENT_DEADLINE, CLIENT_GUARD_DEADLINE) < 30


def test_guards_are_closed_where_the_client_can() -> None:
    closed = {event for event, entry in entries((2, 1, 295)).items() if "onFailure" in entry}
    assert closed == set(GUARDS)
    assert set(GUARDS) == {
        "PreToolUse", "PermissionRequest", "UserPromptSubmit", "UserPromptExpansion",
        "ConfigChange",
    }  # fmt: skip


@pytest.mark.parametrize("version", [None, (2, 1, 294), (1, 9, 999), (2, 0, 300)])
def test_an_older_client_is_told_what_fails_open(version: tuple[int, ...] | None) -> None:
    assert not failure_blocks(version)
    # A client that does not know the key passes over it: only where it is known to be useless
    # is it left out.
    assert any("onFailure" in entry for entry in entries(version).values()) is (version is None)
    assert any("missing" in way for way in fails_open(version))
    assert any("30 seconds" in way for way in fails_open(version))


@pytest.mark.parametrize("version", [FAILURE_BLOCKS_SINCE, (2, 2), (3, 0, 0)])
def test_a_newer_client_fails_closed(version: tuple[int, ...]) -> None:
    assert fails_open(version) == ()


def test_nothing_that_can_be_answered_is_asynchronous() -> None:
    waits = {event for event, entry in entries(None).items() if "async" not in entry}
    assert waits >= set(GUARDS) | {"Stop", "SubagentStop", "PostToolUse", "SessionStart"}
    assert {event for event, row in EVENTS.items() if row.waits} == waits
    assert "Notification" not in waits
    assert "SessionEnd" not in waits
    assert all(row.reason for row in EVENTS.values())


def test_version_in_words() -> None:
    assert version_text((2, 1, 330)) == "2.1.330"
    assert version_text(None) == "unknown"
