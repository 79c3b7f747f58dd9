"""``pointsman hooks``: how each hook fares against its budget."""

import time
from typing import Any

import click

from pointsman.cli.covered import covered, echo_json
from pointsman.cli.places import places
from pointsman.engine.health import Rate, standing
from pointsman.store import summary
from pointsman.store.query import opened, parse_time

_FAILED = ("timed out", "crashed", "degraded")


@click.command()
@click.option("--since", help="Not before this day: ISO 8601, or 12h, 7d ago. Default: all.")
@click.option("--hook", help="Only this hook.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(since: str | None, hook: str | None, as_json: bool) -> None:
    """Show how often each hook ran, how long it took, and how it stands against its budget.

    Lengths are upper bounds, at most a quarter too high; days are whole, in UTC.
    """
    start = 0 if since is None else parse_time(since, time.time_ns())
    with opened(places().ledger) as connection:
        found = summary.hook_runs(connection, start)
    rows = [standing(runs) for runs in found if hook in {None, runs.hook}]
    if as_json:
        echo_json(rows, indent=2)
    elif not rows:
        click.echo("No hook has run yet. Next step: pointsman init, then let an agent work.")
    else:
        click.echo(covered("\n".join(_table(rows))))


def _table(rows: list[dict[str, Any]]) -> list[str]:
    head = ("hook", "event", "runs", "failed", "p50", "p95", "p99", "budget", "timeouts", "advice")
    cells = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(head))]
    text = frozenset({0, 1, 8, 9})
    return [
        "  ".join(
            cell.ljust(width) if place in text else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    failed = sum(row["outcomes"].get(name, 0) for name in _FAILED)
    lengths = (_shown(row[name]) for name in ("p50_ms", "p95_ms", "p99_ms", "budget_ms"))
    timeouts = Rate(row["timeout_rate"], row["timeout_rate_low"], row["timeout_rate_high"])
    said = f"{timeouts.share:.1%} ({timeouts.low:.1%} to {timeouts.high:.1%})"
    return (row["hook"], row["event"], str(row["runs"]), str(failed), *lengths, said, _advice(row))


def _advice(row: dict[str, Any]) -> str:
    wanted, budget = row["recommended_budget_ms"], row["budget_ms"]
    if wanted is None:
        return "too few runs"
    if row["timeouts"]:
        step = f"give it {_shown(wanted)}" if wanted > budget else "make it quicker"
        return f"runs out of time: {step}"
    return f"near its budget: give it {_shown(wanted)}" if row["near_budget"] else "well inside"


def _shown(ms: float | None) -> str:
    if ms is None:
        return "-"
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:.3g} ms"
