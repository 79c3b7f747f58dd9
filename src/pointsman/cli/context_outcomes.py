"""``pointsman context --outcomes``: what came of edits, with and without being told."""

import time
from pathlib import Path

import click

from pointsman.cli.covered import echo_json
from pointsman.code.outcomes import Outcome, add
from pointsman.hooks.dependencies import NAME
from pointsman.store.edit_rows import calls_of, sides
from pointsman.store.query import opened, parse_time

_ROWS = {
    "sessions": "sessions",
    "edits": "edits",
    "failed_edits": "edits that failed",
    "checks": "runs of a type checker",
    "type_errors_per_100_edits": "type errors per 100 edits",
    "reads_again_per_100_edits": "files read again per 100 edits",
    "redone_per_100_edits": "edits done over per 100 edits",
}


def print_outcomes(ledger: Path, since: str | None, as_json: bool) -> None:
    """Print the figures of both sides."""
    start = 0 if since is None else parse_time(since, time.time_ns())
    found = {"with": Outcome(), "without": Outcome()}
    with opened(ledger) as connection:
        for session, side in sides(connection, NAME, start).items():
            add(found[side], calls_of(connection, session))
    figures = {side: each.as_json() for side, each in found.items()}
    if as_json:
        echo_json(figures, indent=2)
        return
    if not any(each.sessions for each in found.values()):
        click.echo("No session is on record that was compared. Next step: context.compare = true")
        return
    click.echo(f"{'':32}{'told':>10}{'not told':>10}")
    for name, words in _ROWS.items():
        told, untold = (figures[side][name] for side in ("with", "without"))
        click.echo(f"{words:32}{told:>10}{untold:>10}")
