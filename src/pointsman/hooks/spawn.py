"""The guard that holds the start of an agent to its contract.

A team is flat: whoever has been started under a contract starts nobody. What an agent needs has
to be there before it costs anything, and no two that run own the same files.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pointsman.hooks.inputs import Inputs
from pointsman.hooks.kit import Kit
from pointsman.model.contract import EVERY_AGENT, Contract
from pointsman.model.decision import Action, Cause, Decision, ask, deny, inject, unverified
from pointsman.model.event import Event, ToolEvent
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.team import DEFAULT_AGENT, SPAWNING_TOOLS, Member
from pointsman.paths.content import read_regular
from pointsman.paths.overlap import Territory, overlap

NAME = "spawn"
_MOST_STEPS = 40_000
"""Of the search for an overlap, on the loop: some 40 ms, and each pair is searched once."""

_OTHER_WAYS = frozenset({"Workflow", "TeamCreate", "CronCreate", "RemoteTrigger"})
"""Tools that start agents, or have a prompt run later on, under another name than ours."""

_MOST_SETTINGS = 256 * 1024
_ISOLATED = frozenset({"worktree", "remote"})


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the contracts of this policy."""

    def run(event: Event, context: HookContext) -> Decision | None:
        if not isinstance(event, ToolEvent):
            return None
        start = _Start(policy, kit, event)
        if event.tool_name in _OTHER_WAYS:
            return start.nested(event.tool_name)
        decision = _unreadable(event) or start.decide(context)
        if decision is None or decision.action is not Action.DENY:
            kit.team.begin(event, spawned(event, policy), isolated=_is_isolated(event, policy))
        return decision

    return Hook(
        name=NAME,
        role=Role.GUARD,
        run=run,
        events=frozenset({"PreToolUse"}),
        tools=tuple(sorted(SPAWNING_TOOLS | _OTHER_WAYS)),
    )


def spawned(event: ToolEvent, policy: Policy) -> str:
    """Return the type of the agent that this call starts.

    A name that is nobody's is that of the agent which is spelled the same but for case and
    separators: should the host find that one, it is held to its contract.
    """
    wanted = event.tool_input.get("subagent_type")
    if not isinstance(wanted, str) or not wanted.strip():
        return DEFAULT_AGENT
    known = {*policy.contracts, *policy.agents} - {EVERY_AGENT}
    if wanted in known:
        return wanted
    same = sorted(name for name in known if _spelled(name) == _spelled(wanted))
    return same[0] if same else wanted


def _spelled(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def _unreadable(event: ToolEvent) -> Decision | None:
    """Return a denial of a start that does not say in a text who is started, and with what."""
    for key in ("subagent_type", "prompt"):
        value = event.tool_input.get(key)
        if value is not None and not isinstance(value, str):
            reason = (
                f"the {key} of this {event.tool_name} call is no text but "
                f"{type(value).__name__} ({str(value)[:60]}), so that no contract can be looked "
                "up for it. Make the call again with a text"
            )
            return _unverified(reason, "spawn.unreadable")
    return None


def bound(policy: Policy, agent: str) -> tuple[Contract, ...]:
    """Return the contracts that bind an agent, those of everybody with them."""
    return (*policy.contracts.get(agent, ()), *policy.contracts.get(EVERY_AGENT, ()))


class _Start:
    """One start of an agent, and everything that may speak against it."""

    def __init__(self, policy: Policy, kit: Kit, event: ToolEvent) -> None:
        self._policy = policy
        self._kit = kit
        self._event = event
        self._agent = spawned(event, policy)
        self._contracts = bound(policy, self._agent)
        self._root = event.identity.repository or event.identity.cwd

    def decide(self, context: HookContext) -> Decision | None:
        return (
            self.nested(repr(self._agent))
            or self._broken()
            or self._inputs(context)
            or self._overlap()
        )

    def nested(self, what: str) -> Decision | None:
        """Return a denial where a subagent would start somebody and may not."""
        who = self._event.identity
        rule = self._policy.team.get("nested", "")
        if who.agent_id is None or rule == "allow":
            return None
        if not rule and not bound(self._policy, who.agent):
            return None
        why = "it has a contract" if not rule else "[team] nested = deny"
        return deny(
            f"agent {who.agent!r} may not start {what}: the team is flat, a subagent "
            f"starts nobody ({why}). Report what is needed to whoever started you; a person "
            'allows it with nested = "allow" under [team]',
            rule="spawn.nested",
        )

    def _broken(self) -> Decision | None:
        problems = [text for each in self._contracts for text in each.problems]
        if not problems:
            return None
        reason = (
            f"agent {self._agent!r} may not start: its contract cannot be read: "
            f"{'; '.join(problems)[:2000]}. A person mends that; pointsman agents --check shows all"
        )
        return _unverified(reason, "spawn.contract-broken")

    def _inputs(self, context: HookContext) -> Decision | None:
        needs = any(each.requires or each.pre_spawn for each in self._contracts)
        if not needs:
            return None
        prompt = self._event.tool_input.get("prompt")
        variables = self._variables()
        text = prompt if isinstance(prompt, str) else ""
        inputs = Inputs(text, self._root, self._event.identity.cwd, variables)
        found = inputs.check(self._contracts)
        if found.missing:
            listed = "".join(f"\n- {each}" for each in found.missing)
            sources = ", ".join(dict.fromkeys(each.source for each in self._contracts))
            return deny(
                f"agent {self._agent!r} may not start, what it needs is missing ({sources}):"
                f"{listed}",
                rule="spawn.missing-input",
            )
        if not found.unknown:
            return None
        text = f"{self._agent!r} also needs what cannot be checked: {', '.join(found.unknown)}"
        context.log(text)
        conflict = self._overlap()
        return conflict or inject(f"{text}. Make sure of it yourself.", rule="spawn.unchecked")

    def _variables(self) -> frozenset[str]:
        """Return the names of the variables that are set for the host, as far as they are known."""
        # What the client says of its own environment, which is the host's; else there is ours.
        told = getattr(self._event, "environment", "")
        ours = (name for name, text in self._kit.environ().items() if text)
        return frozenset(told.split(",") if told else ours) | _settings_variables(self._root)

    def _overlap(self) -> Decision | None:
        rule = self._policy.team.get("overlap", "ask")
        mine = territories(self._contracts)
        if not mine or rule == "off" or _is_isolated(self._event, self._policy):
            return None
        for other in self._kit.team.running(self._event.identity.session):
            if other.isolated or other.key == self._event.identity.tool_use_id:
                continue
            decision = self._conflict(other, mine, rule)
            if decision is not None:
                return decision
        return None

    def _conflict(self, other: Member, mine: Sequence[Territory], rule: str) -> Decision | None:
        theirs = territories(bound(self._policy, other.agent))
        if not theirs:
            return None
        found = overlap((*mine, *theirs), os.path.realpath(self._root), _MOST_STEPS)
        what = f"agent {self._agent!r} and {other.agent!r} ({other.key}), which runs,"
        wait = (
            f"Start it when {other.agent!r} has ended, or with isolation: worktree; pointsman "
            "agents --check shows every overlap"
        )
        if found.unverified:
            reason = f"whether {what} own the same files cannot be told: {found.unverified}. {wait}"
            return unverified(reason, rule="spawn.overlap-unverified")
        if found.witness is None:
            return None
        reason = f"{what} both own {found.witness}. {wait}"
        return (deny if rule == "deny" else ask)(reason, rule="spawn.overlap")


def territories(contracts: Sequence[Contract]) -> tuple[Territory, ...]:
    """Return what these contracts own together; nothing where none of them claims anything."""
    if not any(each.owns for each in contracts) or any(each.read_only for each in contracts):
        return ()
    return tuple(
        Territory(each.allowed if each.owns else None, each.forbidden) for each in contracts
    )


def _is_isolated(event: ToolEvent, policy: Policy) -> bool:
    given = event.tool_input.get("isolation")
    cards = policy.agents.get(spawned(event, policy), ())
    return given in _ISOLATED or any(each.isolation in _ISOLATED for each in cards)


def _settings_variables(root: str) -> set[str]:
    """Return the variables that the repository's settings give to the host."""
    names = ("settings.json", "settings.local.json")
    return {name for each in names for name in _variables_of(Path(root, ".claude", each))}


def _variables_of(path: Path) -> Iterator[str]:
    try:
        value: Any = json.loads(read_regular(str(path), _MOST_SETTINGS))
    except (OSError, ValueError, RecursionError):
        return
    environ = value.get("env") if isinstance(value, dict) else None
    for name, text in (environ if isinstance(environ, dict) else {}).items():
        if isinstance(text, str) and text:
            yield name


def _unverified(reason: str, rule: str) -> Decision:
    return Decision(action=Action.DENY, reason=reason, rule=rule, cause=Cause.UNVERIFIED)
