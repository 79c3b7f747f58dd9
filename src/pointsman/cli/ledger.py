"""``pointsman ledger``: look into the audit trail."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import click

from pointsman.cli.covered import covered, echo_json
from pointsman.cli.ledger_purge import purge
from pointsman.cli.ledger_verify import key as key_
from pointsman.cli.ledger_verify import verify
from pointsman.cli.ledger_who import who
from pointsman.cli.places import places
from pointsman.model.decision import Action
from pointsman.store import query
from pointsman.store.record import NO_DECISION

_Command = Callable[..., None]
_DECISIONS = [*(action.value for action in Action), NO_DECISION]
_MOST = 2**63 - 1
"""The highest number that the ledger can hold."""


@click.group()
def command() -> None:
    """Look into the audit trail; it needs no running daemon."""


for _each in (verify, key_, who, purge):
    command.add_command(_each)


def _filters(function: _Command) -> _Command:
    """Add the options that choose events."""
    options = (
        click.option("--session", help="Of this session."),
        click.option("--agent", help="By this agent: its type or its id; main for the main one."),
        click.option("--tool", help="With this tool."),
        click.option("--decision", type=click.Choice(_DECISIONS), help="With this decision."),
        click.option("--event", help="Of this kind."),
        click.option("--hook", help="Decided by this hook."),
        click.option("--rule", help="Decided by this rule."),
        click.option("--path", help="About this file, what a glob means, or below a directory."),
        click.option("--since", help="Not before: ISO 8601, or 15m, 2h, 3d ago."),
        click.option("--until", help="Not after: as --since."),
    )
    # Decorators apply from the last up: so help lists them in this order.
    for option in reversed(options):
        function = option(function)
    return function


def _chosen(given: dict[str, str | None]) -> query.Filter:
    # One now for both bounds, or `--since 1h --until 1h` would not meet.
    now = time.time_ns()
    values: dict[str, Any] = {name: _as_recorded(text) for name, text in given.items()}
    for name in ("since", "until"):
        text = given[name]
        values[name] = None if text is None else query.parse_time(text, now)
    return query.Filter(**values)


def _as_recorded(text: str | None) -> str | None:
    """Return an argument as the record spells it: bytes that are no text are escaped."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


@command.command("query")
@_filters
@click.option(
    "--limit", type=click.IntRange(min=0, max=_MOST), default=100, show_default=True,
    help="The newest N; 0 for all.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def query_(limit: int, as_json: bool, **given: str | None) -> None:
    """Print events, the newest last."""
    _print(query.query(places().ledger, _chosen(given), limit), as_json)


@command.command()
@_filters
@click.option(
    "-n", "--lines", type=click.IntRange(min=0, max=_MOST), default=20, show_default=True,
    help="How many to begin with.",
)  # fmt: skip
@click.option("-f", "--follow", is_flag=True, help="Go on as they come; ^C ends.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def tail(lines: int, follow: bool, as_json: bool, **given: str | None) -> None:
    """Print the newest events, the newest last."""
    _print(query.tail(places().ledger, lines, _chosen(given), follow=follow), as_json)


@command.command()
@click.argument("seq", type=click.IntRange(min=1, max=_MOST))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(seq: int, as_json: bool) -> None:
    """Print event number SEQ whole: its payload, every hook that was asked, the answer."""
    row = query.show(places().ledger, seq)
    if as_json:
        echo_json(row, indent=2)
        return
    click.echo(covered("\n".join(_lines(row))))


def _lines(row: dict[str, Any]) -> Iterator[str]:
    for key, value in row.items():
        if key == "hook_runs":
            for run in value:
                yield (
                    f"  {run['outcome']:<12} {run['ms']:9.3f} ms  {run['hook']} ({run['role']} on "
                    f"{run['event']}) {run['reason']}"
                )
        elif value not in (None, "", []):
            yield f"{key:<16} {value}"


@command.command()
@_filters
@click.option("--json", "_json", is_flag=True, help="Print JSON lines, as it always does.")
def export(_json: bool, **given: str | None) -> None:
    """Print complete events as JSON lines: payloads, answers and hook runs included."""
    for row in query.export(places().ledger, _chosen(given)):
        echo_json(row)


def _print(rows: Iterable[dict[str, Any]], as_json: bool) -> None:
    for row in rows:
        if as_json:
            echo_json(row)
        else:
            click.echo(covered(_line(row)))


def _line(row: dict[str, Any]) -> str:
    what = " ".join(part for part in (row["event"], row["tool"], row["path"]) if part)
    said = row["decision"] if row["decision"] != "none" else "-"
    why = f"  {row['rule']}: {row['reason'].splitlines()[0]}" if row["reason"] else ""
    when = f"{row['seq']:>7} {row['time'][11:23]} {said:<6} {row['ms']:8.2f} ms"
    return f"{when} {row['agent']:<16} {what}{why}"
