"""``pointsman proof``: what was put back after calls, and how to get an agent's version."""

import json
import time
from typing import Any

import click

from pointsman.cli.places import places
from pointsman.model.errors import ConfigError
from pointsman.proof import aside

_TOP = "pointsman proof status"


@click.group()
def command() -> None:
    """See what was put back after calls, and get an agent's version of it."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """List the calls whose changes were put back, the oldest first."""
    rows = [_summary(each) for each in aside.listed(places().state)]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['at']}  {row['agent']}  {row['files']} files  {row['root']}")
    if not rows:
        click.echo("nothing has been put back")


@command.command()
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(id: str, as_json: bool) -> None:  # noqa: A002 - what the argument is called
    """Show what one call changed outside its contract, and where the agent's versions are."""
    manifest = _manifest(id)
    if as_json:
        click.echo(json.dumps(manifest))
        return
    click.echo(f"call        {manifest['tool']} {manifest['tool_use_id']}")
    click.echo(f"agent       {manifest['agent']} of session {manifest['session']}")
    click.echo(f"repository  {manifest['root']}")
    if manifest["text"]:
        click.echo(f"command     {manifest['text']}")
    for item in manifest["items"]:
        kept = f"  {item['kept']}" if item["kept"] else ""
        click.echo(f"  {item['path']} ({item['kind']}){kept}")


@command.command("restore-aside")
@click.argument("id")
@click.argument("paths", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def restore_aside(id: str, paths: tuple[str, ...], as_json: bool) -> None:  # noqa: A002 - as above
    """Write the agent's versions back to the repository: all of them, or PATHS."""
    manifest = _manifest(id)
    unknown = set(paths) - {item["path"] for item in manifest["items"] if item["kept"]}
    if unknown:
        raise ConfigError(
            f"no version of {min(unknown)!r} is kept under {id}",
            fix=f"pointsman proof show {id}",
        )
    done = aside.give_back(manifest, paths)
    click.echo(json.dumps(done) if as_json else "\n".join(done) or "there is nothing to write")


def _manifest(name: str) -> dict[str, Any]:
    """Return what was put aside under this name, or one that begins so.

    Raises:
        ConfigError: there is none, or more than one.
    """
    every = aside.listed(places().state)
    found = [each for each in every if each["id"] == name] or [
        each for each in every if name and each["id"].startswith(name)
    ]
    if len(found) != 1 or found[0].get("broken"):
        what = "cannot be read" if found[:1] and found[0].get("broken") else f"{len(found)} fit"
        raise ConfigError(f"{name!r} names no call whose changes were put back ({what})", fix=_TOP)
    return found[0]


def _summary(manifest: dict[str, Any]) -> dict[str, Any]:
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(manifest.get("at_ns", 0) / 1e9))
    return {
        "id": manifest["id"],
        "at": at,
        "agent": manifest.get("agent", "unknown"),
        "session": manifest.get("session", ""),
        "root": manifest.get("root", ""),
        "files": len(manifest["items"]),
    }
