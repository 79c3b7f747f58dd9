"""Optional hooks that need an MCP server are skipped while it is down, with a line on the record.

A guard is none of them: left out, it would let pass what it is there to stop.
"""

import inspect
from collections.abc import Awaitable
from dataclasses import replace
from typing import cast

from pointsman.hooks.kit import Kit
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, Role, Run
from pointsman.model.policy import Policy


def needing(hook: Hook, policy: Policy, kit: Kit) -> Hook:
    """Return a hook that rests while a server is down that the settings say it needs."""
    needed = policy.mcp_health.get("features", {}).get(hook.name, ())
    if not needed or hook.role is Role.GUARD or not policy.mcp_health.get("enabled", True):
        return hook
    return replace(hook, run=_resting(hook.run, tuple(needed), kit))


def _resting(run: Run, needed: tuple[str, ...], kit: Kit) -> Run:
    def rests(event: Event, context: HookContext) -> bool:
        for name in needed:
            why = kit.servers.down(name, event)
            if why:
                context.log(f"skipped: it needs the MCP server {name}, which does not work: {why}")
                return True
        return False

    def at_once(event: Event, context: HookContext) -> Decision | None:
        return None if rests(event, context) else cast("Decision | None", run(event, context))

    async def later(event: Event, context: HookContext) -> Decision | None:
        if rests(event, context):
            return None
        return await cast("Awaitable[Decision | None]", run(event, context))

    return later if inspect.iscoroutinefunction(run) else at_once
