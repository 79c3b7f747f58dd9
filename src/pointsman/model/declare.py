"""The decorators of a hook that a user writes.

They mark a function and leave it as it is; the settings room reads the marks without running
the file, the worker calls the function.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pointsman.model.hook import Role

_Function = TypeVar("_Function", bound=Callable[..., object])

MARK = "__pointsman_hook__"
"""The attribute that a decorated function carries."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a decorator was told."""

    role: Role
    events: tuple[str, ...]
    tools: tuple[str, ...]
    budget: float | None
    name: str


def guard(
    *events: str, tools: str | Sequence[str] = (), budget: float | None = None, name: str = ""
) -> Callable[[_Function], _Function]:
    """Mark ``async def f(event, ctx)`` as a guard: its failure is a hard stop."""
    return _marker(Role.GUARD, events, tools, budget, name)


def enricher(
    *events: str, tools: str | Sequence[str] = (), budget: float | None = None, name: str = ""
) -> Callable[[_Function], _Function]:
    """Mark ``async def f(event, ctx)`` as an enricher: it adds context, or is done without."""
    return _marker(Role.ENRICHER, events, tools, budget, name)


def observer(
    *events: str, tools: str | Sequence[str] = (), budget: float | None = None, name: str = ""
) -> Callable[[_Function], _Function]:
    """Mark ``async def f(event, ctx)`` as an observer: it runs after the answer is out."""
    return _marker(Role.OBSERVER, events, tools, budget, name)


def _marker(
    role: Role,
    events: tuple[str, ...],
    tools: str | Sequence[str],
    budget: float | None,
    name: str,
) -> Callable[[_Function], _Function]:
    listed = (tools,) if isinstance(tools, str) else tuple(tools)

    def mark(function: _Function) -> _Function:
        given = Mark(role, events, listed, budget, name or getattr(function, "__name__", ""))
        setattr(function, MARK, given)
        return function

    return mark
