"""The settings of a team: who may use which tool, who may start whom.

A repository adds roles and makes the rest stricter; every role that fits an agent binds it, so
that one more never gives what another has not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pointsman.config.specs import Many, Number, Table, Text
from pointsman.model.contract import ToolRule

DEFAULTS: Mapping[str, Any] = {"nested": "", "overlap": "ask", "attempts": 3}
_STRICTER: Mapping[str, tuple[Any, ...]] = {
    "nested": ("allow", "", "deny"),
    "overlap": ("off", "ask", "deny"),
}
MOST_ATTEMPTS = 10
_PATTERN = Text("A tool's name or a pattern, such as Read or mcp__server__*.")

ROLES = Table(
    "Which tools a role may use, by its name. All roles that fit an agent bind it.",
    others=Table(
        "One role.",
        {
            "tools": Many("The tools it may use, and no others. Default: all.", _PATTERN),
            "disallowed": Many("Tools it may not use, whatever else is said.", _PATTERN),
            "agents": Many(
                "The agents that have it (* and ?). Default: the one of the role's name.",
                Text("A pattern."),
                fewest=1,
            ),
        },
    ),
)
TEAM = Table(
    "How agents work together.",
    {
        "nested": Text(
            "Whether a subagent may start agents. Default: deny for one with a contract.",
            ("allow", "deny"),
        ),
        "overlap": Text(
            "What becomes of a start while an agent runs that owns the same files. Default: ask.",
            ("ask", "deny", "off"),
        ),
        "attempts": Number(
            "How often an agent is sent back by failed checks at its end. Default: 3.",
            1,
            MOST_ATTEMPTS,
            whole=True,
        ),
    },
)

Refused = list[tuple[tuple[str, ...], Any, str]]


def merge_team(
    user: Mapping[str, Any], repository: Mapping[str, Any], refused: Refused
) -> dict[str, Any]:
    """Return the values in force; what a repository may not say is added to ``refused``."""
    out = {**DEFAULTS, **user}
    for key, value in repository.items():
        now = out[key]
        order = _STRICTER.get(key)
        laxer = order.index(value) < order.index(now) if order else value < now
        if laxer:
            refused.append((("team", key), value, f"it is laxer than {now or 'the default'!r}"))
        else:
            out[key] = value
    return out


def tool_rules(*settings: tuple[str, Mapping[str, Any]]) -> tuple[ToolRule, ...]:
    """Return the roles of these settings, each given with the name of its file."""
    return tuple(rule for file, roles in settings for rule in _rules(file, roles))


def _rules(file: str, roles: Mapping[str, Any]) -> Iterator[ToolRule]:
    for name, table in roles.items():
        tools = table.get("tools")
        yield ToolRule(
            role=name,
            agents=tuple(table.get("agents", [name])),
            tools=None if tools is None else tuple(tools),
            disallowed=tuple(table.get("disallowed", ())),
            source=file,
        )
