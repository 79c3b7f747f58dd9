"""Growing input for what tells agents something: sheets, conventions, what a session leaves."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.rig import Rig
from pointsman.agents.claude_code import NAME
from pointsman.expertise.shelf import Shelf
from pointsman.hooks.all_hooks import SHIPPED
from pointsman.hooks.kit import Kit
from pointsman.model.budget import LONGEST, Budget
from pointsman.model.event import Event, Identity
from pointsman.model.events import SessionStart, SubagentStart
from pointsman.model.hook import Hook, HookContext
from pointsman.model.policy import Policy
from pointsman.model.team import Nobody

Prepare = Callable[[int, int], Callable[[], object]]


def asked(hook: Hook, event: Event) -> Callable[[], object]:
    """Return the call that asks a hook about an event, awaited where it has to be."""

    def call() -> object:
        answer = hook.run(event, HookContext(Budget.of(LONGEST)))
        return asyncio.run(_waited(answer)) if isinstance(answer, Awaitable) else answer

    return call


async def _waited(answer: Awaitable[object]) -> object:
    return await answer


def who(made: Rig) -> Identity:
    """Return an agent in the rig's repository."""
    where = str(made.repository)
    return Identity(
        host=NAME, session="s", agent_id="a", agent_type="builder", cwd=where, repository=where
    )


def expertise_cases(made: Rig) -> list[tuple[str, Prepare, int]]:
    """Give a session longer and longer sheets, and an agent a longer and longer prompt."""
    kit = Kit(places=made.places, experts=Shelf(None))
    sheet = Path(made.repository, ".claude/agents/experts/api/expertise.yaml")

    def lines(size: int, number: int) -> Callable[[], object]:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        issue = "- issue: it is slow in the morning\n"
        sheet.write_text(f"known_issues:\n- issue: n{number}\n{issue * (size // len(issue))}")
        hook = SHIPPED["expertise"](Policy(), kit)
        return asked(hook, SessionStart(identity=who(made), source="startup"))

    def prompt(piece: str) -> Prepare:
        def prepare(size: int, number: int) -> Callable[[], object]:
            team = _Told(f"{number} {piece * max(1, size // len(piece))}")
            told = Kit(places=made.places, experts=Shelf(None), team=team)
            hook = SHIPPED["expertise"](Policy(), told)
            return asked(hook, SubagentStart(identity=who(made)))

        return prepare

    most = 32 * 1024
    return [
        ("a long sheet", lines, 128 * 1024),
        *((f"prompt: {name}", prompt(piece), most)
          for name, piece in (("slashes", "/"), ("a long path", "a/"), ("paths", "a/b.py "),
                              ("dots", "a."), ("dashes", "-"), ("brackets", "[(")))
    ]  # fmt: skip


class _Told(Nobody):
    """A team whose agent was told this."""

    def __init__(self, text: str) -> None:
        self._text = text

    def prompt(self, event: Event) -> str:
        del event
        return self._text
