"""The command ``pointsman``: a table of commands, each loaded only when it is called."""

import importlib
import sys
from typing import TYPE_CHECKING

import click

from pointsman import __version__
from pointsman.cli.edge import ReaderGone, exit_codes

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "alerts": "See what was found wrong and answer it: list, show, ack, resolve, stop, resume.",
    "agents": "Show who may write what, with which tools, by which model; check it in CI.",
    "bench": "Judge labelled commands, by us or by any hook, and count what is right.",
    "approvals": "Answer what agents have asked: list, show, approve, deny, modify, stats.",
    "audit": "Score how tools, prompts, hooks and contracts of this project fit together.",
    "completion": "Print what a shell needs to complete these commands.",
    "conventions": "Confirm what this project's instructions demand: list, confirm, check, report.",
    "coverage": "Compare the host's transcripts with the ledger: which calls ran unguarded.",
    "context": "Print what an agent is told before it edits a file, and what came of it.",
    "cost": "Show what models have used and what it costs, by anything.",
    "daemon": "Become the daemon (what `up` and the clients start).",
    "dashboard": "Open the dashboard in a browser, or print its link.",
    "decide": "Decide about payloads on stdin, one a line.",
    "doctor": "Prove that the installed hooks hold, by a canary that must be denied.",
    "down": "Stop the daemon.",
    "expertise": "See what is known of this project's parts: list, show, check, new.",
    "explain": "Show every hook that is asked about a call, its answer and its time.",
    "handoff": "Print what a fresh session needs to know of another one.",
    "hook": "Deliver one event to the daemon (the client that needs no compiler).",
    "hooks": "Show how often each hook ran, how long, and how it stands against its budget.",
    "incident": "Draft a post-mortem of an alert from the record around it.",
    "init": "Put the hooks into a coding agent's settings.",
    "ledger": "Look into the audit trail and prove it: tail, show, query, export, verify.",
    "mcp-health": "Probe the MCP servers of this directory and say which of them work.",
    "mcp": "Serve an agent that asks about its own session (what `init` registers).",
    "preflight": "Find in the files what would fail only once it is deployed.",
    "proof": "See what was put back after calls, and get an agent's version of it.",
    "replay": "Decide about a recorded session again, by today's policy.",
    "spec": "Check a spec before an agent works by it: check, status.",
    "status": "Show the daemon, the settings in force and what is wrong with them.",
    "trust": "Let this repository's own hooks run.",
    "uninstall": "Take the hooks out of a coding agent's settings.",
    "up": "Start the daemon.",
    "watch": "Watch agents, decisions, cost and alerts in the terminal.",
}
"""A new command is one file and one line here: name, and what it does in one sentence."""

_HIDDEN = frozenset({"daemon"})


class _Table(click.Group):
    """Loads a command's file when it is called for, and not to list it or to complete its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"pointsman.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        command.short_help = COMMANDS[cmd_name]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([row for row in COMMANDS.items() if row[0] not in _HIDDEN])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell asks

        names = [
            CompletionItem(name, help=text)
            for name, text in COMMANDS.items()
            if name.startswith(incomplete) and name not in _HIDDEN
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error  # Click would make a failure of it.


@click.group(cls=_Table, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pointsman")
def cli() -> None:
    """Pointsman decides, enriches, records and watches what a coding agent does."""


def main() -> None:
    """Run the command line; errors become exit codes here."""
    with exit_codes():
        # Not click's standalone mode: it has exit codes and words of its own.
        sys.exit(cli.main(prog_name="pointsman", standalone_mode=False))
