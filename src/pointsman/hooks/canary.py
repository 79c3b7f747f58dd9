"""The guard that stops one tool that no agent has, and one command that nobody needs.

They are the proof that the hooks and the second gate hold (``doctor``).
"""

from pointsman.hooks.kit import Kit
from pointsman.model.decision import Decision, deny
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy

NAME = "canary"
TOOL = "PointsmanCanary"
COMMAND = ": pointsman canary"
"""It does nothing where it runs."""
RULE = "canary"
DOCTOR = "doctor"
"""The session of what ``doctor`` tries: judged like any other, and no reason for an alarm."""


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard; no setting turns it off."""
    del policy, kit

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        if event.tool != TOOL and getattr(event, "tool_input", {}).get("command") != COMMAND:
            return None
        return deny("this is the canary, which is always stopped", rule=RULE)

    return Hook(
        name=NAME, role=Role.GUARD, run=run, events=frozenset({"PreToolUse"}), tools=(TOOL, "Bash")
    )
