"""The contracts of a repository's agents, in both dialects.

They stand in the frontmatter of ``.claude/agents/**/*.md`` and in ``.pointsman/contracts/``, and
in that of the user's own agents, which work in every repository. A declaration that cannot be read
is never "no contract": the agent's edits are denied until it is mended.
"""

import hashlib
import os
import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.config.agent_cards import CARD_KEYS, card
from pointsman.config.contract_dialects import Dialects
from pointsman.config.contract_text import (
    READERS,
    UNREADABLE,
    frontmatter_text,
    line_of,
    line_of_key,
)
from pointsman.model.contract import EVERY_AGENT, AgentCard, Contract
from pointsman.model.expertise import is_sheet
from pointsman.model.policy import Problem
from pointsman.paths.content import read_regular

AGENTS = ".claude/agents"
CONTRACTS = ".pointsman/contracts"
_MOST_BYTES = 256 * 1024
_MOST_FILES = 2000
_MOST_TOTAL = 8 * 1024 * 1024
_MOST_NAMES = 20
_NAME = re.compile(
    r"""^[\s{,]*["']?(?:agent|name)["']?\s*[:=]\s*["']?([^"',}\s][^"',}\n]*)""", re.MULTILINE
)
_SUFFIXES = ", ".join(READERS)


@dataclass(slots=True)
class Contracts:
    """What was found: by agent, what is wrong, and every file that was read."""

    by_agent: dict[str, tuple[Contract, ...]] = field(default_factory=dict)
    cards: dict[str, tuple[AgentCard, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def without(self, names: set[str]) -> "Contracts":
        """Return the same without what is said of these agents."""
        return Contracts(
            {name: found for name, found in self.by_agent.items() if name not in names},
            {name: found for name, found in self.cards.items() if name not in names},
            self.problems,
            self.files,
        )

    def add(self, more: "Contracts") -> None:
        """Take in what was found elsewhere; an agent is held to both."""
        for agent, contracts in more.by_agent.items():
            self.by_agent[agent] = (*self.by_agent.get(agent, ()), *contracts)
        for agent, cards in more.cards.items():
            self.cards[agent] = (*self.cards.get(agent, ()), *cards)
        self.problems += more.problems
        self.files += more.files


def load_contracts(root: Path) -> Contracts:
    """Read all contracts of a repository; everything that is wrong is found in one go."""
    return _load(root, _bases(root))


def load_own(agents: Path, root: Path) -> Contracts:
    """Read the contracts of the user's own agents, as they bind in this repository.

    The host takes a repository's agent before one of the user's that has the same name.
    """
    if os.path.realpath(agents) == os.path.realpath(root / AGENTS):
        return Contracts()  # The home directory is the repository.
    return _load(root, (_Base(agents, agents=True),))


def named_in_agents(found: Contracts, root: Path) -> set[str]:
    """Return the names of the agents that a repository has files of."""
    folder = f"{root / AGENTS}/"
    cards = (card.name for several in found.cards.values() for card in several
             if card.source.startswith(folder))  # fmt: skip
    broken = (each.agent for several in found.by_agent.values() for each in several
              if each.source.startswith(folder))  # fmt: skip
    return {*cards, *broken} - {EVERY_AGENT}


@dataclass(frozen=True, slots=True)
class _Base:
    """A folder of declarations: of ``agents``, or our own, where every file is meant as one.

    ``within`` is what no link in it may lead out of.
    """

    folder: Path
    agents: bool = False
    within: Path | None = None


def _bases(root: Path) -> tuple[_Base, ...]:
    return _Base(root / CONTRACTS, within=root), _Base(root / AGENTS, agents=True, within=root)


def _load(root: Path, bases: tuple[_Base, ...]) -> Contracts:
    found = Contracts()
    total = 0
    for path, base in _files(bases):
        found.files.append(str(path))
        reading = _Reading(path, root, total, base)
        for contract in reading.contracts():
            found.by_agent[contract.agent] = (
                *found.by_agent.get(contract.agent, ()), contract,
            )  # fmt: skip
        for each in reading.cards:
            found.cards[each.name] = (*found.cards.get(each.name, ()), each)
        found.problems.extend(reading.problems)
        total = reading.total
    for path, message, fix in _unread(bases):
        problem = Problem(
            file=str(path), line=1, key="file", value=path.name, message=message, fix=fix
        )
        found.problems.append(problem)
        broken = Contract(
            agent=EVERY_AGENT, source=str(path), root=str(root), problems=(str(problem),)
        )
        found.by_agent[EVERY_AGENT] = (*found.by_agent.get(EVERY_AGENT, ()), broken)
    return found


def watched(root: Path) -> list[str]:
    """Return the files and folders of which one changes when a contract does or a new one comes."""
    return _watched(_bases(root))


def watched_own(agents: Path) -> list[str]:
    """Return the same for the user's own agents."""
    return _watched((_Base(agents, agents=True),))


def _watched(bases: tuple[_Base, ...]) -> list[str]:
    named = [str(base.folder) for base in bases]
    folders = [folder for base in named for folder, _, _ in os.walk(base)]
    # The bases also where they are missing: that one comes is a change.
    return [*named, *folders, *(str(path) for path, _ in _files(bases))]


def _files(bases: tuple[_Base, ...]) -> Iterator[tuple[Path, _Base]]:
    count = 0
    for base in bases:
        for folder, folders, names in os.walk(base.folder):
            # In place: os.walk goes on in this order, so that the cap always cuts at the same file.
            folders.sort()
            for name in sorted(names):
                if base.agents and is_sheet(f"{folder}/{name}"):
                    continue  # What is known of a domain declares nothing of an agent.
                if Path(name).suffix.lower() in READERS and count < _MOST_FILES:
                    count += 1
                    yield Path(folder, name), base


def _unread(bases: tuple[_Base, ...]) -> Iterator[tuple[Path, str, str]]:
    """Yield what is meant as a declaration and is not read: where, why, what to do."""
    failed: list[OSError] = []
    count = 0
    for base in bases:
        if base.folder.exists() and not base.folder.is_dir():
            yield base.folder, "it is no directory", f"mkdir {base.folder}"
        for folder, _, names in os.walk(base.folder, onerror=failed.append):
            count += sum(Path(name).suffix.lower() in READERS for name in names)
            for name in sorted(names):
                if (
                    # Among the agents other files may lie; in our own folder each is meant.
                    not base.agents and name[0] != "." and Path(name).suffix.lower() not in READERS
                ):
                    yield Path(folder, name), "no contract has this suffix", f"use {_SUFFIXES}"
    for error in failed:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            path = Path(str(error.filename))
            yield path, f"it cannot be read: {error.strerror}", f"ls -ld {path}"
    if count > _MOST_FILES:
        yield bases[-1].folder, f"there are more than {_MOST_FILES} files", "have fewer"


class _Reading:
    """One file: what it declares, and everything that is wrong with it."""

    def __init__(self, path: Path, root: Path, total: int, base: _Base) -> None:
        self.path = path
        self._base = base
        self.root = root
        self.total = total
        self.problems: list[Problem] = []
        self.cards: list[AgentCard] = []
        self._text = ""

    def contracts(self) -> list[Contract]:
        """Return the contracts that this file declares: none, one, or one for each dialect.

        A file with a mistake binds everybody whom it may be about, and denies.
        """
        declared = self._read()
        agent = self._agent(declared or {})
        values = list(Dialects(self._wrong).contracts(declared)) if declared else []
        if declared and (self._base.agents or any(key in declared for key in CARD_KEYS)):
            self.cards.append(card(agent, str(self.path), declared, self._wrong))
        if not self.problems:
            return [self._contract(agent, each) for each in values]
        named = [name.strip() for name in _NAME.findall(self._text)[:_MOST_NAMES]]
        whom = {self.path.stem, agent, *named} if self._text else {EVERY_AGENT}
        return [self._contract(name, {}) for name in sorted(whom)]

    def _agent(self, declared: Mapping[str, Any]) -> str:
        key = "agent" if "agent" in declared else "name"
        name = declared.get(key, self.path.stem)
        if isinstance(name, str) and name.strip():
            return name.strip()
        self._wrong(key, name, "it is no name", "write the agent's name, in quotes if need be")
        return self.path.stem

    def _contract(self, agent: str, values: Mapping[str, Any]) -> Contract:
        return Contract(
            agent=agent,
            source=str(self.path),
            root=str(self.root),
            digest=self._digest(),
            problems=tuple(str(problem) for problem in self.problems),
            **values,
        )

    def _digest(self) -> str:
        """Return the hash of the declaration: of the frontmatter only, where there is one."""
        declared: str | None = self._text
        if self.path.suffix.lower() == ".md" and not self.problems:
            declared = frontmatter_text(self._text)
        return hashlib.sha256((declared or "").encode("utf-8", "replace")).hexdigest()

    def _read(self) -> Mapping[str, Any] | None:
        try:
            # Read past the cap, and kept: the names in a file that is refused say whom it binds.
            data = read_regular(str(self.path), 16 * _MOST_BYTES)
            self.total += len(data)
            self._text = data.decode("utf-8", "replace")
            within = self._base.within
            # Whoever keeps their own agents elsewhere links them in; a repository brings nobody's.
            if within and not self.path.resolve().is_relative_to(within.resolve()):
                self._wrong(
                    "", self.path.resolve(), "it is a link out of the repository", "copy it in"
                )
                return None
            if len(data) > _MOST_BYTES:
                self._wrong("", "", f"it is larger than {_MOST_BYTES} bytes", "shorten it")
                return None
            if self.total > _MOST_TOTAL:
                self._wrong("", "", f"all together are more than {_MOST_TOTAL} bytes", "have less")
                return None
            self._text = data.decode("utf-8")
            declared = READERS[self.path.suffix.lower()](self._text)
        except (OSError, RuntimeError) as error:
            self._wrong("", "", f"it cannot be read: {error}", "check its permissions")
        except UNREADABLE as error:
            self._wrong("", "", f"it cannot be parsed: {error}", "mend its syntax", line_of(error))
        else:
            if declared is None or isinstance(declared, Mapping):
                return declared
            self._wrong("", type(declared).__name__, "it is no mapping", "write key: value lines")
        return None

    def _wrong(self, key: str, value: Any, message: str, fix: str, line: int = 0) -> None:
        # An alias bomb is small in memory and endless in print.
        text = reprlib.repr(value)
        self.problems.append(
            Problem(
                file=str(self.path),
                line=line or line_of_key(self._text, key),
                key=key or "file",
                value=text if len(text) <= 120 else text[:119] + "…",
                message=message,
                fix=fix,
            )
        )
