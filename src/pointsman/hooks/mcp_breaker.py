"""The guard that holds up calls of an MCP server that is down: they would only fail, or hang.

It forbids nothing. A call passes again as soon as a probe, or one call that is let through, says
that the server is back.
"""

from pointsman.hooks.kit import Kit
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.server_health import Refusal

NAME = "mcp-breaker"
RULE = "mcp.breaker-open"


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard; ``mcp_health.breaker = false`` turns it off."""
    on = policy.mcp_health.get("enabled", True) and policy.mcp_health.get("breaker", True)

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        refusal = kit.servers.refusal(event)
        return None if refusal is None else _held(refusal)

    return Hook(
        name=NAME,
        role=Role.GUARD,
        run=run,
        events=frozenset({"PreToolUse"}),
        tools=("mcp__*",),
        # While every breaker is closed there is nothing to say, and no line of it on the record.
        when=lambda event: on and kit.servers.watched(event),
    )


def _held(refusal: Refusal) -> Decision:
    when = f"in {refusal.retry_s:.0f} s" if refusal.retry_s >= 1 else "in a moment"
    how = "it is probed then" if refusal.probed else "the next call tries it then"
    if not refusal.retry_s:
        how = "another call is trying it just now"
    text = (
        f"the MCP server {refusal.server!r} does not work: {refusal.reason or 'its calls fail'}. "
        f"This call was not made. Go on without it, or try again {when}: {how}. "
        "A person sees more with: pointsman mcp-health"
    )
    # No rule of anybody's is broken: whether the call would do what it says cannot be had.
    return Decision(action=Action.DENY, reason=text, rule=RULE, cause=Cause.UNVERIFIED)
