"""``pointsman ledger purge``: what the host sent and was told goes, the record of it stays."""

import json
import time

import click

from pointsman.cli.places import places
from pointsman.model.errors import LedgerError
from pointsman.serve import control
from pointsman.store.query import parse_time


@click.command()
@click.option("--bodies", "what", flag_value="bodies", help="Remove payloads and answers.")
@click.option(
    "--secrets", "what", flag_value="secrets",
    help="Cover the secrets in them that are found by now.",
)  # fmt: skip
@click.option("--session", help="Of this session.")
@click.option("--seq", type=click.IntRange(min=1), help="Of this event.")
@click.option("--before", help="Of events before: ISO 8601, or 15m, 2h, 3d ago.")
@click.option("--all", "everything", is_flag=True, help="Of every event.")
def purge(
    what: str | None, session: str | None, seq: int | None, before: str | None, everything: bool
) -> None:
    """Remove the bodies of events, or cover secrets in them: the chain verifies as before.

    The daemon does it, in small steps, and puts it on the record with a signature.
    """
    given = {
        "session": session,
        "seq": seq,
        "before": parse_time(before, time.time_ns()) if before else None,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    if what is None:
        raise click.UsageError("say what: --bodies or --secrets")
    if bool(asked) == everything:
        raise click.UsageError("say of which events: --session, --seq, --before, or --all")
    count, start = 0, 0
    while True:
        more = {"what": what, "which": json.dumps(asked), "from": str(start)}
        told = control.ask(places(), "purge", more=more)
        if "error" in told:
            raise LedgerError(told["error"], fix=told["fix"])
        count += told["count"]
        if told["next"] is None:
            break
        start = told["next"]
    verb = "removed" if what == "bodies" else "covered secrets in"
    click.echo(f"{verb} the bodies of {count} events; the rest of their record stays")
