"""The guard that stops destructive shell commands, through wrappers and nesting."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from pointsman.hooks.kit import Kit
from pointsman.hooks.packs.all_packs import CALLS, DEEDS, FLOWS, PACK_OF
from pointsman.hooks.packs.elsewhere import inner_commands
from pointsman.hooks.rule import Rule, Scene
from pointsman.hooks.scripts import EDITS, Scripts, read
from pointsman.hooks.shell_writes import SHELL_TOOLS
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.event import Event
from pointsman.model.events import PreToolUse
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.shell.analyse import analyse
from pointsman.shell.effects import UNKNOWN, Analysis, Invocation, Kind
from pointsman.shell.programs import effects_of

NAME = "command-safety"
UNVERIFIED = "command.unverified"
_MOST_SHOWN = 160
_MOST_REMEMBERED = 512
_LONGEST_REMEMBERED = 2048


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard with this policy's tuning of the rules."""
    home = str(kit.places.config.parent.parent)
    tuned: Mapping[str, str] = policy.guards.get(NAME, {}).get("rules", {})

    scripts = Scripts()

    # Agents say the same few commands over and over; but for the scripts that one runs, the
    # answer hangs on nothing else.
    @lru_cache(maxsize=_MOST_REMEMBERED)
    def remembered(command: str, cwd: str, home: str) -> tuple[Decision | None, Analysis]:
        analysis = analyse(command, cwd=cwd, home=home)
        return decided(analysis, cwd, home, tuned, command=command), _for_scripts(analysis)

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        if not isinstance(event, PreToolUse):
            return None
        cwd, session = event.identity.cwd or "/", event.identity.session
        command = event.tool_input.get("command")
        if event.tool in EDITS:
            scripts.edited(session, event.tool_input, cwd)
        if event.tool in EDITS or not isinstance(command, str):
            return None
        decide = remembered if len(command) <= _LONGEST_REMEMBERED else remembered.__wrapped__
        at_home = os.environ.get("HOME", home)
        decision, analysis = decide(command, cwd, at_home)
        written = scripts.of(session, analysis.asked) if analysis.asked else {}
        if written or analysis.started:
            whole = analyse(command, cwd=cwd, home=at_home, scripts=written, read=read)
            decision = decided(whole, cwd, at_home, tuned, command=command)
        scripts.ran(session, analysis)
        return decision

    return Hook(
        name=NAME, role=Role.GUARD, run=run, events=frozenset({"PreToolUse"}),
        tools=(*SHELL_TOOLS, *EDITS),
    )  # fmt: skip


def _for_scripts(analysis: Analysis) -> Analysis:
    """Return of an analysis what the memory of scripts needs: little, as it is kept."""
    writes = tuple(each for each in analysis.effects if each.kind is Kind.WRITE)[:256]
    return Analysis(effects=writes, asked=analysis.asked, started=analysis.started)


def judge(command: str, cwd: str, home: str, tuned: Mapping[str, str]) -> Decision | None:
    """Decide about one command; the strictest finding speaks."""
    analysis = analyse(command, cwd=cwd, home=home)
    return decided(analysis, cwd, home, tuned, command=command)


def decided(
    analysis: Analysis, cwd: str, home: str, tuned: Mapping[str, str], *, command: str
) -> Decision | None:
    """Decide about what a command does; the strictest finding speaks."""
    asked: Decision | None = None
    for rule, each, found in findings(analysis, Scene(cwd, home)):
        decision = _told(rule, found, each, tuned)
        if decision is not None and decision.action is Action.DENY:
            return decision
        asked = asked or decision
    return asked or (None if _ONLY_SAID.fullmatch(command) else _unverified(analysis, tuned))


_ONLY_SAID = re.compile(r"\s*(?:echo|printf)\s[^$`|;&<>(){}\n\\]{0,4096}")
"""Words for somebody to read: wherever a quote in them ends, nothing is run."""

Finding = tuple[Rule, Invocation, str]


def findings(analysis: Analysis, scene: Scene) -> Iterator[Finding]:
    """Yield what the rules find in a command: the rule, the invocation, what is dangerous."""
    for each in analysis.invocations:
        yield from _of_call(each, scene)
    for rule, flow in FLOWS:
        run = flow.find(analysis, scene)
        if run is not None:
            yield rule, *run
    yield from elsewhere(analysis)


def _of_call(each: Invocation, scene: Scene) -> Iterator[Finding]:
    for effect in effects_of(each):
        for rule, deed in DEEDS.get(effect.kind, ()):
            found = deed.find(effect, each, scene)
            if found is not None:
                yield rule, each, found
    for rule, call in CALLS.get(each.program, ()):
        found = call.find(each, scene)
        if found is not None:
            yield rule, each, found


def elsewhere(analysis: Analysis) -> Iterator[Finding]:
    """Yield what is found in commands for another machine, or for a container."""
    for each, text, packs in inner_commands(analysis.invocations):
        inner = analyse(text, cwd=UNKNOWN, home="/root")
        for one in inner.invocations:
            via = (*each.via, each.program, *one.via)
            for rule, _, found in _of_call(one, Scene(UNKNOWN, "/root")):
                if not packs or PACK_OF[rule.id] in packs:
                    yield rule, replace(one, via=via), found


def action_of(rule: Rule, tuned: Mapping[str, str]) -> Action | None:
    """Return what becomes of a rule's finding: its own setting, its pack's, or what it says."""
    said = tuned.get(rule.id) or tuned.get(PACK_OF[rule.id]) or rule.action.value
    return None if said == "off" else Action(said)


def _told(rule: Rule, found: str, each: Invocation, tuned: Mapping[str, str]) -> Decision | None:
    action = action_of(rule, tuned)
    if action is None:
        return None
    through = f" (through {', '.join(each.via)})" if each.via else ""
    why = "" if rule.plain else f" {rule.why}"
    instead = f" Instead: {rule.instead}" if rule.instead else ""
    text = (
        f"{found}{through}: {_short(each.text)}.{why}{instead} If it is meant, a person runs it, "
        f'or sets "{rule.id}" under [guards.{NAME}.rules] in their own config.toml.'
    )
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
