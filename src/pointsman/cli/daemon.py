"""``pointsman daemon``: become the daemon."""

import sys

import click

from pointsman.cli.places import places
from pointsman.serve.main import serve


@click.command(hidden=True)
def command() -> None:
    """Become the daemon, in this process; ends at once where one answers already."""
    sys.exit(serve(places()))
