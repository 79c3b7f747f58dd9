"""What ``init`` and ``uninstall`` are told alike: which agent, which of its settings files."""

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pointsman.agents import claude_code
from pointsman.agents.claude_install import Change, Where
from pointsman.agents.claude_settings import SCOPES
from pointsman.cli.places import here, home, places
from pointsman.paths.repository import repository_root

HOSTS = (claude_code.NAME,)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that both commands have."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--dry-run", is_flag=True, help="Show the change and write nothing."),
        click.option(
            "--host",
            type=click.Choice(HOSTS),
            default=HOSTS[0],
            show_default=True,
            help="Which coding agent.",
        ),
        click.option(
            "--scope",
            type=click.Choice(SCOPES),
            default=SCOPES[0],
            show_default=True,
            help="Which settings: the repository's (shared or your own), yours, the machine's.",
        ),
    ):
        command = option(command)
    return command


def where(scope: str) -> Where:
    """Return the settings of a scope as this user, in this directory, means them."""
    cwd = here()
    repository = Path(repository_root(cwd) or cwd)
    return Where(scope, repository, os.environ, home(), places())


def as_json(change: Change) -> dict[str, Any]:
    """Return what became of a file as plain values, without its text."""
    return {
        "file": str(change.file),
        "scope": change.scope,
        "changed": change.changed,
        "exists": change.after is not None,
        "restored": change.restored,
        "backup": str(change.backup) if change.backup else None,
    }


def difference(change: Change) -> str:
    """Return the change as a unified diff."""
    before, after = (
        (text or b"").decode(errors="replace").splitlines(keepends=True)
        for text in (change.before, change.after)
    )
    name = str(change.file)
    lines = difflib.unified_diff(before, after, name, f"{name} (after)")
    # A last line without an end would run into the next one.
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)
