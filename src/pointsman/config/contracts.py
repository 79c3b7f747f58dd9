"""The contracts of a repository's agents, in both dialects.

They stand in the frontmatter of ``.claude/agents/**/*.md`` and in ``.pointsman/contracts/``. A
declaration that cannot be read is never "no contract": the agent's edits are denied until it is
mended.
"""

import json
import os
import tomllib
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pointsman.model.contract import ALLOW_ALL, Contract, Requirement
from pointsman.model.policy import Problem
from pointsman.paths.globs import check

AGENTS = ".claude/agents"
CONTRACTS = ".pointsman/contracts"
_MOST_BYTES = 256 * 1024
_MOST_FILES = 2000
_OUTPUTS = frozenset({"allowed_modifications", "forbidden_patterns"})
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Contracts:
    """What was found: by agent, what is wrong, and every file that was read."""

    by_agent: dict[str, tuple[Contract, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def load_contracts(root: Path) -> Contracts:
    """Read all contracts of a repository; everything that is wrong is found in one go."""
    found = Contracts()
    for path in _files(root):
        found.files.append(str(path))
        reading = _Reading(path, root)
        for contract in reading.contracts():
            found.by_agent[contract.agent] = (
                *found.by_agent.get(contract.agent, ()), contract,
            )  # fmt: skip
        found.problems.extend(reading.problems)
    return found


def fingerprint(root: Path) -> Hashable:
    """Return what changes when a contract file is added, removed or edited; some stats, no read."""
    return tuple(_stat(path) for path in (root / AGENTS, root / CONTRACTS, *_files(root)))


def _stat(path: Path) -> Hashable:
    try:
        found = path.stat()
    except OSError:
        return (str(path),)
    return (str(path), found.st_mtime_ns, found.st_size, found.st_ino)


def _files(root: Path) -> Iterator[Path]:
    count = 0
    for base in (root / AGENTS, root / CONTRACTS):
        for folder, folders, names in os.walk(base):
            folders.sort()
            for name in sorted(names):
                if Path(name).suffix in _READERS and count < _MOST_FILES:
                    count += 1
                    yield Path(folder, name)


class _Reading:
    """One file: what it declares, and everything that is wrong with it."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        self.problems: list[Problem] = []
        self._text = ""

    def contracts(self) -> list[Contract]:
        """Return the contracts that this file declares: none, one, or one for each dialect."""
        declared = self._read()
        if declared is None:
            return [self._contract(self.path.stem, {})] if self.problems else []
        name = declared.get("agent", declared.get("name", self.path.stem))
        agent = name if isinstance(name, str) and name else self.path.stem
        contracts = [
            self._contract(agent, values)
            for body in self._bodies(declared)
            for values in self._dialects(body)
        ]
        if declared.get("readOnly") is True:
            contracts.append(self._contract(agent, {"read_only": True}))
        if self.problems:
            return [self._contract(agent, {})]
        return contracts

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
            if not self.path.resolve().is_relative_to(self.root.resolve()):
                self._wrong(
                    "", self.path.resolve(), "it is a link out of the repository", "copy it in"
                )
                return None
            if self.path.stat().st_size > _MOST_BYTES:
                self._wrong("", "", f"it is larger than {_MOST_BYTES} bytes", "shorten it")
                return None
            self._text = self.path.read_text(encoding="utf-8")
            declared = _READERS[self.path.suffix](self._text)
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
        for key in sorted(set(map(str, outputs)) - _OUTPUTS):
            names = " or ".join(sorted(_OUTPUTS))
            self._wrong(f"outputs.{key}", outputs.get(key), "it is not known", f"write {names}")
        allowed: tuple[str, ...] = ALLOW_ALL
        if "allowed_modifications" in outputs:
            allowed = self._globs("allowed_modifications", outputs["allowed_modifications"])
        forbidden = self._globs("forbidden_patterns", outputs.get("forbidden_patterns", []))
        return {"allowed": allowed, "forbidden": forbidden, "requires": _inputs(inputs)}

    def _produces(self, produces: Any, requires: Any) -> Mapping[str, Any]:
        if not isinstance(produces, Mapping):
            self._wrong("produces", produces, "it is no mapping", "write files: {scope: …} in it")
            return {}
        allowed: tuple[str, ...] = ()
        forbidden: tuple[str, ...] = ()
        for part in ("files", "tests"):
            entry = produces.get(part)
            if entry is None:
                continue
            if not isinstance(entry, Mapping):
                self._wrong(f"produces.{part}", entry, "it is no mapping", "write scope: … in it")
                continue
            if "scope" in entry:
                allowed += self._globs("scope", entry["scope"])
            forbidden += self._globs("exclude", entry.get("exclude", []))
        return {
            "allowed": allowed or ALLOW_ALL,
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
        text = repr(value)
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
        last = key.rpartition(".")[2]
        for number, line in enumerate(self._text.splitlines(), 1):
            if last and line.strip(" -\"'").startswith(last):
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


def _yaml(text: str) -> Any:
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
