"""Code of a repository runs only after a person has looked at it and said so.

What is trusted is content: the hash of every file under ``.pointsman/hooks`` and of what the
repository's settings declare as hooks. A file that has changed since is untrusted again; where a
*guard* was trusted and is no longer what it was, or is gone, its calls are stopped until a person
has looked: otherwise an edit would be a way to switch it off.
"""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pointsman.model.errors import ConfigError
from pointsman.model.hook import Role
from pointsman.model.policy import DeclaredHook, Problem

HOOKS = ".pointsman/hooks"
UNTRUSTED = "not trusted: a person looks at it and types: pointsman trust"
_MOST_FILES = 1000
_MOST_BYTES = 4 * 1024 * 1024
_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class TrustState:
    """Whether a repository's code may run; ``changed`` names what is not what was trusted."""

    known: bool
    changed: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether all of it is what a person has looked at."""
        return self.known and not self.changed


@dataclass(slots=True)
class TrustStore:
    """The record of what was trusted, in a file of the state directory."""

    path: Path
    _hashes: dict[str, tuple[_Stamp, str]] = field(default_factory=dict)

    def state(self, repository: Path, hooks: Sequence[DeclaredHook]) -> TrustState:
        """Compare what is there with what was trusted."""
        entry = self._entry(repository)
        if entry is None:
            return TrustState(known=False)
        trusted: Mapping[str, str] = entry["files"]
        now = self._contents(repository, hooks)
        changed = {name for name in {*trusted, *now} if trusted.get(name) != now.get(name)}
        return TrustState(known=True, changed=tuple(sorted(changed)))

    def apply(self, repository: Path, hooks: Sequence[DeclaredHook]) -> list[DeclaredHook]:
        """Return the repository's hooks, with those that may not run marked so."""
        state = self.state(repository, hooks)
        if state.trusted:
            return list(hooks)
        if not state.known:
            return [replace(hook, skip=UNTRUSTED) for hook in hooks]
        reason = f"changed since it was trusted ({', '.join(state.changed[:5])})"
        marked = [replace(hook, skip=reason, tampered=True) for hook in hooks]
        return marked + list(self._missing(repository, hooks, reason))

    def trust(self, repository: Path, hooks: Sequence[DeclaredHook]) -> list[str]:
        """Put what is there on record as trusted; return the files."""
        contents = self._contents(repository, hooks)
        entries = self._load()
        entries[str(repository)] = {
            "files": contents,
            "hooks": [_summary(hook) for hook in hooks],
            "trusted_ns": time.time_ns(),
        }
        self._save(entries)
        return sorted(contents)

    def forget(self, repository: Path) -> bool:
        """Take a repository's trust back; return whether it had any."""
        entries = self._load()
        known = entries.pop(str(repository), None) is not None
        if known:
            self._save(entries)
        return known

    def problems(self) -> list[Problem]:
        """Return what is wrong with the file itself."""
        try:
            self._read()
        except ConfigError as error:
            text = str(error)
            return [
                Problem(
                    file=str(self.path), line=1, key="file", value="trust", message=text,
                    fix="pointsman trust, in each repository that you trust",
                )
            ]  # fmt: skip
        return []

    def _entry(self, repository: Path) -> Mapping[str, Any] | None:
        entry = self._load().get(str(repository))
        usable = isinstance(entry, dict) and isinstance(entry.get("files"), dict)
        return entry if usable else None

    def _missing(
        self, repository: Path, hooks: Iterable[DeclaredHook], reason: str
    ) -> Iterator[DeclaredHook]:
        entry = self._entry(repository) or {}
        present = {hook.name for hook in hooks}
        for was in entry.get("hooks", []):
            if was["role"] == Role.GUARD and was["name"] not in present:
                yield DeclaredHook(
                    name=was["name"],
                    role=Role.GUARD,
                    events=tuple(was["events"]),
                    tools=tuple(was["tools"]),
                    skip=reason,
                    tampered=True,
                )

    def _contents(self, repository: Path, hooks: Iterable[DeclaredHook]) -> dict[str, str]:
        files = {str(path) for path in _files(repository / HOOKS)}
        for hook in hooks:
            program = Path(hook.base, hook.command[0]) if hook.command else None
            if program is not None and program.is_file() and program.is_relative_to(repository):
                files.add(str(program))
        contents = {os.path.relpath(name, repository): self._hash(name) for name in sorted(files)}
        declared = [_declaration(hook) for hook in hooks if hook.command]
        if declared:
            text = json.dumps(declared, sort_keys=True, default=str)
            contents["config.toml [[hooks]]"] = hashlib.sha256(text.encode()).hexdigest()
        return contents

    def _hash(self, name: str) -> str:
        try:
            found = os.stat(name)  # noqa: PTH116 - for every hook file on every reload
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns)
            known = self._hashes.get(name)
            if known is not None and known[0] == stamp:
                return known[1]
            if found.st_size > _MOST_BYTES:
                return f"larger than {_MOST_BYTES} bytes"
            value = hashlib.sha256(Path(name).read_bytes()).hexdigest()
        except OSError as error:
            return f"unreadable: {error.strerror}"
        self._hashes[name] = (stamp, value)
        return value

    def _load(self) -> dict[str, Any]:
        try:
            return self._read()
        except ConfigError:
            return {}

    def _read(self) -> dict[str, Any]:
        try:
            value = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError(
                f"the trust store cannot be read, nothing is trusted: {error}"
            ) from error
        if not isinstance(value, dict):
            raise ConfigError("the trust store is no JSON object, nothing is trusted")
        return value

    def _save(self, entries: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self.problems():
                self.path.rename(f"{self.path}.corrupt-{time.time_ns()}")
        with tempfile.NamedTemporaryFile("w", dir=self.path.parent, delete=False) as file:
            json.dump(entries, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).rename(self.path)


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            count += 1
            if count > _MOST_FILES:
                return
            yield Path(parent, name)


def _summary(hook: DeclaredHook) -> dict[str, Any]:
    return {
        "name": hook.name,
        "role": hook.role.value,
        "events": list(hook.events),
        "tools": list(hook.tools),
    }


def _declaration(hook: DeclaredHook) -> dict[str, Any]:
    return {
        **_summary(hook),
        "command": list(hook.command),
        "budget": hook.budget,
        "settings": dict(hook.settings),
    }
