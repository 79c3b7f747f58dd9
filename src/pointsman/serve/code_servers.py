"""The daemon's language servers: under the user's terms, and of a repository only if trusted."""

import os
from collections.abc import Callable
from pathlib import Path

from pointsman.config.policy_loader import PolicyLoader
from pointsman.lsp.keeper import Keeper, Terms
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.paths.repository import main_repository

_DEFAULT = Terms()


def code_servers(
    places: Places, policy: Callable[[], Policy], report: Callable[[str, str], None]
) -> Keeper:
    """Return the keeper of the daemon's language servers; none runs before one is needed."""
    return Keeper(
        os.environ,
        trusted=lambda root: is_trusted(places, root),
        report=report,
        terms=lambda: terms_of(policy()),
    )


def terms_of(policy: Policy) -> Terms:
    """Return what the settings say, with the defaults for what they leave out."""
    said = policy.code_servers
    return Terms(
        enabled=said.get("enabled", True),
        most=said.get("most", _DEFAULT.most),
        idle=60.0 * said.get("idle_minutes", _DEFAULT.idle / 60.0),
        memory=1024 * 1024 * said.get("memory_mb", _DEFAULT.memory >> 20),
    )


def is_trusted(places: Places, root: str) -> bool:
    """Whether a person has trusted a repository as it is now; asked in a thread.

    As its hooks are: a linked worktree counts as what it is linked to, and where something of
    what was trusted has changed, nothing of it runs until a person has looked again.
    """
    main = main_repository(root)
    # One of its own: the daemon's is not for a thread.
    loader = PolicyLoader(places)
    return loader.trust.state(Path(main), loader.repository_hooks(main)).trusted
