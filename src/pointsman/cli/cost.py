"""``pointsman cost``: what models have used, to the token, and what it costs, by anything."""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pointsman.cli.covered import covered, echo_json
from pointsman.cli.places import places
from pointsman.config.policy_loader import PolicyLoader
from pointsman.cost.prices import Prices
from pointsman.meter import report
from pointsman.meter.compare import Comparison, compared
from pointsman.meter.report import ALLOCATED, BY, Lens, Row
from pointsman.model.errors import ConfigError, LedgerError
from pointsman.model.tools import roles_of
from pointsman.model.usage import Amount, Usage, role_of
from pointsman.paths.repository import main_repository, repository_root
from pointsman.store import query, usage_query
from pointsman.store.usage_query import Chosen
from pointsman.store.usage_rows import MAIN

_FIGURES = ("input", "output", "cache read", "write 5m", "write 1h", "cost", "calls")
_NOTE = "allocated: a message's tokens divided evenly among the tool calls that it asked for"


@click.command()
@click.option("--by", type=click.Choice(BY), default="session", show_default=True,
              help="What to group by.")  # fmt: skip
@click.option("--since", help="Not before: ISO 8601, or 15m, 2h, 3d ago.")
@click.option("--until", help="Before: as --since.")
@click.option("--session", help="Of this session.")
@click.option("--repository", metavar="PATH", help="Of this repository, its worktrees included.")
@click.option(
    "--transcript", "transcripts", multiple=True, metavar="FILE",
    help="Read this transcript and its subagents', or a directory of them, instead of the record.",
)  # fmt: skip
@click.option("--host", "with_host", is_flag=True,
              help="Compare with what the host itself says of each session and model.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def command(
    by: str, transcripts: tuple[str, ...], with_host: bool, as_json: bool, **given: str | None
) -> None:
    """Show what models have used and what it costs; it needs no running daemon.

    Figures by tool and by call are allocated, all others are measured.
    """
    chosen, lens = _chosen(**given), _lens()
    if with_host:
        with _readable():
            found = list(compared(places().ledger, _files(transcripts), chosen, lens))
        _print_compared(found, as_json)
        return
    rows = _rows(by, transcripts, chosen, lens)
    if as_json:
        for row in rows:
            echo_json(row.as_dict(by))
        return
    click.echo(covered("\n".join(_lines(by, rows))))


def _chosen(
    since: str | None, until: str | None, session: str | None, repository: str | None
) -> Chosen:
    now = time.time_ns()
    root = None
    if repository is not None:
        real = os.path.realpath(repository)
        root = main_repository(repository_root(real) or real)
    return Chosen(
        session=session,
        repository=root,
        since=None if since is None else query.parse_time(since, now),
        until=None if until is None else query.parse_time(until, now),
    )


def _lens() -> Lens:
    def refuse(error: ConfigError) -> None:
        raise error

    prices, policies = Prices(places().prices, refuse), PolicyLoader(places())
    prices.refresh()
    known: dict[tuple[str | None, str], str] = {}

    def place(usage: Usage) -> Usage:
        at = (usage.repository, usage.agent_type or ("" if usage.agent_id else MAIN))
        if at not in known:
            known[at] = roles_of(at[1], policies.policy_for(at[0]).roles)
        return replace(usage, role=role_of(usage, known[at]))

    return Lens(price=prices.of, place=place)


def _rows(by: str, transcripts: tuple[str, ...], chosen: Chosen, lens: Lens) -> list[Row]:
    if not transcripts:
        with query.opened(places().ledger) as connection:
            usage_query.begin(connection)
            return report.of_ledger(connection, by, chosen, lens)
    with _readable():
        return report.of_files(_files(transcripts), by, chosen, lens)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Turn what the system says of a transcript into our own words."""
    try:
        yield
    except OSError as error:
        raise LedgerError(
            f"the transcript {error.filename} cannot be read: {error.strerror}",
            fix=f"ls -l {error.filename}",
        ) from error


def _files(transcripts: Iterable[str]) -> list[str]:
    """Return the transcripts that are meant, those in a directory the oldest first."""
    found: list[str] = []
    for name in transcripts:
        path = Path(os.path.realpath(name))
        if path.is_dir():
            # A fork begins with a copy of what is older than it.
            found += map(str, sorted(path.rglob("*.jsonl"), key=lambda each: each.stat().st_mtime))
        else:
            found.append(str(path))
    return found


def _lines(by: str, rows: list[Row]) -> Iterator[str]:
    if not rows:
        yield "nothing was used, as far as is on record"
        return
    yield from _table(
        [(by, *_FIGURES)]
        + [(_named(by, row), *_shown(row.amount)) for row in rows]
        + [("total", *_shown(report.total(rows)))]
    )
    if by in ALLOCATED:
        yield _NOTE
    unpriced = report.total(rows).unpriced
    if unpriced:
        yield f"calls of models without a price, in no sum of dollars: {unpriced}"
        yield f"next step: pointsman cost --by model, and give them prices in {places().prices}"


def _named(by: str, row: Row) -> str:
    nothing = "(no call)" if by in ALLOCATED else "(none)"
    more = [str(row.more[name]) for name in ("agent", "tool") if row.more.get(name)]
    told = f" ({', '.join(more)})" if more and more != [row.key] else ""
    return (row.key or nothing) + told


def _shown(figures: Amount) -> tuple[str, ...]:
    usd = figures.usd_nano / 1e9
    dollars = f"${usd:,.4f}" if usd >= 0.01 else f"${usd:,.6f}"
    if figures.unpriced:
        priced = figures.calls > figures.unpriced or figures.usd_nano
        dollars = f"{dollars} + unpriced" if priced else "unpriced"
    tokens = (
        figures.input_tokens,
        figures.output_tokens,
        figures.cache_read_tokens,
        figures.cache_write_5m_tokens,
        figures.cache_write_1h_tokens,
    )
    return (*(f"{count:,}" for count in tokens), dollars, f"{figures.calls:,}")


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()


def _print_compared(rows: list[Comparison], as_json: bool) -> None:
    if as_json:
        for each in rows:
            echo_json(each.as_dict())
        return
    lines: list[tuple[str, ...]] = [("session, model", *_FIGURES[:-1], "")]
    for each in rows:
        at: dict[str, Any] = {"transcript": each.ours, "host": each.theirs, "host only": each.rest}
        for name, figures in at.items():
            label = f"{each.session} {each.model}" if name == "transcript" else ""
            lines.append((label, *_shown(figures)[:-1], name))
    click.echo(covered("\n".join(_table(lines)) if rows else "the host has said nothing yet"))
