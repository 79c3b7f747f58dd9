"""The guard that holds an agent to the tools of its role.

Which tools an agent may use is said by its own file (``tools``, ``disallowedTools``) and by the
roles of the settings. All of them bind: a tool has to be allowed by each.
"""

from collections.abc import Iterable
from functools import lru_cache

from pointsman.hooks.canary import TOOL as CANARY
from pointsman.hooks.edits import VERBS
from pointsman.hooks.kit import Kit
from pointsman.hooks.spawn import bound, spawned
from pointsman.model.decision import Action, Cause, Decision, deny
from pointsman.model.event import Event, ToolEvent
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.team import SPAWNING_TOOLS
from pointsman.model.tools import Grant, grants, shown

NAME = "roles"
FREE = frozenset({CANARY, "PointsmanHarmless", "StructuredOutput", "ToolSearch"})
"""Tools that touch nothing: the two by which ``doctor`` proves the hooks, and two by which the
host hands over an answer and the descriptions of tools."""


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the roles and agents of this policy."""
    del kit

    @lru_cache(maxsize=1024)
    def rules_of(agent: str) -> tuple[Grant, ...]:
        return tuple(grants(agent, policy.agents, policy.roles))

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        if not isinstance(event, ToolEvent) or event.tool_name in FREE:
            return None
        agent = event.identity.agent
        rules = rules_of(agent)
        return _broken(agent, rules) or _judge(event, rules) or _council(event, policy, agent)

    return Hook(name=NAME, role=Role.GUARD, run=run, events=frozenset({"PreToolUse"}))


def _broken(agent: str, rules: Iterable[Grant]) -> Decision | None:
    for rule in rules:
        if rule.problems:
            reason = (
                f"which tools agent {agent!r} may use cannot be read: {'; '.join(rule.problems)} "
                f"({rule.source}). A person mends that; pointsman agents --check shows it"
            )
            return Decision(
                action=Action.DENY, reason=reason, rule="roles.broken", cause=Cause.UNVERIFIED
            )
    return None


def _judge(event: ToolEvent, rules: Iterable[Grant]) -> Decision | None:
    for rule in rules:
        fault = rule.fault(event.tool_name) or _start_fault(rule, event)
        if fault:
            reason = f"{rule.who} may not use {event.tool_name}: {fault} ({rule.source})"
            return deny(reason, rule="roles.tool")
    return None


def _start_fault(rule: Grant, event: ToolEvent) -> str:
    """Return why the agent that a call starts is not among those that may be started."""
    if rule.spawns is None or event.tool_name not in SPAWNING_TOOLS:
        return ""
    return "" if spawned(event) in rule.spawns else f"it may start only: {shown(rule.spawns)}"


def _council(event: ToolEvent, policy: Policy, agent: str) -> Decision | None:
    """Stop what an MCP tool by its name would change, for one that only reads and advises."""
    contract = next((each for each in bound(policy, agent) if each.read_only), None)
    if contract is None or not event.tool_name.startswith("mcp__"):
        return None
    name = event.tool_name.rpartition("__")[2].lower()
    if not name.startswith(VERBS):
        return None
    reason = (
        f"agent {agent!r} may not use {event.tool_name}: it is declared read-only, and the tool's "
        f"name says that it changes something ({contract.source})"
    )
    return deny(reason, rule="roles.read-only")
