"""``pointsman uninstall``: take our hooks out of a coding agent's settings."""

import json

import click

from pointsman.agents.claude_install import Change, uninstall_host
from pointsman.cli import host_settings, own_server


@click.command()
@host_settings.options
def command(scope: str, host: str, dry_run: bool, as_json: bool) -> None:
    """Take the hooks out of a coding agent's settings.

    A file that nobody has touched since gets its old bytes back, one that did not exist before
    is deleted; from any other exactly our hooks are taken out.
    """
    change = uninstall_host(host_settings.where(scope), dry_run=dry_run)
    asked = own_server.taken_out(scope, dry_run=dry_run)
    if as_json:
        row = {"host": host, "dry_run": dry_run, **host_settings.as_json(change)}
        row["mcp"] = asked.row()
        click.echo(json.dumps(row, indent=2))
        return
    if dry_run:
        click.echo(host_settings.difference(change) + asked.difference(), nl=False)
    click.echo("\n".join([_outcome(change, dry_run=dry_run), *asked.lines()]))


def _outcome(change: Change, *, dry_run: bool) -> str:
    would = "Would have " if dry_run else ""
    if not change.changed:
        return f"{change.file} has no hooks of ours; nothing was changed."
    if change.after is None:
        done = f"deleted {change.file}, which was not there before us."
    elif change.restored:
        done = f"restored {change.file}, byte for byte as it was before us."
    else:
        done = f"taken our hooks out of {change.file}; what was changed since has stayed."
    return would + done if would else done[0].upper() + done[1:]
