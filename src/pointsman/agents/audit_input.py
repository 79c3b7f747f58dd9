"""What an audit of Claude Code reads: its settings of every scope, its agents, their contracts."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError
from pathlib import Path
from typing import Any

import yaml

from pointsman.agents import json_splice
from pointsman.agents.json_splice import Element, Value
from pointsman.model.audit import Level
from pointsman.model.contract import Contract

AGENTS = ".claude/agents"
_MOST_AGENTS = 2000
_MOST_BYTES = 256 * 1024
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class SettingsText:
    """One settings file that could be read as a JSON object."""

    name: str
    scope: str
    text: str
    root: Value

    def line(self, at: Value | Element) -> int:
        """Return the line of a value, from 1."""
        return self.text.count("\n", 0, at.start) + 1

    def member(self, *keys: str) -> Element | None:
        """Return what stands under these keys, one in the other."""
        found, value = None, self.root
        for key in keys:
            found = value.member(key)
            if found is None:
                return None
            value = found.value
        return found

    def items(self, *keys: str) -> tuple[Element, ...]:
        """Return the items of a list, or the members of an object, under these keys."""
        found = self.member(*keys)
        return found.value.elements if found else ()


@dataclass(frozen=True, slots=True)
class AgentFile:
    """A subagent as its file declares it. ``tools`` is ``None`` where it may use all."""

    name: str
    file: str
    line: int
    tools: tuple[str, ...] | None
    description: str
    prompt: str
    mode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything that the checks look at, read once."""

    texts: Mapping[str, tuple[str, bytes | None]]
    repository: Path
    home: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    contracts: Mapping[str, tuple[Contract, ...]] = field(default_factory=dict)
    settings: tuple[SettingsText, ...] = ()
    agents: tuple[AgentFile, ...] = ()

    def hooks(self) -> Iterator["HookEntry"]:
        """Yield every hook of every file that stands where the client looks for it."""
        for file in self.settings:
            for event in file.items("hooks"):
                for group in event.value.elements:
                    yield from _entries(file, str(event.key), group.value)


@dataclass(frozen=True, slots=True)
class HookEntry:
    """One hook in a settings file, with its event and matcher."""

    file: SettingsText
    event: str
    group: Value
    value: Value

    @property
    def data(self) -> Mapping[str, Any]:
        """The hook as it stands there; empty where it is no object."""
        return self.value.data if isinstance(self.value.data, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Spot:
    """What a check has found: where, what, what to do; a level where it is not the check's own."""

    file: str
    line: int
    what: str
    fix: str
    level: Level | None = None


Find = Callable[[Inputs], Iterable[Spot]]
"""One check: from what was read to what is wrong with it."""


def read_inputs(
    texts: Mapping[str, tuple[str, bytes | None]],
    repository: Path,
    home: Path,
    environ: Mapping[str, str],
    contracts: Mapping[str, tuple[Contract, ...]],
) -> Inputs:
    """Read what is to be audited; ``texts`` are the settings of every scope, ``None`` for none."""
    settings = [
        found for scope, (name, data) in texts.items() if (found := _settings(scope, name, data))
    ]
    theirs = _agents(agent_files(repository))
    taken = {agent.name for agent in theirs}
    # The client takes a repository's agent before one of the user's that has the same name.
    own = [each for each in _agents(own_agent_files(home, environ)) if each.name not in taken]
    return Inputs(
        texts=texts, repository=repository, home=home, environ=environ, contracts=contracts,
        settings=tuple(settings), agents=(*theirs, *own),
    )  # fmt: skip


def agent_files(repository: Path) -> list[Path]:
    """Return the files that declare subagents of a repository."""
    return _files_in(repository / AGENTS)


def own_agent_files(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return the files that declare the user's own subagents."""
    base = environ.get("CLAUDE_CONFIG_DIR", "")
    return _files_in(Path(base if base.startswith("/") else home / ".claude", "agents"))


def _files_in(base: Path) -> list[Path]:
    found: list[Path] = []
    for folder, folders, names in os.walk(base):
        folders.sort()
        found += [Path(folder, name) for name in sorted(names) if name.endswith(".md")]
    return found[:_MOST_AGENTS]


def _settings(scope: str, name: str, data: bytes | None) -> SettingsText | None:
    # What cannot be read is a finding of its own (claude_findings).
    try:
        text = (data or b"").decode()
        root = json_splice.parse(text) if text.strip() else None
    except (UnicodeDecodeError, JSONDecodeError):
        return None
    return SettingsText(name, scope, text, root) if root and isinstance(root.data, dict) else None


def _agents(paths: Iterable[Path]) -> list[AgentFile]:
    return [agent for path in paths if (agent := _agent(path)) is not None]


def _agent(path: Path) -> AgentFile | None:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    head, prompt, line = _frontmatter(text)
    name = head.get("name")
    if not isinstance(name, str) or not name:
        return None  # The client takes no notice of it either.
    given = head.get("tools")
    tools = _listed(given) if given is not None else None
    described, mode = str(head.get("description") or ""), str(head.get("permissionMode") or "")
    return AgentFile(name, str(path), line, tools, described, prompt, mode)


def _frontmatter(text: str) -> tuple[Mapping[str, Any], str, int]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        return {}, text, 1
    ends = (number for number, line in enumerate(lines[1:], 1) if line.strip() == "---")
    end = next(ends, len(lines))
    try:
        head = yaml.load("\n".join(lines[1:end]), Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, RecursionError, ValueError):
        head = None
    named = (n for n, line in enumerate(lines[:end], 1) if line.startswith("name:"))
    return head if isinstance(head, dict) else {}, "\n".join(lines[end + 1 :]), next(named, 1)


def _listed(value: object) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value
    return tuple(str(word).strip() for word in words) if isinstance(words, list) else ()


def _entries(file: SettingsText, event: str, group: Value) -> Iterator[HookEntry]:
    hooks = group.member("hooks")
    for entry in hooks.value.elements if hooks else ():
        yield HookEntry(file, event, group, entry.value)
