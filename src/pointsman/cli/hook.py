"""``pointsman hook``: the client that needs no compiler."""

import os
import sys
from importlib import resources

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Deliver one event: ``pointsman hook HOST EVENT`` with the payload on stdin."""
    client = str(resources.files("pointsman.client") / "hook.py")
    os.execv(sys.executable, [sys.executable, "-I", "-S", client, *arguments])  # noqa: S606 - no shell is meant
