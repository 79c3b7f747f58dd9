"""The registry of a repository's agents: who may write what, with which tools, by which model.

It is generated from the agents' frontmatter, the contracts and the roles. What an agent can do is
read from its tools and its contract, never from its name.
"""

import difflib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pointsman.model.contract import EVERY_AGENT, AgentCard, Contract, cycles
from pointsman.model.event import MAIN_THREAD
from pointsman.model.policy import Policy
from pointsman.model.team import DEFAULT_AGENT
from pointsman.model.tools import KNOWN, NETWORK, READING, SHELLS, WRITING, grants
from pointsman.paths.overlap import Overlap, Territory, is_glob, overlap

_Declared = TypeVar("_Declared", AgentCard, Contract)

VERSION = 1
FILE = ".pointsman/agents.json"
_BUILT_IN = frozenset({MAIN_THREAD, DEFAULT_AGENT, "Explore", "Plan", "fork", "statusline-setup"})
"""Agents that there are without a file, which others may wait for."""

_CAPABILITIES = {
    "read": READING,
    "write": WRITING,
    "execute": SHELLS,
    "start agents": ("Agent",),
    "network": NETWORK,
}
_MATRIX = (*READING[:3], *WRITING, *SHELLS, "Agent", *NETWORK)
"""Tools that always have a row in the matrix, named by somebody or not."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with the agents: where, what, and what to do."""

    kind: str
    file: str
    text: str
    fix: str


class Registry:
    """The agents of one repository, by one policy."""

    def __init__(self, policy: Policy, root: str) -> None:
        self._policy = policy
        self._root = root
        self._roles = policy.roles
        named = {*policy.agents, *policy.contracts} - {EVERY_AGENT}
        self.agents = tuple(sorted(named))

    def may_use(self, agent: str, tool: str) -> bool:
        """Whether everything that binds an agent gives it this tool."""
        declared = grants(agent, self._policy.agents, self._roles)
        return all(not each.problems and not each.fault(tool) for each in declared)

    def can(self, agent: str) -> tuple[str, ...]:
        """Return what an agent can do, by its tools and its contract."""
        contracts = self._bound(agent)
        free = not any(each.read_only or each.problems or each.allowed == () for each in contracts)
        # Whatever a person allows in their own settings: the team of the repository is flat.
        held = {"write": free, "start agents": not contracts or agent == MAIN_THREAD}
        return tuple(
            name
            for name, tools in _CAPABILITIES.items()
            if held.get(name, True) and any(self.may_use(agent, tool) for tool in tools)
        )

    def can_write(self, agent: str) -> bool:
        """Whether there is a file that this agent can change, by a file tool or by the shell."""
        contracts = self._bound(agent)
        shell = any(self.may_use(agent, tool) for tool in SHELLS)
        fixed = any(each.read_only or each.problems or each.allowed == () for each in contracts)
        return "write" in self.can(agent) or (shell and not fixed)

    def may_write(self, agent: str, path: str) -> Overlap:
        """Return a path that an agent may write, of those that a path or a glob means."""
        if not self.can_write(agent):
            return Overlap()
        held = tuple(_territory(each) for each in self._bound(agent))
        if is_glob(path) and not Path(self._root, path).exists():
            return overlap((*held, Territory((path,))), self._root)
        return Overlap(witness=path if all(each.holds(path, self._root) for each in held) else None)

    def model(self, agent: str) -> str:
        """Return the model that an agent's file names, or ``inherit``."""
        models = [card.model for card in self._policy.agents.get(agent, ()) if card.model]
        return models[0] if models else "inherit"

    def as_dict(self) -> dict[str, Any]:
        """Return the whole registry, the same for the same declarations."""
        writers = [agent for agent in self.agents if self.can_write(agent)]
        matrix = {tool: [agent for agent in self.agents if self.may_use(agent, tool)]
                  for tool in self._tools()}  # fmt: skip
        able = {name: [agent for agent in self.agents if name in self.can(agent)]
                for name in _CAPABILITIES if name not in {"read", "write"}}  # fmt: skip
        models: dict[str, list[str]] = {}
        for agent in self.agents:
            models.setdefault(self.model(agent), []).append(agent)
        return {
            "version": VERSION,
            "agents": {agent: self._entry(agent) for agent in self.agents},
            "capabilityIndex": {
                "can_write": writers,
                "read_only": [agent for agent in self.agents if agent not in writers],
                **{f"can_{name.replace(' ', '_')}": agents for name, agents in able.items()},
            },
            "modelIndex": dict(sorted(models.items())),
            "toolMatrix": matrix,
        }

    def text(self) -> str:
        """Return what is committed: the registry as JSON, with a newline at its end."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n"

    def faults(self) -> list[Fault]:
        """Return everything that is wrong with the agents and between them."""
        return [
            *self._broken(), *self._unknown(), *self._directories(), *self._rounds(),
            *self._overlaps(),
        ]  # fmt: skip

    def _bound(self, agent: str) -> tuple[Contract, ...]:
        by_agent = self._policy.contracts
        return (*by_agent.get(agent, ()), *by_agent.get(EVERY_AGENT, ()))

    def _entry(self, agent: str) -> dict[str, Any]:
        cards = self._policy.agents.get(agent, ())
        contracts = self._policy.contracts.get(agent, ())
        declared = list(grants(agent, self._policy.agents, self._roles))
        listed = [each.tools for each in declared if each.tools is not None]
        owned = sorted({glob for each in contracts if each.owns for glob in each.allowed})
        writes = owned or ["**"] if self.can_write(agent) else []
        return {
            "files": sorted(
                {self._relative(source) for source in (
                    *(card.source for card in cards), *(each.source for each in contracts)
                )}
            ),
            "description": next((card.description for card in cards if card.description), ""),
            "model": self.model(agent),
            "tools": sorted(
                {tool for tools in listed for tool in tools if self._keeps(declared, tool)}
            ) if listed else ["*"],
            "disallowedTools": sorted({tool for each in declared for tool in each.disallowed}),
            "capabilities": list(self.can(agent)),
            "readOnly": any(each.read_only for each in contracts),
            "council": any(each.council for each in contracts),
            "network": "none" if any(each.network == "none" for each in contracts) else "open",
            "mayWrite": writes,
            "mayNotWrite": sorted({glob for each in contracts for glob in each.forbidden}),
            "blockedBy": sorted({name for each in contracts for name in each.blocked_by}),
            "requires": sorted(
                {f"{need.type}:{need.key}" for each in contracts for need in each.requires
                 if need.required}
            ),
            "checks": sorted(
                {f"{check.check}: {check.command}".rstrip(": ") for each in contracts
                 for check in each.post_complete}
            ),
        }  # fmt: skip

    @staticmethod
    def _keeps(declared: Iterable[Any], tool: str) -> bool:
        """Whether a pattern in one list is not taken away by another declaration."""
        return not any(tool in each.disallowed for each in declared)

    def _tools(self) -> list[str]:
        named = {
            tool
            for agent in self.agents
            for each in grants(agent, self._policy.agents, self._roles)
            for tool in (each.tools or ())
        }
        plain = {"Agent" if tool == "Task" else tool for tool in named if not is_glob(tool)}
        return sorted(plain | set(_MATRIX))

    def _broken(self) -> Iterator[Fault]:
        for problem in self._policy.problems:
            if problem.file.startswith(f"{self._root}/"):
                where = f"{self._relative(problem.file)}:{problem.line}"
                text = f"{problem.key} = {problem.value}: {problem.message}"
                yield Fault("broken declaration", where, text, problem.fix)

    def _unknown(self) -> Iterator[Fault]:
        lists = [
            (card.source, f"agent {agent!r}", (*(card.tools or ()), *card.disallowed))
            for agent, cards in self._policy.agents.items()
            for card in cards
        ]
        lists += [
            (role.source, f"role {role.role!r}", (*(role.tools or ()), *role.disallowed))
            for role in self._roles
        ]
        for source, who, tools in lists:
            for tool in tools:
                if tool in KNOWN or tool.startswith("mcp__") or is_glob(tool):
                    continue
                close = difflib.get_close_matches(tool, sorted(KNOWN), n=1, cutoff=0.6)
                fix = f"write {close[0]}" if close else "write the name that the host gives it"
                yield Fault("unknown tool", self._relative(source), f"{who}: {tool}", fix)
        for agent in self.agents:
            for each in self._policy.contracts.get(agent, ()):
                for name in each.blocked_by:
                    if name not in self.agents and name not in _BUILT_IN:
                        text = f"agent {agent!r} is blocked by {name!r}, which there is not"
                        close = difflib.get_close_matches(name, self.agents, n=1)
                        fix = f"write {close[0] if close else 'the name of an agent'}"
                        yield Fault("unknown agent", self._relative(each.source), text, fix)

    def _directories(self) -> Iterator[Fault]:
        """Yield globs that are the name of a directory: they match no file in it."""
        for agent in self.agents:
            for each in self._policy.contracts.get(agent, ()):
                for glob in (*each.allowed, *each.forbidden):
                    bare = glob.rstrip("/")
                    if not is_glob(bare) and Path(self._root, bare).is_dir():
                        text = f"agent {agent!r}: {glob!r} is a directory, and means no file in it"
                        yield Fault(
                            "directory", self._relative(each.source), text, f"write {bare}/**"
                        )

    def _rounds(self) -> Iterator[Fault]:
        for names in cycles(self._policy.contracts):
            source = next(each.source for each in self._policy.contracts[names[0]])
            text = f"they wait for one another: {' → '.join((*names, names[0]))}"
            yield Fault(
                "cycle of blocked_by", self._relative(source), text, "take one blocked_by out"
            )

    def _overlaps(self) -> Iterator[Fault]:
        owning = {agent: held for agent in self.agents if (held := self._territories(agent))}
        for one, other in itertools.combinations(owning, 2):
            if self._is_apart(one, other):
                continue
            found = overlap((*owning[one], *owning[other]), self._root)
            source = self._relative(self._policy.contracts[one][0].source)
            fix = "forbid it to one of them, or let one be blocked_by the other"
            if found.witness is not None:
                text = f"{one!r} and {other!r} both own {found.witness}"
                yield Fault("overlap", source, text, fix)
            elif found.unverified:
                text = f"{one!r} and {other!r}: {found.unverified}"
                yield Fault("overlap could not be verified", source, text, "write simpler globs")

    def _territories(self, agent: str) -> tuple[Territory, ...]:
        contracts = self._bound(agent)
        isolated = any(card.isolation for card in self._policy.agents.get(agent, ()))
        if isolated or not self.can_write(agent) or not any(each.owns for each in contracts):
            return ()
        return tuple(_territory(each) for each in contracts)

    def _is_apart(self, one: str, other: str) -> bool:
        """Whether one of them waits for the other, and they never run side by side."""
        return one in self._before(other) or other in self._before(one)

    def _before(self, agent: str) -> set[str]:
        seen: set[str] = set()
        waiting = [agent]
        while waiting:
            contracts = self._policy.contracts.get(waiting.pop(), ())
            names = {name for each in contracts for name in each.blocked_by} - seen
            seen |= names
            waiting += names
        return seen

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self._root) if path.startswith(f"{self._root}/") else path


def _territory(contract: Contract) -> Territory:
    return Territory(contract.allowed if contract.owns else None, contract.forbidden)


def of_repository(policy: Policy, root: str) -> Policy:
    """Return what the repository itself declares: what is committed depends on no user."""
    return replace(
        policy,
        agents=_within(policy.agents, root),
        contracts=_within(policy.contracts, root),
        roles=tuple(role for role in policy.roles if role.source.startswith(f"{root}/")),
    )


def _within(
    declared: Mapping[str, tuple[_Declared, ...]], root: str
) -> dict[str, tuple[_Declared, ...]]:
    kept = {
        name: tuple(each for each in several if each.source.startswith(f"{root}/"))
        for name, several in declared.items()
    }
    return {name: several for name, several in kept.items() if several}


def drift(registry: Registry, committed: str) -> Iterator[str]:
    """Yield what differs between the registry and the committed text of it, an agent a line."""
    try:
        was: Any = json.loads(committed)
    except (ValueError, RecursionError) as error:
        yield f"it is no JSON: {error}"
        return
    now = json.loads(registry.text())
    if not isinstance(was, Mapping):
        yield "it is no JSON object"
        return
    before = was.get("agents")
    before = before if isinstance(before, Mapping) else {}
    for agent in sorted({*before, *now["agents"]}):
        if before.get(agent) != now["agents"].get(agent):
            yield f"agent {agent!r} {_change(before.get(agent), now['agents'].get(agent))}"
    if before == now["agents"] and was != now:
        yield "its indices are those of other agents or of another version"


def _change(was: Any, now: Any) -> str:
    if not isinstance(was, Mapping):
        return "is new"
    if now is None:
        return "is gone"
    keys = [key for key in {**was, **now} if was.get(key) != now.get(key)]
    return f"differs in {', '.join(keys)}"
