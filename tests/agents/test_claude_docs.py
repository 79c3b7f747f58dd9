"""The tables of docs/claude-code.md are those of the code."""

from pathlib import Path

import pytest

from pointsman.agents.claude_events import (
    EVENTS,
    FAILURE_BLOCKS_SINCE,
    GUARDS,
    NOT_REGISTERED,
    OPEN_ON_EVERY_VERSION,
    fails_open,
    version_text,
)

PAGE = (Path(__file__).parents[2] / "docs/claude-code.md").read_text()


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_its_row(event: str) -> None:
    row = EVENTS[event]
    assert f"| `{event}` | {'yes' if row.waits else 'no'} | {row.reason} |\n" in PAGE


def test_every_list_is_there() -> None:
    for event, reason in NOT_REGISTERED.items():
        assert f"- `{event}`: {reason}\n" in PAGE
    for failure in (*fails_open(None), *OPEN_ON_EVERY_VERSION):
        assert f"- {failure}\n" in PAGE
    assert all(f"`{event}`" in PAGE for event in GUARDS)
    assert f"From **{version_text(FAILURE_BLOCKS_SINCE)}** on" in PAGE
