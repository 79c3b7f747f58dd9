"""``pointsman watch``: what every agent does now, in the terminal."""

import os
import sys
import time

import click

from pointsman.cli.acting import Commands
from pointsman.cli.places import places
from pointsman.model.errors import PointsmanError
from pointsman.model.places import Places
from pointsman.serve import state_dir
from pointsman.store.query import parse_time


@click.command()
@click.option(
    "--since", default="1h", show_default=True, help="Sessions heard of since: 15m, 2h, 3d."
)
def command(since: str) -> None:
    """Watch agents, decisions, cost, alerts and limits in the terminal.

    It reads the record and needs no daemon. Questions and alerts are answered in it, and agents
    stopped. ? shows the keys, q ends it.
    """
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise PointsmanError(
            "watch needs a terminal to draw on", fix="pointsman ledger tail --follow"
        )
    now = time.time_ns()
    window = max(60 * 10**9, now - parse_time(since, now))
    from pointsman.screen.app import WatchApp  # noqa: PLC0415 - Textual is dear and only needed here
    from pointsman.screen.feed import Feed  # noqa: PLC0415

    where = places()
    feed, acts = Feed(where.ledger, window), Commands(where)
    WatchApp(where, feed, lambda: _daemon(where), light=_is_light(), acts=acts).run()


def _daemon(where: Places) -> int | None:
    return state_dir.holder(where) if state_dir.locked(where) else None


def _is_light() -> bool:
    """Whether the terminal says that it is light: its colours are used either way."""
    background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return background in {"7", "15"}
