"""The guard that holds an agent to the tools of its role.

Which tools an agent may use is said by its own file (``tools``, ``disallowedTools``) and by the
roles of the settings. All of them bind: a tool has to be allowed by each.
"""

import os
from collections.abc import Iterable
from functools import lru_cache

from pointsman.hooks.canary import TOOL as CANARY
from pointsman.hooks.edits import VERBS
from pointsman.hooks.git_records import recorded_by
from pointsman.hooks.kit import Kit
from pointsman.hooks.shell_writes import SHELL_TOOLS
from pointsman.hooks.spawn import bound, spawned
from pointsman.model.decision import Action, Cause, Decision, deny
from pointsman.model.event import Event, ToolEvent
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.team import SPAWNING_TOOLS
from pointsman.model.tools import Grant, grants, shown
from pointsman.shell.analyse import analyse

NAME = "roles"
_INSTEAD = (
    "Do it with what is allowed, or report what is needed; a person changes the list in that file"
)
_REPORT = "Report what should be changed to whoever started you"
FREE = frozenset({CANARY, "PointsmanHarmless", "StructuredOutput", "ToolSearch"})
"""Tools that touch nothing: the two by which ``doctor`` proves the hooks, and two by which the
host hands over an answer and the descriptions of tools."""


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the roles and agents of this policy."""
    del kit

    @lru_cache(maxsize=1024)
    def rules_of(agent: str) -> tuple[Grant, ...]:
        return tuple(grants(agent, policy.agents, policy.roles))

    # For every call of every tool: what only the two names decide is decided once.
    @lru_cache(maxsize=4096)
    def by_names(agent: str, tool: str) -> Decision | None:
        rules = rules_of(agent)
        return _broken(agent, rules) or _judge(tool, rules) or _council(tool, policy, agent)

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        if not isinstance(event, ToolEvent) or event.tool_name in FREE:
            return None
        agent = event.identity.agent
        return (
            by_names(agent, event.tool_name)
            or _starting(event, policy, rules_of(agent))
            or _recording(event, policy)
        )

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


def _judge(tool: str, rules: Iterable[Grant]) -> Decision | None:
    for rule in rules:
        fault = rule.fault(tool)
        if fault:
            reason = f"{rule.who} may not use {tool}: {fault} ({rule.source}). {_INSTEAD}"
            return deny(reason, rule="roles.tool")
    return None


def _starting(event: ToolEvent, policy: Policy, rules: Iterable[Grant]) -> Decision | None:
    """Stop a start of an agent that is not among those that the caller may start."""
    if event.tool_name not in SPAWNING_TOOLS:
        return None
    wanted = spawned(event, policy)
    for rule in rules:
        if rule.spawns is not None and wanted not in rule.spawns:
            reason = (
                f"{rule.who} may not start {wanted!r}: it may start only {shown(rule.spawns)} "
                f"({rule.source}). {_INSTEAD}"
            )
            return deny(reason, rule="roles.tool")
    return None


def _council(tool: str, policy: Policy, agent: str) -> Decision | None:
    """Stop what an MCP tool by its name would change, for one that only reads and advises."""
    contract = next((each for each in bound(policy, agent) if each.read_only), None)
    if contract is None or not tool.startswith("mcp__"):
        return None
    name = tool.rpartition("__")[2].lower()
    if not name.startswith(VERBS):
        return None
    reason = (
        f"agent {agent!r} may not use {tool}: it is declared read-only, and the tool's "
        f"name says that it changes something ({contract.source}). {_REPORT}"
    )
    return deny(reason, rule="roles.read-only")


def _recording(event: ToolEvent, policy: Policy) -> Decision | None:
    """Stop git commands that change no file but the repository, for one that only reads."""
    agent, command = event.identity.agent, event.tool_input.get("command")
    if event.tool_name not in SHELL_TOOLS or not isinstance(command, str) or "git" not in command:
        return None
    contract = next((each for each in bound(policy, agent) if each.read_only), None)
    if contract is None:
        return None
    home = os.environ.get("HOME", "/")
    found = analyse(command, cwd=event.identity.cwd or "/", home=home).invocations
    hit = next((told for each in found for told in (recorded_by(each),) if told), "")
    if not hit:
        return None
    reason = (
        f"agent {agent!r} may not run {hit}: it is declared read-only, and that changes the "
        f"repository ({contract.source}). {_REPORT}"
    )
    return deny(reason, rule="roles.read-only")
