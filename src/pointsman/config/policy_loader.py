"""From files to a policy, again whenever one of them changes, and never worse than before.

A file that does not check out is not in force: what it said when it last did is. Whether
anything has changed costs a few stats per call. A linked worktree is held to the settings, hooks
and contracts of the repository it belongs to, whatever is checked out in it, and to the contracts
in itself: an agent that makes one leaves nothing behind.
"""

import os
import time
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pointsman.config.contract_trust import admitted, declared
from pointsman.config.contracts import (
    AGENTS,
    CONTRACTS,
    Contracts,
    load_contracts,
    load_own,
    named_in_agents,
    watched,
    watched_own,
)
from pointsman.config.hook_files import find_hooks
from pointsman.config.last_good import LastGood
from pointsman.config.limit_settings import limits_of
from pointsman.config.merge import Merged, merge
from pointsman.config.secret_settings import credentials_of
from pointsman.config.settings import Settings, read_settings, spelled
from pointsman.config.sources import files_of, named_files, python_sources
from pointsman.config.team_settings import tool_rules
from pointsman.config.trust import HOOKS, TrustStore
from pointsman.model.hook import Role
from pointsman.model.places import Places
from pointsman.model.policy import DeclaredHook, McpWriter, Policy, Problem
from pointsman.paths.repository import main_repository

REPOSITORY_CONFIG = ".pointsman/config.toml"
_MOST_POLICIES = 64
_SETTLED_NS = 50_000_000
"""Age from which a file's stamp stands for its content: clocks of file systems tick coarsely."""


@dataclass(slots=True)
class _Cached:
    stamps: Hashable
    policy: Policy
    watched: list[str]
    """Every file and folder that the policy was made of, or would be if it were there."""


class PolicyLoader:
    """Keeps one policy per repository, the same object as long as no file changed."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._trust = TrustStore(places.trust)
        self._cached: OrderedDict[str | None, _Cached] = OrderedDict()
        self._good = LastGood(places.state / "last-good.json")
        self._broken: dict[str, str] = {}
        self._events: list[tuple[str, str]] = []

    def policy_for(self, repository: str | None) -> Policy:
        """Return the policy in force for a repository, or for none."""
        cached = self._cached.get(repository)
        paths = cached.watched if cached else self._fixed(repository)
        stamps = tuple(map(_stamp, paths))
        if cached is None or cached.stamps != stamps:
            policy = self._load(repository)
            # The same object again: hooks that were built for it stay, with their workers.
            if cached is not None and cached.policy == policy:
                policy = cached.policy
            made_of = self._fixed(repository) + list(self._watched(policy, repository))
            made_of = list(dict.fromkeys(made_of))
            # The stamps are those from before: what changes meanwhile shows next time. So does
            # what was not watched yet, and what changed so lately that its stamp may stay.
            sure = made_of == paths and _is_old(stamps)
            cached = _Cached(stamps if sure else None, policy, made_of)
            self._cached[repository] = cached
            if len(self._cached) > _MOST_POLICIES:
                self._cached.popitem(last=False)
        return cached.policy

    def drain_events(self) -> list[tuple[str, str]]:
        """Return what has happened to the settings since the last call: kind and text."""
        events, self._events = self._events, []
        return events

    def repository_hooks(self, repository: str) -> list[DeclaredHook]:
        """Return the hooks that a repository declares, trusted or not."""
        # Quiet: a look from the command line is no event, and the last good text stays as it is.
        settings = self._in_force(read_settings(Path(repository, REPOSITORY_CONFIG)), quiet=True)
        return self._theirs(repository, settings.values.get("hooks", []))[0]

    def repository_checks(self, repository: str) -> dict[str, str]:
        """Return the declarations of a repository that have commands, by their hash."""
        found = load_contracts(Path(repository)).by_agent.values()
        return declared(each for several in found for each in several)

    @property
    def trust(self) -> TrustStore:
        """What a person has trusted."""
        return self._trust

    def _load(self, repository: str | None) -> Policy:
        user = read_settings(self._places.user_config)
        roots = _roots(repository)
        main = roots[0] if roots else None
        own = read_settings(Path(main, REPOSITORY_CONFIG)) if main else None
        said = self._in_force(own) if own else None
        merged = merge(self._in_force(user).values, said.values if said else {})
        contracts = Contracts()
        for root in roots:
            contracts.add(load_contracts(Path(root)))
        if main:
            contracts.by_agent = admitted(contracts.by_agent, self._trust.contracts(Path(main)))
            # After it: what the user has written needs no trust, as their hooks need none.
            contracts.add(self._own_agents(contracts, roots))
        hooks, problems = self._hooks(merged, main)
        refused = _refused(said, merged, self._places.user_config) if said else []
        found = [
            *user.problems, *(own.problems if own else ()), *refused, *problems,
            *contracts.problems, *self._trust.problems(),
        ]  # fmt: skip
        read = [each.file for each in (user, own) if each and each.exists]
        files = _with_targets([*read, *contracts.files, *_kept(hooks)])
        policy = _policy(main, merged, contracts)
        ours, theirs = merged.roles
        roles = tool_rules((user.file, ours), (own.file if own else "", theirs))
        theirs_file = own.file if own else ""
        limits = limits_of((user.file, merged.limits[0]), (theirs_file, merged.limits[1]))
        return replace(
            policy, hooks=tuple(hooks), problems=tuple(found), files=files, roles=roles,
            limits=limits,
        )  # fmt: skip

    def _own_agents(self, theirs: Contracts, roots: tuple[str, ...]) -> Contracts:
        """Return what the user's own agents declare, but those that a repository's stand before."""
        if self._places.agents is None:
            return Contracts()
        taken = {name for root in roots for name in named_in_agents(theirs, Path(root))}
        return load_own(self._places.agents, Path(roots[0])).without(taken)

    def _in_force(self, settings: Settings, *, quiet: bool = False) -> Settings:
        """Return a file that checks out, or what it said when it last did."""
        before = self._broken.get(settings.file)
        if settings.problems:
            good = self._good.of(settings.file)
            text = "; ".join(str(problem) for problem in settings.problems)
            # Told once for each state of the file, not with every call.
            if before != text and not quiet:
                kept = "the last good one stays in force" if good else "nothing of it is in force"
                self._broken[settings.file] = text
                self._events.append(("config broken", f"{kept}: {text}"))
            return good or Settings(settings.file)
        if not quiet:
            self._good.note(settings)
        if before is not None and not quiet:
            del self._broken[settings.file]
            self._events.append(("config mended", f"{settings.file} is in force again"))
        return settings

    def _hooks(
        self, merged: Merged, repository: str | None
    ) -> tuple[list[DeclaredHook], list[Problem]]:
        base = self._places.config
        own, problems = find_hooks(base / "hooks", base)
        # Not for trust, which the user's own need not: a worker runs just what has these hashes.
        sources = python_sources(self._trust.sources.of_folder(base / "hooks"))
        own = [replace(hook, sources=sources) for hook in own]
        own += [_executable(table, str(base)) for table in merged.user_hooks]
        problems += _same_names(own, self._places.user_config)
        if repository is None:
            return own, problems
        theirs, more = self._theirs(repository, merged.repository_hooks)
        return own + self._trust.apply(Path(repository), theirs), problems + more

    @staticmethod
    def _theirs(
        repository: str, tables: Iterable[Mapping[str, Any]]
    ) -> tuple[list[DeclaredHook], list[Problem]]:
        root = Path(repository)
        found, problems = find_hooks(root / HOOKS, root)
        found += [_executable(table, repository) for table in tables]
        problems += _same_names(found, root / REPOSITORY_CONFIG)
        # Their names never are those of the user's or of a shipped one.
        return [replace(hook, name=f"repo:{hook.name}", theirs=True) for hook in found], problems

    def _fixed(self, repository: str | None) -> list[str]:
        """Return what is looked at whether it is there or not."""
        config = self._places.config
        paths = [str(self._places.user_config), str(self._places.trust), f"{config}/hooks"]
        roots = _roots(repository)
        for root in roots:
            names = (REPOSITORY_CONFIG, CONTRACTS, AGENTS, HOOKS)
            paths += [f"{root}/{name}" for name in names]
        if roots and self._places.agents is not None:
            paths.append(str(self._places.agents))
        # What makes a worktree one is a file; a repository's own directory changes all the time.
        return paths + ([f"{repository}/.git"] if len(roots) > 1 else [])

    def _watched(self, policy: Policy, repository: str | None) -> Iterator[str]:
        """Yield the hook files and the commands' files, and the folders that hold them."""
        folders = [self._places.config / "hooks"]
        if policy.repository is not None:
            folders.append(Path(policy.repository, HOOKS))
        for root in _roots(repository):
            yield from watched(Path(root))
        if repository and self._places.agents is not None:
            yield from watched_own(self._places.agents)
        for folder in folders:
            files = list(files_of(folder))
            # Folders too, whose stamps are all that changes when a file comes.
            yield from sorted({str(path.parent) for path in files} | {str(path) for path in files})
        for hook in policy.hooks:
            yield from _words(hook)


def _roots(repository: str | None) -> tuple[str, ...]:
    """Return where the contracts of a repository stand; the first is that of its settings."""
    return tuple(dict.fromkeys((main_repository(repository), repository))) if repository else ()


def _is_old(stamps: Iterable[Hashable]) -> bool:
    """Whether every file was last changed so long ago that a further change shows."""
    now = time.time_ns()
    changed = (stamp[-1] for stamp in stamps if isinstance(stamp, tuple) and len(stamp) > 1)
    # abs: a stamp far in the future (a clock set back) must not end all remembering.
    return all(abs(now - changed_ns) > _SETTLED_NS for changed_ns in changed)


def _stamp(path: str) -> Hashable:
    try:
        found = os.stat(path)  # noqa: PTH116 - for every call: pathlib costs ten times as much
    except OSError:
        return None
    # An edit can keep the size and put its time back; the change time is the kernel's.
    return (path, found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns)


def _words(hook: DeclaredHook) -> list[str]:
    """Return the paths that a command's words may name, whether anything is there or not."""
    return [os.path.normpath(Path(hook.base, word)) for word in hook.command]


def _kept(hooks: Iterable[DeclaredHook]) -> Iterator[str]:
    """Yield the files that hooks are made of: an agent has no business in them."""
    for hook in hooks:
        yield from (hook.file,) if hook.file else ()
        yield from named_files(hook)
        yield from hook.sources


def _with_targets(files: Iterable[str]) -> tuple[str, ...]:
    """Return the files, each with where it really is."""
    return tuple(dict.fromkeys(each for file in files for each in (file, os.path.realpath(file))))


def _same_names(hooks: Iterable[DeclaredHook], config: Path) -> list[Problem]:
    names = Counter(hook.name for hook in hooks)
    files = {hook.name: hook.file or str(config) for hook in hooks}
    return [
        Problem(
            file=files[name],
            line=1, key="name", value=repr(name), message=f"{count} hooks have this name; all run",
            fix="give each a name of its own",
        )
        for name, count in names.items() if count > 1
    ]  # fmt: skip


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
        Problem(
            file=own.file, line=own.line(key), key=spelled(key), value=repr(value), message=why,
            fix=fix,
        )
        for key, value, why in merged.refused
    ]  # fmt: skip


def _policy(repository: str | None, merged: Merged, contracts: Contracts) -> Policy:
    writers = tuple(
        McpWriter(tool=table["tool"], paths=tuple(table["paths"])) for table in merged.mcp_writers
    )
    return Policy(
        repository=repository,
        budgets=merged.budgets,
        own_budgets=merged.own_budgets,
        guards=merged.guards,
        mcp_writers=writers,
        credentials=credentials_of(merged.credentials),
        contracts=contracts.by_agent,
        agents=contracts.cards,
        team=merged.team,
        watch=merged.watch,
        guidance=merged.guidance,
        escalation=merged.escalation,
        approvals=merged.approvals,
        cost=merged.cost,
        dashboard=merged.dashboard,
        code_servers=merged.code_servers,
        alerts=merged.alerts,
        telemetry=merged.telemetry,
        mcp_health=merged.mcp_health,
        context=merged.context,
        retention_days=merged.retention_days,
        ledger=merged.ledger,
        sandbox=merged.sandbox,
        mechanism=merged.mechanism,
    )
