"""The enricher that names the MCP servers that are down when a session begins.

Who knows beforehand need not find out by calls that fail. What is optional and needs such a server
is named with it; where all is well nothing is said.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pointsman.hooks.kit import Kit
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.server_health import (
    FAILING,
    Health,
    Phase,
    Standing,
    Verdict,
    spoken_name,
)

NAME = "mcp-health"
RULE = "mcp.health"
WAIT = 2.5
"""Seconds that a session waits for probes by default: half of the budget of its start."""
_SHARE = 0.8
_MOST_NAMED = 8


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the enricher; ``mcp_health.enabled = false`` turns it off."""
    settings = policy.mcp_health

    async def run(event: Event, context: HookContext) -> Decision | None:
        within = min(settings.get("wait", WAIT), context.budget.remaining() * _SHARE)
        found = await kit.servers.at_start(event, within, settings)
        lines = []
        for each in found:
            line = _line(each, within)
            if line:
                lines.append(f"- {line}{_without(each, policy)}")
                context.log(line, server=each.server.name)
        notes = [note for each in found if (note := _note(each))]
        for note in notes:
            context.log(note)
        if not lines and not notes:
            return None
        return Decision(
            action=None, rule=RULE, context=_text(lines), notice="\n".join([*lines, *notes])
        )

    return Hook(
        name=NAME,
        role=Role.ENRICHER,
        run=run,
        events=frozenset({"SessionStart"}),
        when=lambda _event: bool(settings.get("enabled", True)),
    )


def _text(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    head = "Pointsman has asked the MCP servers of this session. Not to be relied upon now:"
    return "\n".join([head, *lines])


def _line(standing: Standing, within: float) -> str:
    """Return what is wrong with a server, empty where nothing is."""
    name, where = standing.server.name, standing.server.where
    health, breaker = standing.health, standing.breaker
    tools = f"mcp__{spoken_name(name)}__*"
    if health is None:
        if breaker.phase is Phase.CLOSED:
            return f"{name} ({where}) had not answered after {within:.1f} s; it may still come"
        return f"{name} ({where}): {breaker.reason}. Its calls ({tools}) are held up"
    if health.verdict in FAILING:
        return _FAILING[health.verdict].format(
            name=name, where=where, tools=tools, what=_what(health)
        )
    if breaker.phase is Phase.OPEN:
        return f"{name} ({where}): its calls ({tools}) have failed: {breaker.reason}"
    return ""


_FAILING: Mapping[Verdict, str] = {
    Verdict.DOWN: "{name} ({where}) is down: {what}. Do without {tools}",
    Verdict.WEDGED: "{name} ({where}) hangs: {what}. Do without {tools}",
    Verdict.AFFINITY: "{name} ({where}) loses its sessions: {what}. Calls of {tools} may fail; a "
    "person sees what helps with: pointsman mcp-health",
}


def _what(health: Health) -> str:
    return health.detail.rstrip(".")


def _without(standing: Standing, policy: Policy) -> str:
    """Return what is optional and goes without this server."""
    name = standing.server.name
    features = list(features_of(policy.mcp_health, name))
    agents = list(_agents(policy, spoken_name(name)))
    said = f". Skipped while it is: {', '.join(features)}" if features else ""
    return said + (f". Agents that use it: {', '.join(agents[:_MOST_NAMED])}" if agents else "")


def features_of(settings: Mapping[str, Any], server: str) -> Iterator[str]:
    """Yield the optional features that need a server."""
    for feature, needed in settings.get("features", {}).items():
        if server in needed:
            yield feature


def _agents(policy: Policy, name: str) -> Iterator[str]:
    for agent, cards in policy.agents.items():
        patterns = [each for card in cards for each in card.tools or ()]
        # A pattern such as mcp__* names no server: it asks for whatever there is.
        if any(
            each.startswith("mcp__") and fnmatchcase(each, f"mcp__{name}*") for each in patterns
        ):
            yield agent


def _note(standing: Standing) -> str:
    """Return what a person should know of a server that works."""
    health = standing.health
    if health is None or not health.drift:
        return ""
    some = ", ".join(health.drift[:5]) + (", …" if len(health.drift) > 5 else "")
    return (
        f"- the tools of the MCP server {standing.server.name} are not what they were: {some}. "
        f"Next step: look at them, then pointsman mcp-health --accept {standing.server.name}"
    )
