"""``pointsman approvals``: what agents have asked, and a person's answers."""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import click

from pointsman.cli.approval_text import as_json, line, stats_text, whole
from pointsman.cli.covered import covered, secret_in
from pointsman.cli.person import answering
from pointsman.cli.places import places
from pointsman.engine.fatigue import by_rule, figures
from pointsman.model.approval import Approval, State
from pointsman.model.errors import ApprovalError
from pointsman.store import verdicts
from pointsman.store.approvals import Approvals, moment
from pointsman.store.query import parse_time

_MOST = 100_000
_json = click.option("--json", "printed", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """See what agents have asked that nobody was there to answer, and answer it.

    It needs no running daemon.
    """


def _some(states: Iterable[State], limit: int) -> list[Approval]:
    """Return approvals, the newest last; where nothing has ever been asked there are none."""
    return _store().some(states, limit) if places().approvals.exists() else []


def _store() -> Approvals:
    where = places()
    if not where.state.is_dir():
        raise ApprovalError(
            f"nothing has been asked yet: there is no {where.state}", fix="pointsman up"
        )
    return Approvals(where.approvals)


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are settled, too.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice([state.value for state in State]),
    help="Only those in this state; may be given several times.",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(min=1, max=_MOST), default=100, show_default=True,
    help="The newest N.",
)  # fmt: skip
@_json
def list_(every: bool, states: tuple[str, ...], limit: int, printed: bool) -> None:
    """Print what waits for an answer, the newest last."""
    wanted = [State(name) for name in states]
    if not wanted and not every:
        wanted = [State.WAITING, State.APPROVED]
    now = moment()
    found = _some(wanted, limit)
    for one in found:
        click.echo(json.dumps(as_json(one, now)) if printed else line(one, now))
    if not found and not printed:
        click.echo("nothing waits for an answer" if not states and not every else "none")


@command.command()
@click.argument("name", metavar="ID")
@_json
def show(name: str, printed: bool) -> None:
    """Print one question whole: the call, its risk, what would undo it, and its history."""
    store = _store()
    one = store.show(name)
    history = store.history(one.id)
    if printed:
        row = as_json(one, store.clock()) | {"history": [asdict(each) for each in history]}
        click.echo(json.dumps(row, indent=2))
    else:
        click.echo(whole(one, history, store.clock()))


@command.command()
@click.argument("name", metavar="ID")
@click.option("--note", default="", help="A word for the record and the agent.")
@click.option(
    "--any-session", is_flag=True,
    help="Also in a later session of the same agent in the same directory.",
)  # fmt: skip
@_json
def approve(name: str, note: str, any_session: bool, printed: bool) -> None:
    """Let exactly this call pass, once."""
    said = covered(note)
    _say(
        lambda store, by: verdicts.approve(store, name, by, said, any_session=any_session), printed
    )


@command.command()
@click.argument("name", metavar="ID")
@click.option("--reason", default="", help="Why; the agent is told.")
@_json
def deny(name: str, reason: str, printed: bool) -> None:
    """Say no: the same call stays stopped, and the agent is told why."""
    said = covered(reason)
    _say(lambda store, by: verdicts.refuse(store, name, by, said), printed)


@command.command()
@click.argument("name", metavar="ID")
@click.option(
    "--input", "given", required=True, help="The whole new input as a JSON object; - reads stdin."
)
@click.option("--note", default="", help="A word for the record and the agent.")
@click.option(
    "--any-session", is_flag=True,
    help="Also in a later session of the same agent in the same directory.",
)  # fmt: skip
@_json
def modify(name: str, given: str, note: str, any_session: bool, printed: bool) -> None:
    """Let the call pass with another input; the guards look at that one, too."""
    text, said = sys.stdin.read() if given == "-" else given, covered(note)
    changed = _object(text)
    kind = secret_in(text)
    if kind:
        raise ApprovalError(
            f"the input holds a {kind}: it would be kept and run in plain sight",
            fix="name the variable or the file that it stands in",
        )
    _say(
        lambda store, by: verdicts.approve(
            store, name, by, said, modified=changed, any_session=any_session
        ),
        printed,
    )


@command.command()
@click.option("--since", default="30d", show_default=True, help="ISO 8601, or 15m, 2h, 3d ago.")
@_json
def stats(since: str, printed: bool) -> None:
    """Print how much is asked and how it is answered, and whether anybody still reads it."""
    from_ns = parse_time(since, moment().wall_ns)
    asked = [one for one in _some((), _MOST) if one.created_ns >= from_ns]
    total, each = figures(asked), by_rule(asked)
    if printed:
        rows = {rule: asdict(one) for rule, one in each.items()}
        click.echo(json.dumps({"since": since, "all": asdict(total), "rules": rows}, indent=2))
    else:
        click.echo(stats_text(total, each))


def _say(verdict: Callable[[Approvals, str], Approval], printed: bool) -> None:
    store = _store()
    one = verdict(store, answering(store))
    now = store.clock()
    click.echo(json.dumps(as_json(one, now)) if printed else line(one, now))
    if one.state is State.APPROVED and not printed:
        where = "any session" if not one.binding.session else f"session {one.binding.session}"
        click.echo(
            f"good for one call of exactly this by {one.binding.agent} in {where}, "
            f"for {one.terms.valid_for / 60:g} minutes"
        )


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"it is no JSON: {error}", param_hint="--input") from None
    if not isinstance(value, dict):
        raise click.BadParameter("it is no JSON object", param_hint="--input")
    return value
