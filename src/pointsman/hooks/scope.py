"""The guard that holds an agent's edits to its contract, by whatever tool it makes them.

A shell command is held to the same contract as an edit: what it would write, delete, move or
change the mode of is judged path by path. What cannot be known before it runs is not denied here:
the kernel holds it (docs/sandbox.md), and the tree is looked at afterwards (docs/proof.md).
Where several files declare one agent, all of them must allow.
"""

from collections.abc import Sequence

from pointsman.hooks.edits import written_paths
from pointsman.hooks.held import Held, absolute, held_by
from pointsman.hooks.kit import Kit
from pointsman.hooks.shell_writes import SHELL_TOOLS, writes_of
from pointsman.model.decision import Decision
from pointsman.model.event import Event, ToolEvent
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.paths.canonical import readings

NAME = "scope"


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the contracts of this policy."""
    del kit
    contracts = held_by(policy)

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        held = contracts(event.identity)
        if not held:
            return None
        if isinstance(event, ToolEvent) and event.tool_name in SHELL_TOOLS:
            return _of_command(held, event)
        return _of_edit(held, event, policy)

    return Hook(name=NAME, role=Role.GUARD, run=run, events=frozenset({"PreEdit"}))


def _of_command(held: Sequence[Held], event: ToolEvent) -> Decision | None:
    for write in writes_of(event):
        for contract in held:
            decision = contract.judge_write(write, contract.root_of(event.identity))
            if decision is not None:
                return decision
    return None


def _of_edit(held: Sequence[Held], event: Event, policy: Policy) -> Decision | None:
    cwd = event.identity.cwd
    for written in written_paths(event, policy.mcp_writers):
        named = absolute(written, cwd)
        for where in readings(written, cwd):
            for contract in held:
                decision = contract.judge(where, named, contract.root_of(event.identity))
                if decision is not None:
                    return decision
    return None
