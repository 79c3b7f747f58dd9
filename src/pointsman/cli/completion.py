"""``pointsman completion``: what a shell needs to complete our commands."""

import click
from click.shell_completion import get_completion_class

from pointsman.cli.main import cli


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL: eval "$(pointsman completion bash)"."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the choices above are the ones it knows
    click.echo(kind(cli, {}, "pointsman", "_POINTSMAN_COMPLETE").source())
