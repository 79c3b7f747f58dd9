"""``pointsman hook``: the client that needs no compiler."""

import os
import sys
from pathlib import Path

import click

import pointsman.client

_CLIENT = Path(pointsman.client.__file__).with_name("hook.py")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="HOST EVENT")
def command(arguments: tuple[str, ...]) -> None:
    """Deliver one event: ``pointsman hook HOST EVENT`` with the payload on stdin."""
    os.execv(sys.executable, [sys.executable, "-I", "-S", str(_CLIENT), *arguments])  # noqa: S606 - no shell is meant
