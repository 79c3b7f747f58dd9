"""``pointsman down``: stop the daemon."""

import contextlib
import json
import os
import signal
import time

import click

from pointsman.cli.places import places
from pointsman.model.errors import DaemonUnreachable, TransportError
from pointsman.model.places import Places
from pointsman.serve import control, state_dir

_WITHIN = 15.0


@click.command()
@click.option("--force", is_flag=True, help="End one that does not answer, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(force: bool, as_json: bool) -> None:
    """Stop the daemon; requests under way are finished first."""
    stopped = stop(places(), force=force)
    if as_json:
        click.echo(json.dumps({"stopped": stopped}))
    else:
        click.echo("The daemon is stopped." if stopped else "No daemon runs.")


def stop(where: Places, *, force: bool) -> bool:
    """Stop the daemon and wait until it is gone; return whether there was one.

    Raises:
        TransportError: it would not go.
    """
    answers = True
    try:
        control.ask(where, "stop")
    except DaemonUnreachable:
        # Nobody listens and the lock is held: a daemon on its way in or out, which is waited for.
        if not state_dir.locked(where):
            return False
    except TransportError:
        if not force:
            raise
        # It is deaf: to wait for it to go by itself would be in vain.
        answers = False
    if answers and _gone(where, _WITHIN):
        return True
    if force:
        _kill(where)
        if _gone(where, _WITHIN):
            return True
    raise TransportError(
        f"the daemon, process {state_dir.holder(where)}, would not stop",
        fix="pointsman down --force",
    )


def _gone(where: Places, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        # The lock and not the pid: the kernel frees it however a process ends, and pids are reused.
        if not state_dir.locked(where):
            return True
        time.sleep(0.02)
    return False


def _kill(where: Places) -> None:
    """End the process that holds the lock: only a daemon of ours can hold it."""
    pid = state_dir.holder(where)
    # Without the lock the pid is an old one, and may be another process's by now.
    if pid is not None and state_dir.locked(where):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
