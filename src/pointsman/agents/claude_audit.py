"""The audit of a project that Claude Code works in: every check in one table, and the score."""

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.agents import audit_agents, audit_hooks, audit_settings
from pointsman.agents.audit_input import Find, Inputs
from pointsman.agents.audit_score import parts
from pointsman.model.audit import Audit, Finding, Level


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its id, how bad what it finds is, why that matters, and what finds it."""

    id: str
    level: Level
    why: str
    find: Find


_E, _W, _N = Level.ERROR, Level.WARNING, Level.NOTE

CHECKS: tuple[Check, ...] = (
    Check("no-guard", _E, "Without a guard an agent's word is all that holds it.",
          audit_agents.no_guard),
    Check("tight-tools-weak-hooks", _W,
          "Tools that are taken away hinder the work; what is left can do the same harm.",
          audit_agents.tight_tools_weak_hooks),
    Check("broad-allow", _W, "What an allow rule lets pass, nobody is asked about.",
          audit_settings.broad_allow),
    Check("bypass-mode", _E, "Every call runs at once; only hooks can still stop one.",
          audit_settings.bypass_mode),
    Check("all-project-servers", _W,
          "A cloned repository then runs a program of its own on this machine.",
          audit_settings.all_project_servers),
    Check("hooks-off", _E, "Hooks that are off stop nothing, and nothing says so while they are.",
          audit_settings.hooks_off),
    Check("env-leads-away", _E, "Hooks and daemon believe these variables.",
          audit_settings.leads_elsewhere),
    Check("settings-ignored", _E, "The client drops the whole file silently, hooks included.",
          audit_settings.settings_ignored),
    Check("event-silenced", _E, "One fault takes all hooks of the event with it.",
          audit_settings.event_silenced),
    Check("guard-weakened", _E, "Such an entry lets calls pass that it looks as if it stopped.",
          audit_settings.guard_weakened),
    Check("unknown-event", _E, "A hook on it never runs.", audit_hooks.unknown_events),
    Check("old-format", _E, "The client reads hooks from a list inside the group.",
          audit_hooks.flat_format),
    Check("matcher-never-matches", _E, "Its hooks never run; matchers are exact and tell cases.",
          audit_hooks.unmatched),
    Check("timeout-unit", _E, "A hook that hangs then holds the agent up for hours.",
          audit_hooks.wrong_unit),
    Check("dead-hook", _E, "A hook that cannot be started decides nothing.",
          audit_hooks.dead_hooks),
    Check("guard-fails-open", _W, "A guard that fails is not a guard that lets pass.",
          audit_hooks.open_guards),
    Check("agent-without-contract", _W, "Nothing but its prompt keeps it to its own files.",
          audit_agents.without_contract),
    Check("contract-allows-all", _W, "It reads as a limit and is none.",
          audit_agents.allows_everything),
    Check("contract-broken", _E, "Every edit of its agent is denied until it is mended.",
          audit_agents.broken_contracts),
    Check("agent-lacks-tools", _W, "It cannot do what it is there for, and works around that.",
          audit_agents.needs_more_tools),
    Check("thin-prompt", _N, "What is not said cannot be kept to.", audit_agents.thin_prompts),
)  # fmt: skip
"""One check is one function and one line here; docs/audit.md describes each."""


def audit(inputs: Inputs) -> Audit:
    """Return what is wrong, the worst first, and the score."""
    order = list(Level)
    found = sorted(
        dict.fromkeys(_findings(inputs)),
        key=lambda each: (order.index(each.level), each.file, each.line, each.id),
    )
    files = [name for name, data in inputs.texts.values() if data is not None]
    files += [agent.file for agent in inputs.agents]
    files += [each.source for each_of in inputs.contracts.values() for each in each_of]
    return Audit(
        findings=tuple(found), parts=parts(inputs, found), files=tuple(dict.fromkeys(files))
    )


def _findings(inputs: Inputs) -> Iterator[Finding]:
    for check in CHECKS:
        for spot in check.find(inputs):
            yield Finding(
                id=check.id,
                level=spot.level or check.level,
                file=spot.file,
                line=spot.line,
                what=spot.what,
                why=check.why,
                fix=spot.fix,
            )
