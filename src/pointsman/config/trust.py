"""Code of a repository runs only after a person has looked at it and said so.

What is trusted is content: the hash of every file under ``.pointsman/hooks`` and of what the
repository's settings declare as hooks, with the scripts that these name. A file that has changed
since is untrusted again; where a *guard* was trusted and something of what was trusted is no
longer what it was, or is gone, its calls are stopped until a person has looked: otherwise an edit
would be a way to switch it off. What was added since is not run, and stops nothing.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pointsman.config.sources import UNSURE, Sources, named_files, python_sources
from pointsman.model.errors import ConfigError
from pointsman.model.hook import Role
from pointsman.model.policy import DeclaredHook, Problem
from pointsman.paths.content import read_regular

HOOKS = ".pointsman/hooks"
UNTRUSTED = "not trusted: a person looks at it and types: pointsman trust"
_MOST_STORE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TrustState:
    """Whether a repository's code may run.

    ``changed`` names what is not what was trusted, ``added`` what nobody has looked at.
    """

    known: bool
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether all of it is what a person has looked at."""
        return self.known and not self.changed and not self.added


@dataclass(slots=True)
class TrustStore:
    """The record of what was trusted, in a file of the state directory."""

    path: Path
    sources: Sources = field(default_factory=Sources)

    def state(self, repository: Path, hooks: Sequence[DeclaredHook]) -> TrustState:
        """Compare what is there with what was trusted."""
        entry = self._entry(repository)
        if entry is None:
            return TrustState(known=False)
        return _compare(entry["files"], self._contents(repository, hooks))

    def apply(self, repository: Path, hooks: Sequence[DeclaredHook]) -> list[DeclaredHook]:
        """Return the repository's hooks, with those that may not run marked so."""
        for problem in self.problems():
            reason = f"{problem.file}: {problem.message}. A person types: pointsman trust"
            # Broken, not skipped: a record that cannot be read must not switch guards off.
            return [replace(hook, broken=reason) for hook in hooks]
        entry = self._entry(repository)
        if entry is None:
            # Not broken either: what nobody has looked at must not be able to stop anything.
            return [replace(hook, skip=UNTRUSTED, broken="") for hook in hooks]
        now = self._contents(repository, hooks)
        state = _compare(entry["files"], now)
        if state.changed:
            reason = f"changed since it was trusted ({', '.join(state.changed[:5])})"
            skipped = [replace(hook, skip=reason, broken="") for hook in hooks]
            return [*_guards_of(entry, reason), *skipped]
        # What was added is left out of the sources, too: no trusted hook may import it.
        known = {name: value for name, value in now.items() if name not in state.added}
        return [self._admitted(hook, repository, known) for hook in hooks]

    def contracts(self, repository: Path) -> Mapping[str, str]:
        """Return the declarations of a repository whose commands may run, by their hash."""
        found = (self._entry(repository) or {}).get("contracts", {})
        return found if isinstance(found, dict) else {}

    def trust(
        self,
        repository: Path,
        hooks: Sequence[DeclaredHook],
        contracts: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Put what is there on record as trusted; return the files.

        ``contracts`` are the declarations whose commands may run, by their hash.

        Raises:
            ConfigError: something of it cannot be hashed, so a change of it would go unseen.
        """
        contents = self._contents(repository, hooks)
        for name, value in contents.items():
            if value.startswith(UNSURE):
                raise ConfigError(
                    f"{name} cannot be trusted: {value.removeprefix(UNSURE)}",
                    fix=f"ls -l {Path(repository, name)}",
                )
        entry = {
            "files": contents,
            # As they are now: if something changes, guards stop what these say (_guards_of).
            "hooks": [_summary(hook) for hook in hooks],
            "contracts": dict(contracts or {}),
            "trusted_ns": time.time_ns(),
        }
        with self._locked():
            # Read within the lock, or what another process trusts at the same time is lost.
            self._save({**self._load(), str(repository): entry})
        return sorted({*contents, *(contracts or {})})

    def forget(self, repository: Path) -> bool:
        """Take a repository's trust back; return whether it had any."""
        with self._locked():
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
        usable = (
            isinstance(entry, dict)
            and isinstance(entry.get("files"), dict)
            and isinstance(entry.get("hooks"), list)
        )
        return entry if usable else None

    def _contents(self, repository: Path, hooks: Sequence[DeclaredHook]) -> dict[str, str]:
        files = self.sources.of_folder(repository / HOOKS)
        declared = {}
        for hook in hooks:
            if hook.command:
                files |= self.sources.of_command(hook)
                # Other arguments make another program of a script. TOML has dates, JSON has none.
                text = json.dumps(_declaration(hook), sort_keys=True, default=str)
                declared[_key(hook)] = hashlib.sha256(text.encode()).hexdigest()
        named = {os.path.relpath(name, repository): value for name, value in files.items()}
        return dict(sorted({**named, **declared}.items()))

    @staticmethod
    def _admitted(hook: DeclaredHook, repository: Path, known: Mapping[str, str]) -> DeclaredHook:
        """Return a hook with the sources it may run from, or marked as one to be skipped."""
        needed = [_key(hook)] if hook.command else [os.path.relpath(hook.file, repository)]
        if hook.command:
            needed += [os.path.relpath(name, repository) for name in named_files(hook)]
        if not all(name in known for name in needed):
            return replace(hook, skip=UNTRUSTED, broken="")
        if hook.command:
            return replace(
                hook, sources={str(repository / name): known[name] for name in needed[1:]}
            )
        within = {
            str(repository / name): value
            for name, value in known.items()
            if name.startswith(f"{HOOKS}/")
        }
        return replace(hook, sources=python_sources(within))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the store against another process that would write it at the same time."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file of its own: the store is replaced by a rename, and a lock on it with it.
        descriptor = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _load(self) -> dict[str, Any]:
        try:
            return self._read()
        except ConfigError:
            return {}

    def _read(self) -> dict[str, Any]:
        try:
            value = json.loads(read_regular(str(self.path), _MOST_STORE))
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
        with contextlib.suppress(FileNotFoundError):
            if self.problems():
                # Set aside and not written over: it may still tell a person what was trusted.
                self.path.rename(f"{self.path}.corrupt-{time.time_ns()}")
        with tempfile.NamedTemporaryFile("w", dir=self.path.parent, delete=False) as file:
            json.dump(entries, file, indent=1)
            file.flush()
            # On the disk before the rename: a crash must not leave an empty store under this name.
            os.fsync(file.fileno())
        Path(file.name).rename(self.path)


def _compare(trusted: Mapping[str, str], now: Mapping[str, str]) -> TrustState:
    changed = {name for name, value in trusted.items() if now.get(name) != value}
    return TrustState(True, tuple(sorted(changed)), tuple(sorted(set(now) - set(trusted))))


def _guards_of(entry: Mapping[str, Any], reason: str) -> Iterator[DeclaredHook]:
    """Yield the guards as they were trusted: what they say of themselves now counts for nothing."""
    for was in entry["hooks"]:
        if was["role"] == Role.GUARD:
            yield DeclaredHook(
                name=was["name"],
                role=Role.GUARD,
                events=tuple(was["events"]),
                tools=tuple(was["tools"]),
                theirs=True,
                skip=reason,
                tampered=True,
            )


def _key(hook: DeclaredHook) -> str:
    return f"config.toml [[hooks]] {hook.name}"


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
