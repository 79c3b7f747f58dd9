"""The guard that holds an agent back until those before it are done.

An agent that names others in ``blocked_by`` is not started, and changes nothing, before each of
them has ended well in this session. So is a task that is blocked by others neither begun nor ended.
"""

from collections.abc import Iterator

from pointsman.hooks.kit import Kit
from pointsman.hooks.spawn import bound, spawned
from pointsman.model.contract import cycles
from pointsman.model.decision import Decision, deny
from pointsman.model.event import Event, ToolEvent
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.team import SPAWNING_TOOLS, new_waits

NAME = "blocked-by"


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the contracts of this policy."""
    rounds = cycles(policy.contracts)

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        session = event.identity.session
        if event.kind == "PreEdit":
            held = list(_open(policy, kit, session, event.identity.agent))
            return _held(event.identity.agent, held) if held else None
        if isinstance(event, ToolEvent) and event.tool_name == "TaskUpdate":
            return _task(kit, event)
        if not isinstance(event, ToolEvent) or event.tool_name not in SPAWNING_TOOLS:
            return None
        agent = spawned(event, policy)
        open_ = list(_open(policy, kit, session, agent))
        if not open_:
            return None
        endless = next((each for each in rounds if agent in each), None)
        if endless is not None:
            reason = (
                f"agent {agent!r} can never start: they wait for one another "
                f"({' → '.join((*endless, endless[0]))}). A person takes one blocked_by out; "
                "pointsman agents --check shows where"
            )
            return deny(reason, rule="blocked.round")
        return deny(
            f"agent {agent!r} may not start yet: {'; '.join(open_)}. Start it when they are done",
            rule="blocked.start",
        )

    return Hook(name=NAME, role=Role.GUARD, run=run, events=frozenset({"PreToolUse", "PreEdit"}))


def _task(kit: Kit, event: ToolEvent) -> Decision | None:
    """Stop the update that begins or ends a task before those it waits for, or closes a round."""
    session, given = event.identity.session, event.tool_input
    name, waits = given.get("taskId"), new_waits(given)
    around = kit.team.round_of(session, waits)
    if around:
        reason = f"these tasks would wait for one another: {' → '.join(around)}. Leave one out"
        return deny(reason, rule="blocked.round")
    if not isinstance(name, str) or given.get("status") not in {"in_progress", "completed"}:
        return None
    more = [blocker for task, blocker in waits if task == name]
    before = kit.team.waits_for(session, name, more)
    if not before:
        return None
    reason = f"task {name} waits for {', '.join(before)}. Do these first, and say so of each"
    return deny(reason, rule="blocked.task")


def _held(agent: str, waiting: list[str]) -> Decision:
    reason = f"agent {agent!r} may change nothing yet: {'; '.join(waiting)}. Report that and end"
    return deny(reason, rule="blocked.write")


def _open(policy: Policy, kit: Kit, session: str, agent: str) -> Iterator[str]:
    """Yield who has to be done before this agent and is not, with the reason."""
    names = dict.fromkeys(name for each in bound(policy, agent) for name in each.blocked_by)
    for name in names:
        ended = kit.team.ended(session, name)
        if ended is None:
            running = any(each.agent == name for each in kit.team.running(session))
            state = "still runs" if running else "has not run in this session"
            yield f"it is blocked by {name!r}, which {state}"
        elif ended:
            yield f"it is blocked by {name!r}, which did not end well: {ended}"
