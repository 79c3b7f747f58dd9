"""The guard that holds an agent's edits to its contract.

Forbidden wins over allowed; an agent that declares nothing may modify everything. Where several
files declare one agent, all of them must allow.
"""

import os
from collections.abc import Sequence

from pointsman.hooks.edits import written_paths
from pointsman.hooks.held import Held
from pointsman.hooks.kit import Kit
from pointsman.model.contract import EVERY_AGENT
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.paths.canonical import readings

NAME = "scope"


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the contracts of this policy."""
    del kit
    compiled = {
        agent: [Held(contract) for contract in contracts]
        for agent, contracts in policy.contracts.items()
    }

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        held = [*compiled.get(event.identity.agent, ()), *compiled.get(EVERY_AGENT, ())]
        return _first_denial(held, event, policy) if held else None

    return Hook(name=NAME, role=Role.GUARD, run=run, events=frozenset({"PreEdit"}))


def _first_denial(held: Sequence[Held], event: Event, policy: Policy) -> Decision | None:
    cwd = event.identity.cwd
    for written in written_paths(event, policy.mcp_writers):
        named = os.path.normpath(written if written.startswith("/") else f"{cwd}/{written}")
        for where in readings(written, cwd):
            for contract in held:
                root = event.identity.repository or contract.contract.root
                decision = contract.judge(where, named, root)
                if decision is not None:
                    return decision
    return None
