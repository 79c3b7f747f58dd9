"""Defaults, the user's file and the repository's file: one set of values.

The user may loosen the defaults: it is the person's own machine. A repository only tightens what
the two amount to; whatever would loosen it is not taken and is reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.config.guidance_settings import merge_guidance
from pointsman.config.mcp_settings import merge_mcp
from pointsman.config.schema import EVENT_NAMES
from pointsman.config.team_settings import merge_team
from pointsman.config.watch_settings import merge_watch
from pointsman.model.budget import DEFAULT_BUDGETS, OTHER_EVENTS

_STRICTNESS = {"off": 0, "ask": 1, "deny": 2}


@dataclass(slots=True)
class Merged:
    """The values in force; ``refused`` are the settings that a repository may not make."""

    budgets: dict[str, float] = field(default_factory=dict)
    own_budgets: dict[str, float] = field(default_factory=dict)
    guards: dict[str, dict[str, Any]] = field(default_factory=dict)
    mcp_writers: list[Mapping[str, Any]] = field(default_factory=list)
    credentials: list[Mapping[str, Any]] = field(default_factory=list)
    user_hooks: list[Mapping[str, Any]] = field(default_factory=list)
    repository_hooks: list[Mapping[str, Any]] = field(default_factory=list)
    escalation: dict[str, Any] = field(default_factory=dict)
    approvals: dict[str, Any] = field(default_factory=dict)
    limits: tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]] = field(
        default_factory=lambda: ([], [])
    )
    """The user's and the repository's: each binds."""
    retention_days: int = 90
    ledger: dict[str, Any] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)
    dashboard: dict[str, Any] = field(default_factory=dict)
    code_servers: dict[str, Any] = field(default_factory=dict)
    alerts: dict[str, Any] = field(default_factory=dict)
    telemetry: dict[str, Any] = field(default_factory=dict)
    mcp_health: dict[str, Any] = field(default_factory=dict)
    sandbox: bool = True
    mechanism: str = "auto"
    team: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    watch: dict[str, Any] = field(default_factory=dict)
    guidance: dict[str, dict[str, Any]] = field(default_factory=dict)
    roles: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
    """The user's and the repository's: each binds."""
    refused: list[tuple[tuple[str, ...], Any, str]] = field(default_factory=list)


def merge(user: Mapping[str, Any], repository: Mapping[str, Any]) -> Merged:
    """Return the values in force for a repository."""
    out = _of_user(user)
    _tighten_budgets(out, repository.get("budgets", {}))
    for name, table in repository.get("guards", {}).items():
        _tighten_guard(out, name, table)
    out.mcp_writers = _with(out.mcp_writers, repository.get("mcp_writers", []))
    out.credentials = _with(out.credentials, repository.get("credentials", []))
    out.repository_hooks = list(repository.get("hooks", []))
    _tighten_escalation(out, repository.get("escalation", {}))
    for key, value in repository.get("sandbox", {}).items():
        out.refused.append((("sandbox", key), value, "only the user's own file may say so"))
    out.team = merge_team(user.get("team", {}), repository.get("team", {}), out.refused)
    out.watch = merge_watch(user.get("watch", {}), repository.get("watch", {}), out.refused)
    out.guidance = merge_guidance(user, repository, out.refused)
    out.mcp_health = merge_mcp(user.get("mcp_health", {}), repository.get("mcp_health", {}))
    out.limits = (list(user.get("limits", [])), list(repository.get("limits", [])))
    out.roles = (user.get("roles", {}), repository.get("roles", {}))
    for key, value in repository.get("approvals", {}).items():
        out.refused.append((("approvals", key), value, "whom to ask, and how, is the user's own"))
    for key, value in repository.get("cost", {}).items():
        out.refused.append((("cost", key), value, "what is read of the host is the user's own"))
    for key, value in repository.get("dashboard", {}).items():
        out.refused.append((("dashboard", key), value, "the dashboard is one for all repositories"))
    for key, value in repository.get("code_servers", {}).items():
        out.refused.append((("code_servers", key), value, "what the daemon runs is the user's own"))
    for key, value in repository.get("alerts", {}).items():
        out.refused.append((("alerts", key), value, "who is told of alerts is the user's own"))
    for key, value in repository.get("telemetry", {}).items():
        out.refused.append(
            (("telemetry", key), value, "where the record is sent is the user's own")
        )
    for key, value in repository.get("context", {}).items():
        out.refused.append((("context", key), value, "what agents are told is the user's own"))
    for key, value in repository.get("ledger", {}).items():
        out.refused.append((("ledger", key), value, "the record is one for all repositories"))
    return out


def _of_user(user: Mapping[str, Any]) -> Merged:
    budgets = {**DEFAULT_BUDGETS, **user.get("budgets", {})}
    return Merged(
        budgets=budgets,
        # A copy, as the repository tightens the one and not the other.
        own_budgets=dict(budgets),
        # Tightened in place later on; what was read must stay as it is.
        guards={name: _copy(table) for name, table in user.get("guards", {}).items()},
        mcp_writers=list(user.get("mcp_writers", [])),
        credentials=list(user.get("credentials", [])),
        user_hooks=list(user.get("hooks", [])),
        escalation=dict(user.get("escalation", {})),
        approvals=dict(user.get("approvals", {})),
        cost=dict(user.get("cost", {})),
        dashboard=dict(user.get("dashboard", {})),
        code_servers=dict(user.get("code_servers", {})),
        alerts=dict(user.get("alerts", {})),
        telemetry=dict(user.get("telemetry", {})),
        context=dict(user.get("context", {})),
        retention_days=user.get("ledger", {}).get("retention_days", 90),
        ledger=dict(user.get("ledger", {})),
        sandbox=user.get("sandbox", {}).get("enabled", True),
        mechanism=user.get("sandbox", {}).get("mechanism", "auto"),
    )


def _copy(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in table.items()
    }


def _tighten_budgets(out: Merged, budgets: Mapping[str, float]) -> None:
    for name in EVENT_NAMES:
        if name not in budgets:
            continue
        now = out.budgets.get(name, OTHER_EVENTS)
        if budgets[name] > now:
            out.refused.append((("budgets", name), budgets[name], f"it is more than {now:g}"))
        out.budgets[name] = min(now, budgets[name])


def _tighten_guard(out: Merged, name: str, table: Mapping[str, Any]) -> None:
    now = out.guards.setdefault(name, {})
    if table.get("enabled") is False and now.get("enabled", True):
        out.refused.append((("guards", name, "enabled"), False, "it turns a guard off"))
    if table.get("enabled") is True:
        now["enabled"] = True
    if "allow" in table:
        out.refused.append((("guards", name, "allow"), table["allow"], "it lets secrets pass"))
    if "paths" in table:
        now["paths"] = _with(now.get("paths", []), table["paths"])
    for rule, action in table.get("rules", {}).items():
        rules = now.setdefault("rules", {})
        # Without a word from the user a rule is what it says of itself, at the most a denial.
        known = rules.get(rule)
        key = ("guards", name, "rules", rule)
        if known is None and action != "deny":
            out.refused.append((key, action, "only the user's file may say less than deny"))
        elif known is None or _STRICTNESS[action] >= _STRICTNESS[known]:
            rules[rule] = action
        else:
            out.refused.append((key, action, f"the user's file says {known!r}"))


def _tighten_escalation(out: Merged, table: Mapping[str, Any]) -> None:
    defaults = {"denial_burst": 5, "window": 60.0, "repeat_after": 300.0}
    # Fewer denials, a longer window and a shorter pause each raise it earlier.
    earlier = {"denial_burst": min, "window": max, "repeat_after": min}
    for key, value in table.items():
        now = out.escalation.get(key, defaults[key])
        out.escalation[key] = earlier[key](now, value)
        if out.escalation[key] != value:
            out.refused.append((("escalation", key), value, f"it is laxer than {now:g}"))


def _with(mine: list[Any], theirs: list[Any]) -> list[Any]:
    """Return a list with what another one adds to it."""
    out = list(mine)
    for item in theirs:
        if item not in out:
            out.append(item)
    return out
