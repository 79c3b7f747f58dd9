"""``pointsman trust``: let this repository's own hooks run."""

import json
from pathlib import Path

import click

from pointsman.cli.places import places, repository_here
from pointsman.config.policy_loader import PolicyLoader
from pointsman.paths.repository import main_repository


@click.command()
@click.argument("repository", type=click.Path(exists=True, file_okay=False), required=False)
@click.option("--show", is_flag=True, help="Only show what is trusted and what is not.")
@click.option("--forget", is_flag=True, help="Take the trust back.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(repository: str | None, show: bool, forget: bool, as_json: bool) -> None:
    """Let the hooks of REPOSITORY (default: this one) run, as they are now.

    Trust is by content: once a file is changed it has to be looked at, and trusted, again.
    """
    root = _root(repository)
    loader = PolicyLoader(places())
    hooks = loader.repository_hooks(root)
    checks = loader.repository_checks(root)
    files: list[str] = []
    if forget:
        loader.trust.forget(Path(root))
    elif not show:
        files = loader.trust.trust(Path(root), hooks, checks)
    state = loader.trust.state(Path(root), hooks)
    known = loader.trust.contracts(Path(root))
    names = [f"{hook.name} ({hook.role})" for hook in hooks]
    row = {
        "repository": root,
        "trusted": state.trusted,
        "changed": list(state.changed),
        "added": list(state.added),
        "files": files,
        "hooks": names,
        "checks": [
            {"contract": name, "trusted": known.get(name) == value}
            for name, value in checks.items()
        ],
    }
    if as_json:
        click.echo(json.dumps(row))
        return
    click.echo(f"{root}: {'trusted' if state.trusted else 'not trusted'}")
    for name in files:
        click.echo(f"  {name}")
    for name in state.changed:
        click.echo(f"  changed: {name}")
    for name in state.added:
        click.echo(f"  added: {name}")
    for name, value in checks.items():
        may = "its commands run" if known.get(name) == value else "its commands do not run"
        click.echo(f"contract: {name}: {may}")
    click.echo("hooks: " + (", ".join(names) or "none"))


def _root(repository: str | None) -> str:
    # In a linked worktree it is the repository's own hooks that run.
    return main_repository(repository_here(repository))
