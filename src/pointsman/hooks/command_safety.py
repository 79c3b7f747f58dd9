"""The guard that stops destructive shell commands, through wrappers and nesting."""

import os
from collections.abc import Mapping
from functools import lru_cache

from pointsman.hooks.command_rules import RULES, UNREAD
from pointsman.hooks.downloads import run_unread
from pointsman.hooks.kit import Kit
from pointsman.hooks.rule import Rule, Scene
from pointsman.hooks.shell_writes import SHELL_TOOLS
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.event import Event
from pointsman.model.events import PreToolUse
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.shell.analyse import analyse
from pointsman.shell.effects import Analysis, Invocation

NAME = "command-safety"
UNVERIFIED = "command.unverified"
_MOST_SHOWN = 160
_MOST_REMEMBERED = 512
_LONGEST_REMEMBERED = 2048


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard with this policy's tuning of the rules."""
    home = str(kit.places.config.parent.parent)
    tuned: Mapping[str, str] = policy.guards.get(NAME, {}).get("rules", {})

    # Agents say the same few commands over and over, and the answer hangs on nothing else.
    @lru_cache(maxsize=_MOST_REMEMBERED)
    def remembered(command: str, cwd: str, home: str) -> Decision | None:
        return judge(command, cwd, home, tuned)

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        command = event.tool_input.get("command") if isinstance(event, PreToolUse) else None
        if not isinstance(command, str):
            return None
        decide = remembered if len(command) <= _LONGEST_REMEMBERED else remembered.__wrapped__
        return decide(command, event.identity.cwd or "/", os.environ.get("HOME", home))

    return Hook(
        name=NAME, role=Role.GUARD, run=run, events=frozenset({"PreToolUse"}), tools=SHELL_TOOLS
    )


def judge(command: str, cwd: str, home: str, tuned: Mapping[str, str]) -> Decision | None:
    """Decide about one command; the strictest finding speaks."""
    analysis = analyse(command, cwd=cwd, home=home)
    scene = Scene(cwd, home)
    asked: Decision | None = None
    for each in analysis.invocations:
        for rule in RULES.values():
            decision = _apply(rule, each, scene, tuned)
            if decision is not None and decision.action is Action.DENY:
                return decision
            asked = asked or decision
    decision = _unread(analysis, tuned)
    if decision is not None and decision.action is Action.DENY:
        return decision
    return asked or decision or _unverified(analysis, tuned)


def _apply(rule: Rule, each: Invocation, scene: Scene, tuned: Mapping[str, str]) -> Decision | None:
    if tuned.get(rule.id) == "off":
        return None
    found = rule.find(each, scene)
    return _told(rule, found, each, tuned) if found is not None else None


def _unread(analysis: Analysis, tuned: Mapping[str, str]) -> Decision | None:
    run = run_unread(analysis.invocations) if tuned.get(UNREAD.id) != "off" else None
    if run is None:
        return None
    each, path = run
    return _told(UNREAD, f"{each.program} runs {path}, which was just fetched", each, tuned)


def _told(rule: Rule, found: str, each: Invocation, tuned: Mapping[str, str]) -> Decision:
    through = f" (through {', '.join(each.via)})" if each.via else ""
    text = (
        f"{found}{through}: {_short(each.text)}. {rule.why} If it is meant, a person runs it, or "
        f'sets "{rule.id}" under [guards.{NAME}.rules] in their own config.toml.'
    )
    action = Action(tuned.get(rule.id, rule.action.value))
    return Decision(action=action, reason=text, rule=f"command.{rule.id}")


def _unverified(analysis: Analysis, tuned: Mapping[str, str]) -> Decision | None:
    said = tuned.get("unverified", "ask")
    if not analysis.unverified or said == "off":
        return None
    text = "; ".join(analysis.unverified[:3])
    return Decision(action=Action(said), reason=f"{text}.", rule=UNVERIFIED, cause=Cause.UNVERIFIED)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_SHOWN else line[: _MOST_SHOWN - 1] + "…"
