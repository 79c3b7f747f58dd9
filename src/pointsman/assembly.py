"""From the settings in force to the hooks that are asked: shipped ones, declared ones, workers."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from pointsman.agents.all_agents import fault_of_change
from pointsman.engine.select import HookTable
from pointsman.hooks.all_hooks import shipped_hooks
from pointsman.model.budget import LONGEST
from pointsman.model.decision import failure
from pointsman.model.event import Event
from pointsman.model.hook import Hook, Role, Run
from pointsman.model.places import Places
from pointsman.model.policy import DeclaredHook, Policy
from pointsman.workers.executable import executable_hook
from pointsman.workers.python_worker import PythonWorker

_MOST_SETUPS = 64


@dataclass(frozen=True, slots=True)
class Setup:
    """A policy with the hooks it amounts to."""

    policy: Policy
    table: HookTable
    workers: tuple[PythonWorker, ...] = ()

    def budget(self, hook: Hook, event: Event) -> float:
        """Return the seconds that this hook has on this event, never more than ``LONGEST``."""
        return min(hook.budget or self.policy.budget(event.kind), LONGEST)


class Policies(Protocol):
    """Where policies come from: the same object as long as nothing changed."""

    def policy_for(self, repository: str | None) -> Policy:
        """Return the policy in force for a repository, or for none."""


class Setups:
    """Turns policies into hook tables, and keeps them while the policy is the same."""

    def __init__(self, policies: Policies, places: Places) -> None:
        self._policies = policies
        self._places = places
        self._built: OrderedDict[str | None, Setup] = OrderedDict()
        self._retired: list[PythonWorker] = []

    def of(self, repository: str | None) -> Setup:
        """Return what is in force for this repository now."""
        policy = self._policies.policy_for(repository)
        setup = self._built.get(repository)
        if setup is None or setup.policy is not policy:
            self._retire(setup)
            setup = self._built[repository] = self._build(policy)
            if len(self._built) > _MOST_SETUPS:
                self._retire(self._built.popitem(last=False)[1])
        return setup

    async def close_retired(self) -> None:
        """End the workers of policies that are no longer in force."""
        retired, self._retired = self._retired, []
        for worker in retired:
            await worker.close()

    async def close(self) -> None:
        """End every worker."""
        while self._built:
            self._retire(self._built.popitem()[1])
        await self.close_retired()

    def _retire(self, setup: Setup | None) -> None:
        self._retired.extend(setup.workers if setup else ())

    def _build(self, policy: Policy) -> Setup:
        workers: dict[str, PythonWorker] = {}
        declared = [_declared(hook, workers) for hook in policy.hooks]
        table = HookTable([*shipped_hooks(policy, self._places, fault_of_change), *declared])
        return Setup(policy, table, tuple(workers.values()))


def _declared(hook: DeclaredHook, workers: dict[str, PythonWorker]) -> Hook:
    """Turn a declaration into a hook; one that was tampered with stops where it would guard."""
    run: Run
    if hook.tampered and hook.role is Role.GUARD:
        run = _tampered(hook)
    elif hook.command:
        run = executable_hook(hook.command, hook.base)
    else:
        function = hook.name.rpartition(":")[2]
        run = workers.setdefault(hook.base, PythonWorker(hook.base)).hook(hook.file, function)
    return Hook(
        name=hook.name,
        role=hook.role,
        run=run,
        events=frozenset(hook.events) - {"*"},
        tools=hook.tools,
        budget=hook.budget,
        settings=hook.settings,
        skip="" if hook.tampered and hook.role is Role.GUARD else hook.skip,
    )


def _tampered(hook: DeclaredHook) -> Run:
    reason = (
        f"the guard {hook.name!r} is no longer what was trusted: {hook.skip}. "
        "A person looks at it and types: pointsman trust"
    )
    return lambda _event, _context: failure(reason, rule="guard.tampered")
