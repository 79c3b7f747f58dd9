"""The policies we ship, in one table, in the order in which they are asked."""

from collections.abc import Callable

from pointsman.hooks import (
    alert_notice,
    blocked,
    briefing,
    canary,
    command_safety,
    completion,
    convention_files,
    conventions,
    credentials,
    dependencies,
    expertise,
    handoff,
    kernel_refusal,
    limits,
    mcp_breaker,
    mcp_health,
    proof,
    roles,
    scope,
    secret_output,
    secrets,
    self_protection,
    spawn,
    stopped,
)
from pointsman.hooks.kit import Kit
from pointsman.model.hook import Hook
from pointsman.model.policy import Policy

SHIPPED: dict[str, Callable[[Policy, Kit], Hook]] = {
    canary.NAME: canary.hook,
    # Before every other: what a person has stopped is stopped by that.
    stopped.NAME: stopped.hook,
    scope.NAME: scope.hook,
    command_safety.NAME: command_safety.hook,
    self_protection.NAME: self_protection.hook,
    roles.NAME: roles.hook,
    blocked.NAME: blocked.hook,
    spawn.NAME: spawn.hook,
    completion.NAME: completion.hook,
    briefing.NAME: briefing.hook,
    expertise.NAME: expertise.hook,
    secrets.NAME: secrets.hook,
    secret_output.NAME: secret_output.hook,
    credentials.NAME: credentials.hook,
    proof.NAME: proof.hook,
    kernel_refusal.NAME: kernel_refusal.hook,
    limits.NAME: limits.hook,
    handoff.NAME: handoff.hook,
    conventions.NAME: conventions.hook,
    convention_files.NAME: convention_files.hook,
    alert_notice.NAME: alert_notice.hook,
    mcp_breaker.NAME: mcp_breaker.hook,
    mcp_health.NAME: mcp_health.hook,
    dependencies.NAME: dependencies.hook,
}
"""A new policy is one file and one line here."""


def shipped_hooks(policy: Policy, kit: Kit) -> list[Hook]:
    """Return the shipped hooks that this policy has not turned off."""
    return [
        make(policy, kit)
        for name, make in SHIPPED.items()
        if name == canary.NAME or policy.guards.get(name, {}).get("enabled", True)
    ]
