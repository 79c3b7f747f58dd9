"""From files to a policy, again whenever one of them changes, and never worse than before.

A file that does not check out is not in force: what it said when it last did is. Whether
anything has changed costs a few stats per call.
"""

import os
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pointsman.config.contracts import CONTRACTS, Contracts, fingerprint, load_contracts
from pointsman.config.hook_files import find_hooks
from pointsman.config.merge import Merged, merge
from pointsman.config.settings import Settings, read_settings
from pointsman.config.trust import HOOKS, TrustStore
from pointsman.model.hook import Role
from pointsman.model.places import Places
from pointsman.model.policy import DeclaredHook, McpWriter, Policy, Problem

REPOSITORY_CONFIG = ".pointsman/config.toml"
_MOST_POLICIES = 64


@dataclass(slots=True)
class _Cached:
    stamps: Hashable
    policy: Policy
    good: Mapping[str, Any]
    """What the repository's settings said when they last checked out."""


class PolicyLoader:
    """Keeps one policy per repository, the same object as long as no file changed."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._trust = TrustStore(places.trust)
        self._cached: dict[str | None, _Cached] = {}
        self._user_good: Mapping[str, Any] = {}
        self._broken: dict[str, str] = {}
        self._events: list[tuple[str, str]] = []

    def policy_for(self, repository: str | None) -> Policy:
        """Return the policy in force for a repository, or for none."""
        stamps = self._stamps(repository)
        cached = self._cached.get(repository)
        if cached is None or cached.stamps != stamps:
            good = cached.good if cached else {}
            cached = self._load(repository, good, stamps)
            if len(self._cached) >= _MOST_POLICIES:
                self._cached.clear()
            self._cached[repository] = cached
        return cached.policy

    def drain_events(self) -> list[tuple[str, str]]:
        """Return what has happened to the settings since the last call: kind and text."""
        events, self._events = self._events, []
        return events

    def repository_hooks(self, repository: str) -> list[DeclaredHook]:
        """Return the hooks that a repository declares, trusted or not."""
        settings = read_settings(Path(repository, REPOSITORY_CONFIG))
        values = settings.values if not settings.problems else {}
        hooks, _ = find_hooks(Path(repository, HOOKS), Path(repository))
        declared = [_executable(table, repository) for table in values.get("hooks", [])]
        return [replace(hook, name=_theirs(hook)) for hook in (*hooks, *declared)]

    @property
    def trust(self) -> TrustStore:
        """What a person has trusted."""
        return self._trust

    def _load(self, repository: str | None, good: Mapping[str, Any], stamps: Hashable) -> _Cached:
        user = read_settings(self._places.user_config)
        own = read_settings(Path(repository, REPOSITORY_CONFIG)) if repository else None
        self._user_good = self._in_force(user, self._user_good)
        good = self._in_force(own, good) if own else {}
        merged = merge(self._user_good, good)
        contracts = load_contracts(Path(repository)) if repository else Contracts()
        hooks, problems = self._hooks(merged, repository)
        refused = _refused(own, merged, self._places.user_config) if own else []
        found = [
            *user.problems, *(own.problems if own else ()), *refused, *problems,
            *contracts.problems, *self._trust.problems(),
        ]  # fmt: skip
        files = [each.file for each in (user, own) if each and each.exists] + contracts.files
        policy = _policy(repository, merged, contracts)
        policy = replace(policy, hooks=tuple(hooks), problems=tuple(found), files=tuple(files))
        return _Cached(stamps, policy, good)

    def _in_force(self, settings: Settings, good: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the file's values, or what it said when it last checked out."""
        before = self._broken.get(settings.file)
        if settings.problems:
            text = "; ".join(str(problem) for problem in settings.problems)
            if before != text:
                self._broken[settings.file] = text
                self._events.append(("config broken", f"the last good one stays in force: {text}"))
            return good
        if before is not None:
            del self._broken[settings.file]
            self._events.append(("config mended", f"{settings.file} is in force again"))
        return settings.values

    def _hooks(
        self, merged: Merged, repository: str | None
    ) -> tuple[list[DeclaredHook], list[Problem]]:
        base = self._places.config
        own, problems = find_hooks(base / "hooks", base)
        own += [_executable(table, str(base)) for table in merged.user_hooks]
        if repository is None:
            return own, problems
        root = Path(repository)
        theirs, more = find_hooks(root / HOOKS, root)
        theirs += [_executable(table, repository) for table in merged.repository_hooks]
        named = [replace(hook, name=_theirs(hook)) for hook in theirs]
        return own + self._trust.apply(root, named), problems + more

    def _stamps(self, repository: str | None) -> Hashable:
        fixed = (self._places.user_config, self._places.trust, self._places.config / "hooks")
        paths = [str(path) for path in fixed]
        if repository is None:
            return tuple(map(_stamp, paths))
        paths += [f"{repository}/{name}" for name in (REPOSITORY_CONFIG, CONTRACTS)]
        hooks = f"{repository}/{HOOKS}"
        if _stamp(hooks) is not None:
            paths += sorted(entry.path for entry in os.scandir(hooks))
        return (tuple(map(_stamp, paths)), fingerprint(Path(repository)))


def _stamp(path: str) -> Hashable:
    try:
        found = os.stat(path)  # noqa: PTH116 - for every call: pathlib costs ten times as much
    except OSError:
        return None
    return (path, found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns)


def _theirs(hook: DeclaredHook) -> str:
    """Return the name of a repository's hook: it never takes the name of one of the user's."""
    return f"repo:{hook.name}"


def _executable(table: Mapping[str, Any], base: str) -> DeclaredHook:
    return DeclaredHook(
        name=table["name"],
        role=Role(table["role"]),
        events=tuple(table["events"]),
        tools=tuple(table.get("tools", ())),
        budget=table.get("budget"),
        command=tuple(table["command"]),
        base=base,
        settings=table.get("settings", {}),
    )


def _refused(own: Settings, merged: Merged, user_config: Path) -> list[Problem]:
    fix = f"only your own file may loosen: {user_config}"
    return [
        Problem(file=own.file, line=1, key=key, value=repr(value), message=why, fix=fix)
        for key, value, why in merged.refused
    ]


def _policy(repository: str | None, merged: Merged, contracts: Contracts) -> Policy:
    writers = tuple(
        McpWriter(tool=table["tool"], paths=tuple(table["paths"])) for table in merged.mcp_writers
    )
    return Policy(
        repository=repository,
        budgets=merged.budgets,
        guards=merged.guards,
        mcp_writers=writers,
        contracts=contracts.by_agent,
        escalation=merged.escalation,
        retention_days=merged.retention_days,
    )
