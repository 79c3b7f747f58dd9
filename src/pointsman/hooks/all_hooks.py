"""The policies we ship, in one table, in the order in which they are asked."""

from collections.abc import Callable

from pointsman.hooks import canary, command_safety, scope, self_protection
from pointsman.hooks.self_protection import Fault
from pointsman.model.hook import Hook
from pointsman.model.places import Places
from pointsman.model.policy import Policy

SHIPPED: dict[str, Callable[[Policy, Places, Fault], Hook]] = {
    canary.NAME: lambda policy, places, _: canary.hook(policy, places),
    scope.NAME: lambda policy, places, _: scope.hook(policy, places),
    command_safety.NAME: lambda policy, places, _: command_safety.hook(policy, places),
    self_protection.NAME: self_protection.hook,
}
"""A new policy is one file and one line here."""


def shipped_hooks(policy: Policy, places: Places, fault: Fault) -> list[Hook]:
    """Return the shipped hooks that this policy has not turned off.

    ``fault`` is how a change of the host's settings is judged; the host's own file knows.
    """
    return [
        make(policy, places, fault)
        for name, make in SHIPPED.items()
        if name == canary.NAME or policy.guards.get(name, {}).get("enabled", True)
    ]
