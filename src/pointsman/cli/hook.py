"""``pointsman hook``: the client that needs no compiler."""

import os
import sys
from pathlib import Path

import click

import pointsman.client

_CLIENT = Path(pointsman.client.__file__).with_name("hook.py")


# Words go on unread: the client has its own, closed, answer to those it does not know.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="HOST EVENT")
def command(arguments: tuple[str, ...]) -> None:
    """Deliver one event: ``pointsman hook HOST EVENT`` with the payload on stdin."""
    # exec, so that exit code and signals are the client's; -I and -S, so that no PYTHON variable
    # and no site package has a say in it.
    os.execv(sys.executable, [sys.executable, "-I", "-S", str(_CLIENT), *arguments])  # noqa: S606 - no shell is meant
