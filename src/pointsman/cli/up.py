"""``pointsman up``: start the daemon."""

import json
import subprocess
import sys
import time
from typing import Any

import click

from pointsman.cli.down import stop
from pointsman.cli.places import cwd, places
from pointsman.model.errors import DaemonUnreachable, TransportError
from pointsman.model.places import Places
from pointsman.serve import control, state_dir

_WITHIN = 30.0


@click.command()
@click.option("--restart", is_flag=True, help="Stop the one that runs first.")
@click.option("--foreground", is_flag=True, help="Stay in this terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(restart: bool, foreground: bool, as_json: bool) -> None:
    """Start the daemon; the clients would do it too, at the first event."""
    where = places()
    if restart:
        # By force: this is what the client advises where the daemon hangs.
        stop(where, force=True)
    if foreground:
        from pointsman.serve.main import serve  # noqa: PLC0415 - only this way needs it

        sys.exit(serve(where))
    status = start(where)
    if as_json:
        click.echo(json.dumps(status))
    else:
        click.echo(f"The daemon runs: process {status['pid']}, socket {status['socket']}.")


def start(where: Places) -> dict[str, Any]:
    """Start the daemon if none answers, and return its status.

    Raises:
        TransportError: it did not come up; the message has its last words.
    """
    try:
        return control.ask(where, "status", cwd())
    except DaemonUnreachable:
        state_dir.prepare(where)
    with where.log.open("ab") as log:
        child = subprocess.Popen(
            # `-m` takes modules from the working directory first: hence the cwd below.
            [sys.executable, "-m", "pointsman", "daemon"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            # ^C in this terminal is not meant for the daemon.
            start_new_session=True,
            cwd=where.state,
        )
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline:
        try:
            return control.ask(where, "status")
        except DaemonUnreachable:
            # One that ends with 0 has found another daemon, which will answer.
            if child.poll() not in {None, 0}:
                break
            time.sleep(0.02)
    raise TransportError(
        f"the daemon did not come up (exit code {child.poll()}): {_last_words(where)}",
        fix="pointsman up --foreground",
    )


def _last_words(where: Places) -> str:
    try:
        lines = where.log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return str(error)
    return " / ".join(lines[-3:]) or "its log is empty"
