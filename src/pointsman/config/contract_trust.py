"""Commands of a repository's contracts run only once a person has looked at the declaration.

As for hooks, trust is by content: by the hash of the declaration, which is the whole file or, in
Markdown, the frontmatter. Who changes what an agent is told changes no command.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pointsman.model.contract import Contract

UNTRUSTED = "nobody has trusted it: a person looks at it and types: pointsman trust"
CHANGED = "it has changed since it was trusted: a person looks at it and types: pointsman trust"


def declared(contracts: Iterable[Contract]) -> dict[str, str]:
    """Return the hash of each declaration that has commands, by its path in the repository."""
    return {_name(each): each.digest for each in contracts if _has_commands(each)}


def admitted(
    by_agent: Mapping[str, tuple[Contract, ...]], trusted: Mapping[str, str]
) -> dict[str, tuple[Contract, ...]]:
    """Return the contracts, with the commands marked that may not run."""
    return {
        agent: tuple(_marked(each, trusted) if _has_commands(each) else each for each in several)
        for agent, several in by_agent.items()
    }


def _marked(contract: Contract, trusted: Mapping[str, str]) -> Contract:
    known = trusted.get(_name(contract))
    if known == contract.digest:
        return contract
    skip = UNTRUSTED if known is None else CHANGED
    checks = tuple(
        replace(each, skip=f"{contract.source}: {skip}") if each.command else each
        for each in contract.post_complete
    )
    return replace(contract, post_complete=checks)


def _has_commands(contract: Contract) -> bool:
    return any(each.command for each in contract.post_complete)


def _name(contract: Contract) -> str:
    # In a linked worktree it is the same declaration that lies at the same place.
    return os.path.relpath(contract.source, contract.root)
