"""docs/transport.md has a line for each way in which a client can fail."""

import re
from pathlib import Path

import pytest

from pointsman.model.guard_events import GUARD_EVENTS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/transport.md").read_text()
CLIENT = (ROOT / "src/pointsman/client/hook.py").read_text()

SAID = (
    "no daemon runs and",
    "the daemon could not be started: exit code",
    "the daemon closed the connection 21 times without an answer",
    "the daemon did not answer within the deadline",
    "no daemon answered within the deadline",
    "the daemon's answer",
    "version skew:",
    "/daemon.sock is not yours",
    "/daemon.sock is not a socket",
    "HOME is not set and user",
    "the state directory",
    "belongs to user",
    "can be written by others",
    "it could not be spooled either",
    "the payload did not end within the deadline",
    "the client was ended before the answer came",
    "the answer could not be written",
    "it was called with",
)


@pytest.mark.parametrize("said", SAID)
def test_each_failure_stands_in_the_table(said: str) -> None:
    assert said in TEXT


def test_the_clients_say_nothing_that_the_table_has_not() -> None:
    found = re.findall(r'(?:Failure|self\.fail)\(\s*\w+,\s*f?"([^"{]+)', CLIENT)
    assert len(found) > 5
    for reason in found:
        assert any(reason.strip() in one or one in reason for one in SAID), reason


def test_the_guard_events_are_named() -> None:
    named = {event for event in GUARD_EVENTS if f"`{event}`" in TEXT}
    assert named == {event for event in GUARD_EVENTS if not event.startswith(("Before", "before"))}
