"""``pointsman alerts``: what was found wrong, and a person's answer to it."""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import click

from pointsman.alerted import as_json, change_as_json, hold_as_json
from pointsman.alerts.sources import APPROVAL
from pointsman.alerts.terms import terms_of
from pointsman.cli.alert_text import line, moved, stop_line, whole
from pointsman.cli.approval_text import line as question_line
from pointsman.cli.covered import covered
from pointsman.cli.person import answering, answering_alert
from pointsman.cli.places import places
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.alerting import OPEN, Alert, State
from pointsman.model.approval import Approval
from pointsman.model.errors import AlertError, DaemonUnreachable
from pointsman.serve import alert_answer, control
from pointsman.serve.alert_desk import AlertDesk
from pointsman.store import verdicts
from pointsman.store.alerts import AlertStore
from pointsman.store.approvals import Approvals
from pointsman.store.holds import Holds

_MOST = 100_000
_POLL = 0.5
_json = click.option("--json", "printed", is_flag=True, help="Print JSON.")
_NAMES = [state.value for state in State if state is not State.OK]


@click.group(invoke_without_command=True)
@click.option("--follow", is_flag=True, help="Print each change as it comes, until interrupted.")
@click.option("--after", type=click.IntRange(min=0), help="With --follow: first those behind N.")
@click.option("--json", "printed", is_flag=True, help="With --follow: print JSON lines.")
@click.pass_context
def command(ctx: click.Context, follow: bool, after: int | None, printed: bool) -> None:
    """See what was found wrong, and answer it: take it up, or stop whoever does it.

    It needs no running daemon.
    """
    if ctx.invoked_subcommand is None:
        if follow:
            _follow(after, printed)
        else:
            ctx.invoke(list_)


def _follow(after: int | None, printed: bool) -> None:
    store = _store()
    last = store.newest() if after is None else after
    while True:
        for change in store.after(last):
            last = change.number
            row = {**change_as_json(change), "alert": as_json(change.alert)}
            click.echo(json.dumps(row) if printed else moved(change))
        time.sleep(_POLL)


def _store() -> AlertStore:
    where = places()
    if not where.state.is_dir():
        raise AlertError(f"nothing was watched yet: there is no {where.state}", fix="pointsman up")
    return AlertStore(where.alerts)


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are over, too.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(_NAMES),
    help="Only those in this state; may be given several times.",
)  # fmt: skip
@click.option("--session", default="", help="Only those of this session.")
@click.option(
    "--limit", type=click.IntRange(min=1, max=_MOST), default=100, show_default=True,
    help="The newest N.",
)  # fmt: skip
@_json
def list_(
    every: bool = False,
    states: tuple[str, ...] = (),
    session: str = "",
    limit: int = 100,
    printed: bool = False,
) -> None:
    """Print what is open, the newest last."""
    wanted: Iterable[State] = [State(name) for name in states] or (() if every else OPEN)
    found = _store().some(wanted, limit, session) if places().alerts.exists() else []
    now = time.time_ns()
    for one in found:
        click.echo(json.dumps(as_json(one)) if printed else line(one, now))
    if not found and not printed:
        click.echo("nothing is open" if not states and not every else "none")


@command.command()
@click.argument("number", type=int)
@_json
def show(number: int, printed: bool) -> None:
    """Print one alert whole: what it was made of, and what became of it."""
    store = _store()
    one, history = store.get(number), store.history(number)
    stopped = [each for each in Holds(store).all() if each.session == one.session]
    if printed:
        row = {
            **as_json(one),
            "history": [change_as_json(each) for each in history],
            "stopped": [hold_as_json(each) for each in stopped],
        }
        click.echo(json.dumps(row, indent=2))
    else:
        click.echo(whole(one, history, stopped))


@command.command()
@click.argument("number", type=int)
@click.option("--note", default="", help="A word for the record.")
@_json
def ack(number: int, note: str, printed: bool) -> None:
    """Take an alert up: nobody else is told of it, unless it becomes worse."""
    done = answer_alert("alerts.ack", str(number), note)
    click.echo(json.dumps(done) if printed else f"alert {number} is acknowledged")


@command.command()
@click.argument("number", type=int)
@click.option("--note", default="", help="A word for the record.")
@_json
def resolve(number: int, note: str, printed: bool) -> None:
    """Say that an alert is over."""
    done = answer_alert("alerts.resolve", str(number), note)
    click.echo(json.dumps(done) if printed else f"alert {number} is over")


@command.command()
@click.argument("target")
@click.option("--agent", default="", help="A subagent of the session, by its id.")
@click.option("--whole", is_flag=True, help="The whole session of the alert.")
@click.option("--reason", default="", help="Why; the agent is told.")
@_json
def stop(target: str, agent: str, whole: bool, reason: str, printed: bool) -> None:
    """Stop the agent of an alert, or a session by its name, at its next call.

    TARGET is the number of an alert or a session. To stop a main thread is to stop its session.
    """
    done = answer_alert("alerts.stop", target, reason, agent=agent, whole=whole)
    if printed:
        click.echo(json.dumps(done))
        return
    who = f"agent {done['agent_id']} in" if done["agent_id"] else "all of"
    click.echo(f"{who} session {done['session']} is stopped at its next call")
    click.echo(f"to let it go on: pointsman alerts resume {done['session']}")


@command.command()
@click.argument("target")
@click.option("--agent", default="", help="Only this subagent, by its id.")
@_json
def resume(target: str, agent: str, printed: bool) -> None:
    """Let go on who was stopped in a session.

    TARGET is the number of an alert or a session.
    """
    done = answer_alert("alerts.resume", target, "", agent=agent)
    click.echo(json.dumps(done) if printed else f"session {done['session']} may go on")


@command.command()
@_json
def stops(printed: bool) -> None:
    """Print whom a person has stopped."""
    found = Holds(_store()).all() if places().alerts.exists() else []
    for hold in found:
        click.echo(json.dumps(hold_as_json(hold)) if printed else stop_line(hold))
    if not found and not printed:
        click.echo("nobody is stopped")


@command.command()
@click.argument("number", type=int)
@click.option("--note", default="", help="A word for the record and the agent.")
def approve(number: int, note: str) -> None:
    """Let exactly the call pass that waits behind this alert, once."""
    said = covered(note)
    _verdict(number, lambda store, name, by: verdicts.approve(store, name, by, said))


@command.command()
@click.argument("number", type=int)
@click.option("--reason", default="", help="Why; the agent is told.")
def deny(number: int, reason: str) -> None:
    """Say no to the call that waits behind this alert."""
    said = covered(reason)
    _verdict(number, lambda store, name, by: verdicts.refuse(store, name, by, said))


def _verdict(number: int, say: Callable[[Approvals, str, str], Approval]) -> None:
    alert: Alert = _store().get(number)
    if alert.detector != APPROVAL:
        raise AlertError(
            f"alert {number} is of {alert.detector}: no question waits behind it",
            fix=f"pointsman alerts show {number}",
        )
    store = Approvals(places().approvals)
    one = say(store, alert.key, answering(store))
    click.echo(question_line(one, store.clock()))


def answer_alert(name: str, target: str, note: str, **more: Any) -> dict[str, Any]:
    """Have the daemon do it, so that it takes hold at once; without one it is put on disk."""
    where = places()
    store = _store()
    given = {
        "target": target, "note": note, "by": answering_alert(where), "agent": "", "whole": False,
        **more,
    }  # fmt: skip
    try:
        done = control.ask(where, name, body=json.dumps(given).encode())
    except DaemonUnreachable:
        settings = PolicyLoader(where).policy_for(None).alerts
        desk = AlertDesk(store, lambda: terms_of(settings), covered)
        return alert_answer.carry_out(desk, name, given)
    if "error" in done:
        raise AlertError(done["error"], fix=done.get("fix", ""))
    return done
