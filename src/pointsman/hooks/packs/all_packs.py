"""Every pack, in the order in which their rules are asked, and which rules concern what."""

from collections.abc import Mapping

from pointsman.hooks.packs import (
    agents,
    cloud,
    databases,
    disks,
    fetched,
    files,
    git,
    network,
    packages,
    persistence,
    privilege,
    processes,
    secrets,
    shells,
)
from pointsman.hooks.rule import Call, Deed, Flow, Pack, Rule
from pointsman.shell.effects import Kind

PACKS: tuple[Pack, ...] = (
    files.PACK, git.PACK, disks.PACK, fetched.PACK, shells.PACK, network.PACK, processes.PACK,
    privilege.PACK, persistence.PACK, packages.PACK, cloud.PACK, databases.PACK, secrets.PACK,
    agents.PACK,
)  # fmt: skip

RULES: Mapping[str, Rule] = {rule.id: rule for pack in PACKS for rule in pack.rules}
"""Every rule, by its id."""
PACK_OF: Mapping[str, str] = {rule.id: f"pack.{pack.name}" for pack in PACKS for rule in pack.rules}
"""The name by which the pack of a rule is tuned, by the rule's id."""


def _by_program() -> dict[str, list[tuple[Rule, Call]]]:
    table: dict[str, list[tuple[Rule, Call]]] = {}
    for rule in RULES.values():
        if isinstance(rule.test, Call):
            for program in rule.test.programs:
                table.setdefault(program, []).append((rule, rule.test))
    return table


def _by_kind() -> dict[Kind, list[tuple[Rule, Deed]]]:
    table: dict[Kind, list[tuple[Rule, Deed]]] = {}
    for rule in RULES.values():
        if isinstance(rule.test, Deed):
            for kind in rule.test.kinds:
                table.setdefault(kind, []).append((rule, rule.test))
    return table


# An invocation meets only the rules that may concern it: each costs a few microseconds.
CALLS: Mapping[str, list[tuple[Rule, Call]]] = _by_program()
"""Rules about a program's calls, by the program."""
DEEDS: Mapping[Kind, list[tuple[Rule, Deed]]] = _by_kind()
"""Rules about effects, by their kind."""
FLOWS: tuple[tuple[Rule, Flow], ...] = tuple(
    (rule, rule.test) for rule in RULES.values() if isinstance(rule.test, Flow)
)
"""Rules about whole commands."""
