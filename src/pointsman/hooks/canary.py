"""The guard that stops one tool that no agent has: proof that the hooks hold (``doctor``)."""

from pointsman.hooks.kit import Kit
from pointsman.model.decision import Decision, deny
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy

NAME = "canary"
TOOL = "PointsmanCanary"
RULE = "canary"


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard; no setting turns it off."""
    del policy, kit

    def run(event: Event, context: HookContext) -> Decision | None:
        del event, context
        return deny("this is the canary, which is always stopped", rule=RULE)

    return Hook(
        name=NAME, role=Role.GUARD, run=run, events=frozenset({"PreToolUse"}), tools=(TOOL,)
    )
