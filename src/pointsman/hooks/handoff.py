"""The enricher that gives a session after ``/clear`` the brief of the one that was cleared.

Nothing else of that session comes along. A subagent is given none: it starts from its own prompt.
"""

import asyncio

from pointsman.hooks.kit import Kit
from pointsman.model.decision import Decision, inject
from pointsman.model.event import Event
from pointsman.model.events import SessionStart
from pointsman.model.handoff import AfterClear
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.watching import context_limits

NAME = "handoff"


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the enricher; ``after_clear`` under ``[handoff]`` says when it speaks."""
    mode = AfterClear(policy.guidance.get(NAME, {}).get("after_clear", AfterClear.ALWAYS))
    limits = context_limits(policy.watch)

    async def run(event: Event, context: HookContext) -> Decision | None:
        del context
        if not isinstance(event, SessionStart) or event.source != "clear":
            return None
        text = await asyncio.to_thread(
            kit.handoff.after_clear, event, mode, limits.window, limits.handoff
        )
        return inject(text, rule="handoff.brief") if text else None

    return Hook(name=NAME, role=Role.ENRICHER, run=run, events=frozenset({"SessionStart"}))
