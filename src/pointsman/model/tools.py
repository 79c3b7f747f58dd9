"""Tools by their names, and which of them an agent may use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pointsman.model.contract import AgentCard, ToolRule
from pointsman.model.team import SPAWNING_TOOLS

WRITING = ("Write", "Edit", "MultiEdit", "NotebookEdit")
SHELLS = ("Bash", "PowerShell")
NETWORK = ("WebFetch", "WebSearch")
READING = ("Read", "Grep", "Glob", "LS", "NotebookRead")
KNOWN = frozenset(
    {
        *WRITING, *SHELLS, *NETWORK, *READING, *SPAWNING_TOOLS,
        "AskUserQuestion", "BashOutput", "Config", "CronCreate", "CronDelete", "CronList",
        "EnterPlanMode", "EnterWorktree", "ExitPlanMode", "ExitWorktree", "KillBash", "KillShell",
        "LSP", "ListMcpResources", "ListMcpResourcesTool", "Mcp", "Monitor", "REPL",
        "ReadMcpResource", "ReadMcpResourceDir", "ReadMcpResourceTool", "RemoteTrigger",
        "ScheduleWakeup", "SendMessage", "SendUserMessage", "SendUserFile", "Skill", "SlashCommand",
        "StructuredOutput", "TaskCreate", "TaskGet", "TaskList", "TaskOutput", "TaskStop",
        "TaskUpdate", "TeamCreate", "TeamDelete", "TodoRead", "TodoWrite", "ToolSearch", "Workflow",
    }
)  # fmt: skip
"""The tools of Claude Code that are no MCP tools (2.1.330, and those that older versions had)."""


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


@dataclass(frozen=True, slots=True)
class Grant:
    """One declaration of what an agent may use, with the words for it.

    ``tools`` is ``None`` where it takes none away, ``spawns`` where it does not say which agents
    may be started.
    """

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
        return f"it may use only: {shown(self.tools)}"


def grants(
    agent: str, cards: Mapping[str, tuple[AgentCard, ...]], roles: tuple[ToolRule, ...]
) -> Iterator[Grant]:
    """Yield every declaration that binds an agent: a tool has to be allowed by each."""
    for card in cards.get(agent, ()):
        bare = card.tools is None and not card.disallowed
        if not bare or card.problems:
            yield Grant(
                f"agent {agent!r}", card.tools, card.disallowed, card.source, card.problems,
                card.spawns,
            )  # fmt: skip
    for role in roles:
        if any(fnmatchcase(agent, pattern) for pattern in role.agents):
            who = f"agent {agent!r} in the role {role.role!r}"
            yield Grant(who, role.tools, role.disallowed, role.source)


def roles_of(agent: str, roles: tuple[ToolRule, ...]) -> str:
    """Return the names of the roles that an agent has, a plus between them."""
    names = {role.role for role in roles for pattern in role.agents if fnmatchcase(agent, pattern)}
    return "+".join(sorted(names))


def shown(names: tuple[str, ...], most: int = 20) -> str:
    """Return names as a list to be read."""
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) + more) if names else "nothing"


def runs_apart(tool: str, given: Mapping[str, Any]) -> bool:
    """Whether the host runs a call's command beside it, so that the call ends before.

    Measured with client 2.1.330: of `Monitor` and `run_in_background` the end is told at once.
    """
    return tool == "Monitor" or given.get("run_in_background") is True
