"""The guard that holds an agent whom a person has stopped: no further call of it runs.

It is asked before every call and at the events in between, so that a stop takes hold at the very
next one; the run of a main thread ends there.
"""

from pointsman.hooks.kit import Kit
from pointsman.model.alerting import STOPPED_RULE, Hold
from pointsman.model.decision import Action, Decision, deny
from pointsman.model.event import Event
from pointsman.model.events import PreToolUse
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy

NAME = "stopped"
RULE = STOPPED_RULE
_EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "UserPromptSubmit")


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard; no setting turns it off."""
    del policy

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        hold = kit.standing.held(event)
        return None if hold is None else _stopped(event, hold)

    return Hook(
        name=NAME,
        role=Role.GUARD,
        run=run,
        events=frozenset(_EVENTS),
        # While nobody is on hold there is nothing to say, and no line of it on the record.
        when=lambda _event: kit.standing.holds,
    )


def _stopped(event: Event, hold: Hold) -> Decision | None:
    what = "this session" if hold.agent_id is None else "this agent"
    why = f": {hold.reason}" if hold.reason else ""
    text = f"{hold.by} has stopped {what}{why}. "
    if event.identity.agent_id is not None:
        # A subagent cannot be ended from outside; with every call denied it comes to its end.
        if not isinstance(event, PreToolUse):
            return None
        return deny(f"{text}No further call runs: say what is done and end.", rule=RULE)
    text += f"A person lets it go on: pointsman alerts resume {hold.session}"
    return Decision(action=Action.DENY, reason=text, rule=RULE, ends=True)
