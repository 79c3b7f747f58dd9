"""The policies we ship, in one table, in the order in which they are asked."""

from collections.abc import Callable

from pointsman.hooks import scope
from pointsman.model.hook import Hook
from pointsman.model.places import Places
from pointsman.model.policy import Policy

SHIPPED: dict[str, Callable[[Policy, Places], Hook]] = {
    scope.NAME: scope.hook,
}
"""A new policy is one file and one line here."""


def shipped_hooks(policy: Policy, places: Places) -> list[Hook]:
    """Return the shipped hooks that this policy has not turned off."""
    return [
        make(policy, places)
        for name, make in SHIPPED.items()
        if policy.guards.get(name, {}).get("enabled", True)
    ]
