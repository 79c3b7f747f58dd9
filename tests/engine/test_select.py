from dataclasses import replace

from pointsman.engine.select import HookTable
from pointsman.model.hook import Hook, Role

from .events import post, pre


def hook(name: str, role: Role = Role.GUARD, events: str = "", tools: tuple[str, ...] = ()) -> Hook:
    chosen = frozenset(events.split())
    return Hook(name=name, role=role, run=lambda _e, _c: None, events=chosen, tools=tools)


def names(hooks: tuple[Hook, ...]) -> list[str]:
    return [each.name for each in hooks]


def test_by_event() -> None:
    table = HookTable([hook("all"), hook("pre", events="PreToolUse"), hook("no", events="Stop")])
    assert names(table.deciding(pre())) == ["all", "pre"]
    assert names(table.deciding(post())) == ["all"]


def test_by_tool() -> None:
    table = HookTable([hook("b", tools=("Bash",)), hook("m", tools=("mcp__*", "Ed?t"))])
    assert names(table.deciding(pre("Bash"))) == ["b"]
    assert names(table.deciding(pre("Edit"))) == ["m"]
    assert names(table.deciding(pre("mcp__fs__write"))) == ["m"]
    assert names(table.deciding(pre("BashOutput"))) == []


def test_observers_are_apart() -> None:
    table = HookTable([hook("g"), hook("o", Role.OBSERVER), hook("e", Role.ENRICHER)])
    assert names(table.deciding(pre())) == ["g", "e"]
    assert names(table.observing(pre())) == ["o"]


def test_what_is_remembered_is_bounded() -> None:
    table = HookTable([hook("g")])
    for number in range(10_000):
        assert names(table.deciding(pre(f"tool{number}"))) == ["g"]
    assert len(table._selected) <= 4096


def test_an_event_that_does_not_concern_a_hook_by_its_own_word() -> None:
    table = HookTable([replace(hook("g"), when=lambda event: event.tool == "Bash"), hook("h")])
    assert names(table.deciding(pre("Bash"))) == ["g", "h"]
    assert names(table.deciding(pre("Read"))) == ["h"]
