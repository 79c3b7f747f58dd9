"""A session after ``/clear`` is given a brief; no other session is, and no subagent."""

import asyncio
from pathlib import Path

import pytest

from hooks.acting import identity
from pointsman.hooks import handoff
from pointsman.hooks.kit import Kit
from pointsman.model.budget import Budget
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.events import SessionStart
from pointsman.model.handoff import AfterClear
from pointsman.model.hook import HookContext
from pointsman.model.places import Places
from pointsman.model.policy import Policy


class Given:
    def __init__(self) -> None:
        self.asked: list[tuple[AfterClear, float, float]] = []

    def after_clear(self, event: Event, mode: AfterClear, window: float, at: float) -> str:
        self.asked.append((mode, window, at))
        return "" if mode is AfterClear.NEVER else "the brief"


def ask(given: Given, source: str, **policy: object) -> Decision | None:
    kit = Kit(places=Places(Path("/s"), Path("/c")), handoff=given)
    hook = handoff.hook(Policy(**policy), kit)  # type: ignore[arg-type]
    assert hook.events == {"SessionStart"}
    event = SessionStart(identity=identity(Path("/r")), source=source)
    answer = hook.run(event, HookContext(budget=Budget.of(5)))
    assert asyncio.iscoroutine(answer)
    found = asyncio.run(answer)
    assert found is None or isinstance(found, Decision)
    return found


def test_after_clear() -> None:
    given = Given()
    said = ask(given, "clear")
    assert said is not None
    assert (said.action, said.context, said.rule) == (None, "the brief", "handoff.brief")
    assert given.asked == [(AfterClear.ALWAYS, 200_000, 80)]


@pytest.mark.parametrize("source", ["startup", "resume", "fork", "compact", ""])
def test_not_at_another_start(source: str) -> None:
    given = Given()
    assert ask(given, source) is None
    assert given.asked == []


def test_settings_say_when_and_from_where() -> None:
    given = Given()
    watch = {"context": {"critical": 60, "window": 100_000}}
    assert ask(given, "clear", guidance={"handoff": {"after_clear": "never"}}, watch=watch) is None
    assert given.asked == [(AfterClear.NEVER, 100_000, 60)]
