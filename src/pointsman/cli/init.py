"""``pointsman init``: put our hooks into a coding agent's settings."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pointsman.agents.claude_events import (
    FAILURE_BLOCKS_SINCE,
    OLDEST,
    OPEN_ON_EVERY_VERSION,
    fails_open,
    version_text,
)
from pointsman.agents.claude_install import Installed, install_host
from pointsman.agents.claude_telemetry import ENDPOINT
from pointsman.agents.claude_version import Client, installed
from pointsman.cli import host_settings, own_server
from pointsman.cli.places import home, places
from pointsman.cli.telemetry_variables import telemetry_variables
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.errors import HostError
from pointsman.paths.client_command import client_command, exec_command


@click.command()
@click.option(
    "--telemetry", is_flag=True, help="Have the agent send its own telemetry to us as well."
)
@host_settings.options
def command(scope: str, host: str, telemetry: bool, dry_run: bool, as_json: bool) -> None:
    """Put the hooks into a coding agent's settings; a second time changes nothing.

    Your own hooks and the layout of the file stay as they are, the old file is kept beside the
    new one, and `pointsman uninstall` brings it back.
    """
    clients, missing = _clients()
    argv = client_command().argv
    # The first is the one that `claude` starts.
    version = clients[0].version if clients else None
    gate = _gate()
    where = host_settings.where(scope)
    sent = telemetry_variables(where) if telemetry else None
    done = install_host(where, argv, version, dry_run=dry_run, exec_argv=gate, telemetry=sent)
    asked = own_server.registered(scope, dry_run=dry_run)
    to = sent[ENDPOINT] if sent else None
    if as_json:
        row = _json(done, clients, host, dry_run=dry_run)
        row |= {"missing": missing, "telemetry": to, "mcp": asked.row()}
        click.echo(json.dumps(row, indent=2))
        return
    if dry_run:
        click.echo(host_settings.difference(done.change) + asked.difference(), nl=False)
    told = [f"telemetry  the client's own goes to {to} from its next session on"] if to else []
    said = [*_lines(done, clients, dry_run=dry_run), *asked.lines()]
    click.echo("\n".join([*told, *said, *missing]))


def _clients() -> tuple[Sequence[Client], list[str]]:
    """Return the clients that are here; where there is none, what to say about that."""
    try:
        return installed(os.environ, home()), []
    except HostError as error:
        # No failure: hooks that are there before the client are written as for the newest.
        oldest, since = version_text(OLDEST), version_text(FAILURE_BLOCKS_SINCE)
        text = (
            f"warning    {error}. The hooks hold from version {since} on; versions from {oldest} "
            "on heed them, but let a call pass when a guard itself fails."
        )
        # Without its second half, to type the same again: this command does its part all the same.
        return (), [text, f"           {error.fix.partition(',')[0]}"]


def _json(
    done: Installed, clients: Sequence[Client], host: str, *, dry_run: bool
) -> dict[str, Any]:
    return {
        "host": host,
        "dry_run": dry_run,
        **host_settings.as_json(done.change),
        "clients": [
            {
                "path": str(client.path),
                "version": version_text(client.version),
                "fails_open": fails_open(client.version),
                "problem": client.problem,
            }
            for client in clients
        ],
        "guards": done.guards,
        "waiting": done.waiting,
        "asynchronous": done.asynchronous,
        "left_out": dict(done.left_out),
        "fails_open": done.fails_open,
        "shell_prefix": done.prefix,
        "second_gate": done.gated,
        "open_on_every_version": OPEN_ON_EVERY_VERSION,
        "problems": [asdict(problem) for problem in done.problems],
        "next": "pointsman doctor",
    }


def _lines(done: Installed, clients: Sequence[Client], *, dry_run: bool) -> Iterator[str]:
    change = done.change
    verb = "Would write" if dry_run else "Wrote"
    count = len(done.waiting) + len(done.asynchronous)
    if change.changed:
        yield f"{verb} {change.file} ({change.scope} settings): {count} events."
    else:
        yield f"{change.file} ({change.scope} settings) has all {count} events already."
    if change.backup:
        yield f"backup     {change.backup}"
    yield f"guards     {', '.join(done.guards)}"
    yield f"waits      {', '.join(event for event in done.waiting if event not in done.guards)}"
    yield f"no wait    {', '.join(done.asynchronous)}"
    yield _gate_line(done)
    for event, reason in done.left_out.items():
        yield f"left out   {event}: {reason}"
    for client in clients:
        yield f"client     {client.path}, version {version_text(client.version)}"
        yield from _open_lines(client)
    yield "in force   as long as hooks are; nothing is checked when"
    yield from (f"           - {way}" for way in OPEN_ON_EVERY_VERSION)
    # What a version lets pass is told of each client, above.
    yield from (f"warning    {problem}" for problem in done.problems if problem.key != "version")
    yield "next step  pointsman doctor (proves it with a call that must be denied)"


def _gate() -> tuple[str, ...]:
    """Return the words that start pointsman-exec, none where it is switched off or missing."""
    argv = exec_command().argv
    # A host that cannot start it runs no command at all.
    there = Path(argv[-1]).is_file()
    return argv if there and PolicyLoader(places()).policy_for(None).sandbox else ()


def _gate_line(done: Installed) -> str:
    if done.gated:
        return "shell      every command passes pointsman-exec (docs/second-gate.md)"
    if done.prefix:
        return (
            f"warning    your own CLAUDE_CODE_SHELL_PREFIX = {done.prefix[:80]} stays, so that "
            "shell commands do not pass pointsman-exec; take it out, then: pointsman init"
        )
    why = "[sandbox] enabled = false, or the program is missing"
    return f"shell      commands do not pass pointsman-exec: {why}"


def _open_lines(client: Client) -> Iterator[str]:
    if client.problem:
        yield f"warning    {client.problem}"
    failures = fails_open(client.version)
    if failures:
        since = version_text(FAILURE_BLOCKS_SINCE)
        yield f"FAILS OPEN before {since}: the call passes unchecked when, on a guard event,"
        yield from (f"           - {failure}" for failure in failures)
        yield "           update it: claude update, then: pointsman init"
