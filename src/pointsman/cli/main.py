"""The command ``pointsman``: a table of commands, each loaded only when it is called."""

import importlib

import click

from pointsman import __version__
from pointsman.cli.edge import exit_codes

COMMANDS = {
    "completion": "Print what a shell needs to complete these commands.",
    "daemon": "Become the daemon (what `up` and the clients start).",
    "decide": "Decide about payloads on stdin, one a line.",
    "doctor": "Prove that the installed hooks hold, by a canary that must be denied.",
    "explain": "Show every hook that is asked about a call, its answer and its time.",
    "hook": "Deliver one event to the daemon (the client that needs no compiler).",
    "init": "Put the hooks into a coding agent's settings.",
    "ledger": "Look into the audit trail: tail, show, query, export.",
    "replay": "Decide about a recorded session again, by today's policy.",
    "status": "Show the daemon, the settings in force and what is wrong with them.",
    "down": "Stop the daemon.",
    "trust": "Let this repository's own hooks run.",
    "uninstall": "Take the hooks out of a coding agent's settings.",
    "up": "Start the daemon.",
}
"""A new command is one file and one line here: name, and what it does in one sentence."""


class _Table(click.Group):
    """Loads a command's file when it is called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"pointsman.cli.{cmd_name}")
        command: click.Command = module.command
        command.short_help = COMMANDS[cmd_name]
        return command


@click.group(cls=_Table, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pointsman")
def cli() -> None:
    """Pointsman decides, enriches, records and watches what a coding agent does."""


def main() -> None:
    """Run the command line; errors become exit codes here."""
    with exit_codes():
        cli(prog_name="pointsman")
