"""The decorators mark a function and leave it as it is."""

import asyncio
from typing import Any

import pytest

from pointsman import enricher, guard, observer
from pointsman.model.declare import MARK, Mark
from pointsman.model.hook import Role


@pytest.mark.parametrize(
    ("decorator", "role"),
    [(guard, Role.GUARD), (enricher, Role.ENRICHER), (observer, Role.OBSERVER)],
)
def test_a_decorator_marks_and_nothing_else(decorator: Any, role: Role) -> None:
    async def check(event: object, ctx: object) -> str:
        return f"{event} {ctx}"

    marked = decorator("PreToolUse", "Stop", tools="Bash", budget=2.0)(check)
    assert marked is check
    assert getattr(check, MARK) == Mark(role, ("PreToolUse", "Stop"), ("Bash",), 2.0, "check")
    assert asyncio.run(check(1, 2)) == "1 2"


def test_a_name_and_a_list_of_tools() -> None:
    @guard("*", tools=["Edit", "mcp__*"], name="house rule")
    def check(event: object, ctx: object) -> None: ...

    assert getattr(check, MARK) == Mark(Role.GUARD, ("*",), ("Edit", "mcp__*"), None, "house rule")
