"""The contracts of a repository's agents, in both dialects.

They stand in the frontmatter of ``.claude/agents/**/*.md`` and in ``.pointsman/contracts/``. A
declaration that cannot be read is never "no contract": the agent's edits are denied until it is
mended.
"""

import difflib
import json
import os
import re
import reprlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pointsman.model.contract import ALLOW_ALL, EVERY_AGENT, Contract, Requirement
from pointsman.model.policy import Problem
from pointsman.paths.content import read_regular
from pointsman.paths.globs import check

AGENTS = ".claude/agents"
CONTRACTS = ".pointsman/contracts"
_MOST_BYTES = 256 * 1024
_MOST_FILES = 2000
_MOST_TOTAL = 8 * 1024 * 1024
_MOST_DEPTH = 64
_MOST_NAMES = 20
_OUTPUTS = frozenset({"allowed_modifications", "forbidden_patterns"})
_PRODUCES = frozenset({"files", "tests", "memory"})
_PARTS = {
    "files": frozenset({"scope", "exclude"}),
    "tests": frozenset({"scope", "exclude", "colocated", "requiresTests"}),
}
_BODY = frozenset(
    {"inputs", "outputs", "requires", "produces", "contextSource", "validation", "readOnly"}
)
_MEANT = ("outputs", "produces", "contextContract", "readOnly", "contract")
"""Keys that bind an agent: one that is nearly one of them is a mistake, not a remark."""
_NAME = re.compile(
    r"""^[\s{,]*["']?(?:agent|name)["']?\s*[:=]\s*["']?([^"',}\s][^"',}\n]*)""", re.MULTILINE
)
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Contracts:
    """What was found: by agent, what is wrong, and every file that was read."""

    by_agent: dict[str, tuple[Contract, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def add(self, more: "Contracts") -> None:
        """Take in what was found elsewhere; an agent is held to both."""
        for agent, contracts in more.by_agent.items():
            self.by_agent[agent] = (*self.by_agent.get(agent, ()), *contracts)
        self.problems += more.problems
        self.files += more.files


def load_contracts(root: Path) -> Contracts:
    """Read all contracts of a repository; everything that is wrong is found in one go."""
    found = Contracts()
    total = 0
    for path in _files(root):
        found.files.append(str(path))
        reading = _Reading(path, root, total)
        for contract in reading.contracts():
            found.by_agent[contract.agent] = (
                *found.by_agent.get(contract.agent, ()), contract,
            )  # fmt: skip
        found.problems.extend(reading.problems)
        total = reading.total
    for path, message, fix in _unread(root):
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
    bases = [str(root / CONTRACTS), str(root / AGENTS)]
    folders = [folder for base in bases for folder, _, _ in os.walk(base)]
    # The bases also where they are missing: that one comes is a change.
    return [*bases, *folders, *map(str, _files(root))]


def _files(root: Path) -> Iterator[Path]:
    count = 0
    for base in (root / CONTRACTS, root / AGENTS):
        for folder, folders, names in os.walk(base):
            # In place: os.walk goes on in this order, so that the cap always cuts at the same file.
            folders.sort()
            for name in sorted(names):
                if Path(name).suffix.lower() in _READERS and count < _MOST_FILES:
                    count += 1
                    yield Path(folder, name)


def _unread(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield what is meant as a declaration and is not read: where, why, what to do."""
    failed: list[OSError] = []
    count = 0
    for base in (root / CONTRACTS, root / AGENTS):
        if base.exists() and not base.is_dir():
            yield base, "it is no directory", f"mkdir {base}"
        for folder, _, names in os.walk(base, onerror=failed.append):
            count += sum(Path(name).suffix.lower() in _READERS for name in names)
            for name in sorted(names):
                if (
                    # Among the agents other files may lie; in our own folder each is meant.
                    base.name == "contracts"
                    and name[0] != "."
                    and Path(name).suffix.lower() not in _READERS
                ):
                    yield Path(folder, name), "no contract has this suffix", f"use {_SUFFIXES}"
    for error in failed:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            path = Path(str(error.filename))
            yield path, f"it cannot be read: {error.strerror}", f"ls -ld {path}"
    if count > _MOST_FILES:
        yield root / AGENTS, f"there are more than {_MOST_FILES} files", "have fewer"


class _Reading:
    """One file: what it declares, and everything that is wrong with it."""

    def __init__(self, path: Path, root: Path, total: int) -> None:
        self.path = path
        self.root = root
        self.total = total
        self.problems: list[Problem] = []
        self._text = ""

    def contracts(self) -> list[Contract]:
        """Return the contracts that this file declares: none, one, or one for each dialect.

        A file with a mistake binds everybody whom it may be about, and denies.
        """
        declared = self._read()
        agent = self._agent(declared or {})
        contracts = list(self._declared(agent, declared)) if declared else []
        if not self.problems:
            return contracts
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

    def _declared(self, agent: str, declared: Mapping[str, Any]) -> Iterator[Contract]:
        for key in map(str, declared):
            self._check_meant(key, declared)
        for body in self._bodies(declared):
            for values in self._dialects(body):
                yield self._contract(agent, values)
            if self._is_read_only(body):
                yield self._contract(agent, {"read_only": True})
        if self._is_read_only(declared):
            yield self._contract(agent, {"read_only": True})

    def _check_meant(self, key: str, declared: Mapping[str, Any]) -> None:
        if key in _MEANT:
            return
        plain = {_bare(known): known for known in _MEANT}
        close = difflib.get_close_matches(_bare(key), plain, n=1, cutoff=0.85)
        if close:
            fix = f"write {plain[close[0]]}"
            self._wrong(key, declared.get(key), "it is not known", fix)

    def _is_read_only(self, body: Mapping[str, Any]) -> bool:
        value = body.get("readOnly", False)
        if not isinstance(value, bool):
            self._wrong("readOnly", value, "it is neither true nor false", "write true or false")
        return value is True

    def _contract(self, agent: str, values: Mapping[str, Any]) -> Contract:
        return Contract(
            agent=agent,
            source=str(self.path),
            root=str(self.root),
            problems=tuple(str(problem) for problem in self.problems),
            **values,
        )

    def _read(self) -> Mapping[str, Any] | None:
        try:
            # Read past the cap, and kept: the names in a file that is refused say whom it binds.
            data = read_regular(str(self.path), 16 * _MOST_BYTES)
            self.total += len(data)
            self._text = data.decode("utf-8", "replace")
            if not self.path.resolve().is_relative_to(self.root.resolve()):
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
            declared = _READERS[self.path.suffix.lower()](self._text)
        except (OSError, RuntimeError) as error:
            self._wrong("", "", f"it cannot be read: {error}", "check its permissions")
        except (ValueError, yaml.YAMLError, RecursionError) as error:
            self._wrong("", "", f"it cannot be parsed: {error}", "mend its syntax", _line_of(error))
        else:
            if declared is None or isinstance(declared, Mapping):
                return declared
            self._wrong("", type(declared).__name__, "it is no mapping", "write key: value lines")
        return None

    def _bodies(self, declared: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        bodies = []
        for key in ("contextContract", "contract"):
            if key not in declared:
                continue
            if isinstance(declared[key], Mapping):
                bodies.append(declared[key])
                self._check_keys(key, declared[key], _BODY)
            else:
                self._wrong(key, declared[key], "it is no mapping", "see docs/contracts.md")
        if "outputs" in declared or "produces" in declared:
            bodies.append(declared)
        return bodies

    def _dialects(self, body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        if "outputs" in body:
            yield self._outputs(body["outputs"], body.get("inputs"))
        if "produces" in body:
            yield self._produces(body["produces"], body.get("requires"))

    def _outputs(self, outputs: Any, inputs: Any) -> Mapping[str, Any]:
        if not isinstance(outputs, Mapping):
            self._wrong("outputs", outputs, "it is no mapping", "list allowed_modifications in it")
            return {}
        self._check_keys("outputs", outputs, _OUTPUTS)
        # The very object: the guard tells it from a written `**` by identity.
        allowed: tuple[str, ...] = ALLOW_ALL
        if "allowed_modifications" in outputs:
            allowed = self._globs("allowed_modifications", outputs["allowed_modifications"])
        forbidden = self._globs("forbidden_patterns", outputs.get("forbidden_patterns", []))
        return {"allowed": allowed, "forbidden": forbidden, "requires": _inputs(inputs)}

    def _check_keys(self, name: str, value: Mapping[str, Any], known: frozenset[str]) -> None:
        for key in sorted(set(map(str, value)) - known):
            fix = f"write {' or '.join(sorted(known))}"
            self._wrong(f"{name}.{key}", value.get(key), "it is not known", fix)

    def _produces(self, produces: Any, requires: Any) -> Mapping[str, Any]:
        if not isinstance(produces, Mapping):
            self._wrong("produces", produces, "it is no mapping", "write files: {scope: …} in it")
            return {}
        self._check_keys("produces", produces, _PRODUCES)
        allowed: tuple[str, ...] | None = None
        forbidden: tuple[str, ...] = ()
        for part, known in _PARTS.items():
            entry = produces.get(part)
            if entry is None:
                continue
            if not isinstance(entry, Mapping):
                self._wrong(f"produces.{part}", entry, "it is no mapping", "write scope: … in it")
                continue
            self._check_keys(f"produces.{part}", entry, known)
            if "scope" in entry:
                allowed = (allowed or ()) + self._globs("scope", entry["scope"])
            forbidden += self._globs("exclude", entry.get("exclude", []))
        return {
            "allowed": ALLOW_ALL if allowed is None else allowed,
            "forbidden": forbidden,
            "requires": _requires(requires),
        }

    def _globs(self, key: str, value: Any) -> tuple[str, ...]:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            self._wrong(key, value, "it is no list of globs", 'write a list such as ["src/**"]')
            return ()
        for pattern in listed:
            problem = check(pattern)
            if problem:
                self._wrong(key, pattern, problem, "mend the glob")
        return tuple(listed)

    def _wrong(self, key: str, value: Any, message: str, fix: str, line: int = 0) -> None:
        # An alias bomb is small in memory and endless in print.
        text = reprlib.repr(value)
        self.problems.append(
            Problem(
                file=str(self.path),
                line=line or self._line(key),
                key=key or "file",
                value=text if len(text) <= 120 else text[:119] + "…",
                message=message,
                fix=fix,
            )
        )

    def _line(self, key: str) -> int:
        for part in reversed(key.split(".")):
            found = re.compile(rf"""(^|[\s{{,"'-]){re.escape(part)}["']?\s*[:=\]]""")
            for number, line in enumerate(self._text.splitlines(), 1):
                if part and found.search(line):
                    return number
        return 1


def _inputs(inputs: Any) -> tuple[Requirement, ...]:
    if not isinstance(inputs, Mapping):
        return ()
    return tuple(
        Requirement(
            type=str(entry.get("type", "")),
            key=str(key),
            required=entry.get("required", False) is True,
        )
        for key, entry in inputs.items()
        if isinstance(entry, Mapping)
    )


def _requires(requires: Any) -> tuple[Requirement, ...]:
    if not isinstance(requires, list):
        return ()
    return tuple(
        Requirement(
            type=str(entry.get("type", "")),
            key=str(entry.get("key", "")),
            path=str(entry.get("path", "")),
            required=entry.get("required", True) is not False,
        )
        for entry in requires
        if isinstance(entry, Mapping)
    )


def _bare(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()


def _yaml(text: str) -> Any:
    """Parse YAML, having made sure of its depth: the C loader recurses without a limit."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_DEPTH:
            raise ValueError(f"it is nested more than {_MOST_DEPTH} deep")
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - the safe loader, in C where there is one


def _frontmatter(text: str) -> Any:
    """Return the YAML between the first two lines of dashes, ``None`` where there is none."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        return None
    for number, line in enumerate(lines[1:], 1):
        if line.strip() in {"---", "..."}:
            # The first line counts too, so that the parser's line numbers are the file's.
            return _yaml("\n" + "\n".join(lines[1:number]))
    raise ValueError("its frontmatter has no closing line of dashes")


def _line_of(error: Exception) -> int:
    mark = getattr(error, "problem_mark", None)
    return int(mark.line) + 1 if mark is not None else 0


_READERS: dict[str, Callable[[str], Any]] = {
    ".md": _frontmatter,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": json.loads,
    ".toml": tomllib.loads,
}
_SUFFIXES = ", ".join(_READERS)
