"""The guard that holds an agent to the tools of its role.

Which tools an agent may use is said by its own file (``tools``, ``disallowedTools``) and by the
roles of the settings. All of them bind: a tool has to be allowed by each.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
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

NAME = "roles"
FREE = frozenset({CANARY, "PointsmanHarmless", "StructuredOutput", "ToolSearch"})
"""Tools that touch nothing: the two by which ``doctor`` proves the hooks, and two by which the
host hands over an answer and the descriptions of tools."""

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Rule:
    """One declaration that binds an agent, with the words for it."""

    who: str
    tools: tuple[str, ...] | None
    disallowed: tuple[str, ...]
    source: str
    problems: tuple[str, ...] = ()
    spawns: tuple[str, ...] | None = None

    def fault(self, tool: str) -> str:
        """Return why the tool is not among those of this declaration, or the empty string."""
        hit = next((each for each in self.disallowed if is_tool(each, tool)), None)
        if hit is not None:
            return f"{hit!r} is disallowed"
        if self.tools is None or any(is_tool(each, tool) for each in self.tools):
            return ""
        return f"it may use only: {_list(self.tools)}"

    def start_fault(self, event: ToolEvent) -> str:
        """Return why the agent that a call starts is not among those it may start."""
        if self.spawns is None or event.tool_name not in SPAWNING_TOOLS:
            return ""
        wanted = spawned(event)
        return "" if wanted in self.spawns else f"it may start only: {_list(self.spawns)}"


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the roles and agents of this policy."""
    del kit

    @lru_cache(maxsize=1024)
    def rules_of(agent: str) -> tuple[_Rule, ...]:
        return tuple(_rules(policy, agent))

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        if not isinstance(event, ToolEvent) or event.tool_name in FREE:
            return None
        agent = event.identity.agent
        rules = rules_of(agent)
        return _broken(agent, rules) or _judge(event, rules) or _council(event, policy, agent)

    return Hook(name=NAME, role=Role.GUARD, run=run, events=frozenset({"PreToolUse"}))


def is_tool(pattern: str, tool: str) -> bool:
    """Whether a pattern means this tool.

    ``mcp__server`` is every tool of that server, as the host reads it; ``Task`` is ``Agent``.
    """
    if tool in SPAWNING_TOOLS:
        return any(fnmatchcase(name, pattern) for name in SPAWNING_TOOLS)
    if fnmatchcase(tool, pattern):
        return True
    server = pattern.startswith("mcp__") and "__" not in pattern[5:]
    return server and tool.startswith(f"{pattern}__")


def _rules(policy: Policy, agent: str) -> Iterator[_Rule]:
    for card in policy.agents.get(agent, ()):
        bare = card.tools is None and not card.disallowed
        if not bare or card.problems:
            yield _Rule(
                f"agent {agent!r}", card.tools, card.disallowed, card.source, card.problems,
                card.spawns,
            )  # fmt: skip
    for role in policy.roles:
        if any(fnmatchcase(agent, pattern) for pattern in role.agents):
            who = f"agent {agent!r} in the role {role.role!r}"
            yield _Rule(who, role.tools, role.disallowed, role.source)


def _broken(agent: str, rules: Iterable[_Rule]) -> Decision | None:
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


def _judge(event: ToolEvent, rules: Iterable[_Rule]) -> Decision | None:
    for rule in rules:
        fault = rule.fault(event.tool_name) or rule.start_fault(event)
        if fault:
            reason = f"{rule.who} may not use {event.tool_name}: {fault} ({rule.source})"
            return deny(reason, rule="roles.tool")
    return None


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


def _list(tools: tuple[str, ...]) -> str:
    more = f", and {len(tools) - _MOST_SHOWN} more" if len(tools) > _MOST_SHOWN else ""
    return (", ".join(tools[:_MOST_SHOWN]) + more) if tools else "nothing"
