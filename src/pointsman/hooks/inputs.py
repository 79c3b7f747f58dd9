"""What an agent needs before it starts: is it there, and if not, how is it given.

A file is there when it is (a path of the contract, or one that the prompt names); a variable is
there when it is set; a prompt when it says something. Of a memory nothing can be known here: that
is said and not guessed.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.hooks.prompt_values import given, value_fault
from pointsman.model.contract import VALUES, Contract, PreSpawn, Requirement
from pointsman.paths.globs import Globs, check
from pointsman.paths.overlap import is_glob

_MOST_PROMPT = 256 * 1024
_MOST_WORDS = 5000
_MOST_FILES = 5000
_WORD = re.compile(r"""[^\s"'`<>|,;()\[\]]+""")
_DOCUMENTS = (".md", ".mdx", ".txt", ".rst", ".adoc", ".json", ".yaml", ".yml", ".toml", ".org")
_SPEC = "specfile"
"""What is called so is a document, not any file, whichever dialect asks for it."""
_UNKNOWN = frozenset({"memory", "context"})
"""Kinds of which nothing can be known from here."""


@dataclass(slots=True)
class Findings:
    """What is missing, each with how to give it, and what nobody can say."""

    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Inputs:
    """What a start brings with it: the prompt, the files of the repository, the variables."""

    prompt: str
    root: str
    cwd: str
    variables: frozenset[str]
    _named: list[str] | None = None

    def check(self, contracts: Sequence[Contract]) -> Findings:
        """Return what these contracts need and do not get."""
        found = Findings()
        for contract in contracts:
            for need in contract.requires:
                self._need(need, found)
            for each in contract.pre_spawn:
                self._pre_spawn(each, found)
        found.missing[:] = dict.fromkeys(found.missing)
        found.unknown[:] = dict.fromkeys(found.unknown)
        return found

    def _need(self, need: Requirement, found: Findings) -> None:
        if not need.required:
            return
        if need.type in _UNKNOWN or (need.type == "inbox" and not need.path):
            scope = f" ({need.scope})" if need.scope else ""
            found.unknown.append(f"{need.type} {need.key!r}{scope}")
        elif need.type in VALUES:
            fault = value_fault(self._prompt(), need.key, need.type)
            if fault:
                found.missing.append(f"{need.type} {need.key!r}: {fault}")
        elif need.type == "env":
            found.missing += self._variable(need.key)
        elif need.type == "prompt":
            if not self.prompt.strip():
                found.missing.append(f"prompt {need.key!r}: it is empty; say what is to be done")
        elif need.path:
            found.missing += self._file(need.path, f"{need.type} {need.key!r}")
        else:
            found.missing += self._named_file(need)

    def _pre_spawn(self, each: PreSpawn, found: Findings) -> None:
        if each.check == "memory_available":
            found.unknown.append(f"memory {each.target!r}" if each.target else "memory")
        elif not each.target:
            found.unknown.append(f"{each.check} without a target")
        elif each.check == "env_set":
            found.missing += self._variable(each.target)
        else:
            found.missing += self._file(each.target, "file_exists")

    def _variable(self, name: str) -> Iterator[str]:
        if name not in self.variables:
            yield (
                f"env {name!r}: it is not set; write it under env in .claude/settings.local.json, "
                f"or export {name}=… before the client is started"
            )

    def _file(self, path: str, what: str) -> Iterator[str]:
        if is_glob(path) and not Path(self.root, path).exists():
            if not self._any(path):
                yield f"{what}: no file matches {path}; write one"
            return
        problem = _unusable(Path(self.root, path))
        if problem:
            yield f"{what}: {path} {problem}; write it first"

    def _named_file(self, need: Requirement) -> Iterator[str]:
        """Yield why the prompt does not name a file for this, once each: a file is used up."""
        named = next(given(self._prompt(), (need.key, need.type)), "")
        path = re.split(r"[\s\"'`,;]", named.lstrip("@[("), maxsplit=1)[0].rstrip(").]")
        if path:
            problem = self._fault(path)
            if problem:
                yield f"{need.type} {need.key!r}: {path} {problem}; name one that is there"
            return
        documents = _SPEC in {_bare(need.type), _bare(need.key)}
        for path in self._paths():
            if not documents or path.lower().endswith(_DOCUMENTS):
                self._paths().remove(path)
                return
        yield (
            f"{need.type} {need.key!r}: the prompt names no file that is there; "
            f"write {need.key}: path/of/the/file into it"
        )

    def _paths(self) -> list[str]:
        """Return the existing files that the prompt names, in order."""
        if self._named is None:
            words = dict.fromkeys(_WORD.findall(self._prompt())[:_MOST_WORDS])
            texts = (word.rstrip(".:!?*_").lstrip("*_@") for word in words)
            named = (word for word in texts if "/" in word or "." in word)
            self._named = [word for word in named if not self._fault(word)]
        return self._named

    def _fault(self, path: str) -> str:
        """Return why a path of the prompt is no file with something in it, or nothing."""
        named = os.path.expanduser(path)  # noqa: PTH111 - it stays a text
        faults = [_unusable(Path(base, named)) for base in dict.fromkeys((self.root, self.cwd))]
        # From the root first: what is said of it is what its reader expects.
        return "" if "" in faults else faults[0]

    def _prompt(self) -> str:
        return self.prompt[:_MOST_PROMPT]

    def _any(self, pattern: str) -> bool:
        """Whether a file of the repository matches; a tree past the cap counts as looked at."""
        if check(pattern):
            return False
        globs, count = Globs([pattern]), 0
        fixed = re.split(r"[*?\[{(]", pattern, maxsplit=1)[0].rpartition("/")[0]
        base = os.path.join(self.root, fixed)  # noqa: PTH118 - a pattern's part, maybe empty
        for folder, folders, names in os.walk(base):
            folders[:] = sorted(name for name in folders if name not in {".git", "node_modules"})
            for name in sorted(names):
                count += 1
                path = os.path.relpath(Path(folder, name), self.root)
                if globs.match(path) or globs.match_absolute(f"{self.root}/{path}"):
                    return True
                if count > _MOST_FILES:
                    return False
        return False


def _unusable(path: Path) -> str:
    """Return why a path is no file with something in it, or the empty string."""
    try:
        found = path.stat()
        if path.is_dir():
            return "" if any(path.iterdir()) else "is an empty directory"
    except (OSError, ValueError):
        return "is not there"
    return "" if found.st_size else "is empty"


def _bare(text: str) -> str:
    return text.replace("_", "").replace("-", "").lower()
