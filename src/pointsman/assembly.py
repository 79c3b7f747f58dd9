"""From the settings in force to the hooks that are asked: shipped ones, declared ones, workers."""

import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from pointsman.agents.all_agents import fault_of_change
from pointsman.alerts.board import Board
from pointsman.code.context import CodeContext
from pointsman.code.following import Following
from pointsman.conventions.shelf import Shelf as Conventions
from pointsman.engine.reached import Reached
from pointsman.engine.select import HookTable
from pointsman.engine.spent import Spending
from pointsman.engine.team import Memory
from pointsman.expertise.shelf import Shelf
from pointsman.handing import Handing
from pointsman.hooks.all_hooks import shipped_hooks
from pointsman.hooks.kit import Kit
from pointsman.hooks.mcp_needs import needing
from pointsman.mcp_health.watcher import Watcher
from pointsman.model.budget import LONGEST
from pointsman.model.bundle import NothingTold
from pointsman.model.decision import Action, Decision, failure
from pointsman.model.errors import HookError
from pointsman.model.event import Event
from pointsman.model.handoff import NoHandoff
from pointsman.model.hook import Hook, HookContext, Role, Run
from pointsman.model.places import Places
from pointsman.model.policy import DeclaredHook, Policy
from pointsman.model.proof import Prover
from pointsman.model.ran import run_nothing
from pointsman.model.server_health import NobodyWatches
from pointsman.oversight import Oversight
from pointsman.secrets.redact import Redactor
from pointsman.store.past import past_of
from pointsman.store.past_failures import failures_in
from pointsman.store.past_spent import PastSpent
from pointsman.workers.command import run_command
from pointsman.workers.executable import executable_hook
from pointsman.workers.python_worker import PythonWorker

_MOST_SETUPS = 64
Asked = Callable[[Event, HookContext], Awaitable[Decision | None]]
"""A hook's body that has to be waited for."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A policy with the hooks it amounts to."""

    policy: Policy
    table: HookTable
    workers: tuple[PythonWorker, ...] = ()
    theirs: frozenset[str] = frozenset()
    """The names of the hooks that the repository declares."""

    def budget(self, hook: Hook, event: Event) -> float:
        """Return the seconds that this hook has on this event, never more than ``LONGEST``.

        A repository's hook has no more than the settings in force give. A shorter budget of the
        repository's does not bind the user's own enrichers and observers: it would silence them.
        """
        given = self.policy.budget(event.kind)
        if hook.name in self.theirs:
            return min(hook.budget or given, given, LONGEST)
        if hook.role is not Role.GUARD:
            given = self.policy.own_budget(event.kind)
        return min(hook.budget or given, LONGEST)


class Policies(Protocol):
    """Where policies come from: the same object as long as nothing changed."""

    def policy_for(self, repository: str | None) -> Policy:
        """Return the policy in force for a repository, or for none."""


class Setups:
    """Turns policies into hook tables, and keeps them while the policy is the same."""

    def __init__(
        self,
        policies: Policies,
        places: Places,
        prover: Prover | None = None,
        *,
        live: bool = True,
    ) -> None:
        self._policies = policies
        self.secrets = Redactor.of(places.state)
        # What only looks runs no commands, and a session that is decided again has no past.
        self.team = Memory(past_of(places.ledger)) if live else Memory()
        spent = Spending(PastSpent(places.ledger) if live else None)
        self.oversight = Oversight(spent, self.secrets, policies.policy_for, watched=live)
        self.reached = Reached()
        self.board = Board()
        self.servers = Watcher(
            places.mcp_health,
            lambda repository: policies.policy_for(repository).mcp_health,
            lambda: os.environ,
            cover=self.secrets.text,
        )
        self.oversight.on_call = self.servers.saw
        self.context = CodeContext(places.state, failures_in(places.ledger))
        told = self.context if live else NothingTold()
        self.oversight.follow = Following(told).follow
        self._kit = Kit(
            told=told,
            places=places,
            fault=partial(fault_of_change, places=places),
            secrets=self.secrets,
            team=self.team,
            spent=spent,
            standing=self.board,
            environ=lambda: os.environ,
            run_command=run_command if live else run_nothing,
            prover=prover,
            experts=Shelf(places.agents),
            conventions=Conventions(places.state),
            handoff=Handing(places.ledger) if live else NoHandoff(),
            writable=self.reached.of,
            servers=self.servers if live else NobodyWatches(),
        )
        self._built: OrderedDict[str | None, Setup] = OrderedDict()
        self._retired: list[PythonWorker] = []

    def of(self, repository: str | None) -> Setup:
        """Return what is in force for this repository now."""
        policy = self._policies.policy_for(repository)
        setup = self._built.get(repository)
        if setup is None or setup.policy is not policy:
            # Retired, not closed: a call of the old policy may still wait for a worker's answer.
            self._retire(self._built.pop(repository, None))
            setup = self._built[repository] = _build(policy, self._kit)
            if len(self._built) > _MOST_SETUPS:
                self._retire(self._built.popitem(last=False)[1])
        return setup

    async def close_retired(self) -> None:
        """End the workers of policies that are no longer in force, once nobody waits for them."""
        retired = [worker for worker in self._retired if not worker.busy]
        # Settled before the first await, as `of` may retire more meanwhile.
        self._retired = [worker for worker in self._retired if worker.busy]
        for worker in retired:
            await worker.close()

    async def close(self) -> None:
        """End every worker."""
        await self.context.close()
        while self._built:
            self._retire(self._built.popitem()[1])
        retired, self._retired = self._retired, []
        for worker in retired:
            await worker.close()

    def _retire(self, setup: Setup | None) -> None:
        self._retired.extend(setup.workers if setup else ())


def _build(policy: Policy, kit: Kit) -> Setup:
    workers: dict[tuple[str, Role], PythonWorker] = {}
    for hook in policy.hooks:
        kit.secrets.know(hook.settings)
    declared = [needing(_declared(hook, workers), policy, kit) for hook in policy.hooks]
    # Shipped guards first: of equally strict answers the first gives rule and hook.
    table = HookTable([*shipped_hooks(policy, kit), *declared])
    theirs = frozenset(hook.name for hook in policy.hooks if hook.theirs)
    return Setup(policy, table, tuple(workers.values()), theirs)


def _declared(hook: DeclaredHook, workers: dict[tuple[str, Role], PythonWorker]) -> Hook:
    """Turn a declaration into a hook; one that was tampered with stops where it would guard."""
    stops = hook.tampered and hook.role is Role.GUARD
    return Hook(
        name=hook.name,
        role=hook.role,
        run=_tampered(hook) if stops else _body(hook, workers),
        # An empty set means all, those of a newer client included, which have no name here.
        events=frozenset() if "*" in hook.events else frozenset(hook.events),
        tools=hook.tools,
        budget=hook.budget,
        settings=hook.settings,
        # A hook that is skipped stops nothing, and this one has to.
        skip="" if stops else hook.skip,
    )


def _body(hook: DeclaredHook, workers: dict[tuple[str, Role], PythonWorker]) -> Run:
    # It fails when it is asked instead of being left out: for a guard that is a stop.
    if hook.broken:
        return _broken(hook)
    if hook.command:
        run = executable_hook(hook.command, hook.base, hook.sources)
    else:
        # A hook that blocks takes its process with it: a guard must not wait for an observer.
        key = (hook.file, hook.role)
        if key not in workers:
            workers[key] = PythonWorker(hook.file, hook.base, hook.sources)
        run = workers[key].hook(hook.function)
    return _never_allowing(run) if hook.theirs else run


def _never_allowing(run: Asked) -> Asked:
    """Return a repository's hook without its ``allow``: that would skip the user's own prompt."""

    async def asked(event: Event, context: HookContext) -> Decision | None:
        decision = await run(event, context)
        if decision is None or decision.action is not Action.ALLOW:
            return decision
        context.log("a hook of a repository cannot allow; its answer counts as no opinion")
        return replace(decision, action=None, reason="") if decision.context else None

    return asked


def _broken(hook: DeclaredHook) -> Run:
    def run(_event: Event, _context: HookContext) -> None:
        raise HookError(hook.broken)

    return run


def _tampered(hook: DeclaredHook) -> Run:
    reason = (
        f"the guard {hook.name!r} is no longer what was trusted: {hook.skip}. "
        "A person looks at it and types: pointsman trust"
    )
    return lambda _event, _context: failure(reason, rule="guard.tampered")
