"""Which hooks an event concerns, in the order in which they are declared."""

import re
from collections.abc import Iterable
from fnmatch import translate
from typing import NamedTuple

from pointsman.model.event import Event
from pointsman.model.hook import Hook, Role

_MOST_REMEMBERED = 4096


class _Selected(NamedTuple):
    """The hooks of one kind and tool, as they are asked: before the answer, and after it."""

    deciding: tuple[Hook, ...]
    observing: tuple[Hook, ...]


def _selected(hooks: Iterable[Hook]) -> _Selected:
    found = tuple(hooks)
    observing = tuple(hook for hook in found if hook.role is Role.OBSERVER)
    return _Selected(tuple(hook for hook in found if hook.role is not Role.OBSERVER), observing)


class HookTable:
    """The hooks of one policy, indexed so that a selection costs one look-up.

    What was selected once for a kind and a tool is remembered, up to a cap: tool names come
    from the host and are not bounded.
    """

    def __init__(self, hooks: Iterable[Hook]) -> None:
        self._hooks = tuple(hooks)
        self._matchers = tuple(_matcher(hook.tools) for hook in self._hooks)
        self._selected: dict[tuple[str, str], _Selected] = {}

    @property
    def hooks(self) -> tuple[Hook, ...]:
        """All hooks, in order."""
        return self._hooks

    def deciding(self, event: Event) -> tuple[Hook, ...]:
        """Return the guards and enrichers of this event."""
        found = self._select(event).deciding
        return tuple([hook for hook in found if hook.when is None or hook.when(event)])

    def observing(self, event: Event) -> tuple[Hook, ...]:
        """Return the observers of this event."""
        return self._select(event).observing

    def _select(self, event: Event) -> _Selected:
        key = (event.kind, event.tool)
        found = self._selected.get(key)
        if found is None:
            pairs = zip(self._hooks, self._matchers, strict=True)
            found = _selected(hook for hook, matcher in pairs if _concerns(hook, matcher, *key))
            if len(self._selected) >= _MOST_REMEMBERED:
                self._selected.clear()
            self._selected[key] = found
        return found


def _concerns(hook: Hook, matcher: re.Pattern[str] | None, kind: str, tool: str) -> bool:
    if hook.events and kind not in hook.events:
        return False
    # Without a tool an event is not for a hook that names tools, even by `*`.
    return matcher is None or (bool(tool) and matcher.match(tool) is not None)


def _matcher(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    if not patterns:
        return None
    return re.compile("|".join(translate(pattern) for pattern in patterns))
