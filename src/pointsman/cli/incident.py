"""``pointsman incident``: the draft of a post-mortem, from the record around an alert."""

from pathlib import Path
from typing import Any

import click

from pointsman.alerted import as_json, change_as_json, hold_as_json
from pointsman.alerts.incident import Found, incident
from pointsman.alerts.incident_text import markdown
from pointsman.cli.approval_text import harmless
from pointsman.cli.covered import covered, echo_json
from pointsman.cli.places import places
from pointsman.model.alerting import Alert
from pointsman.model.errors import AlertError, LedgerError
from pointsman.model.usage import TOKEN_FIELDS
from pointsman.store import query, usage_query
from pointsman.store.alerts import AlertStore
from pointsman.store.holds import Holds

_MOST_ROWS = 5000


@click.command()
@click.argument("number", type=int)
@click.option(
    "--before", type=click.IntRange(1, 1440), default=30, show_default=True,
    help="Minutes of the record before it.",
)  # fmt: skip
@click.option("--json", "printed", is_flag=True, help="Print JSON.")
def command(number: int, before: int, printed: bool) -> None:
    """Draft a post-mortem of an alert, in Markdown, from the record around it."""
    where = places()
    if not where.alerts.exists():
        raise AlertError(f"no alert has the number {number}", fix="pointsman alerts list --all")
    store = AlertStore(where.alerts)
    draft = incident(_found(store, store.get(number), where.ledger, before))
    if printed:
        echo_json(draft, indent=2)
    else:
        click.echo(harmless(covered(markdown(draft))), nl=False)


def _found(store: AlertStore, alert: Alert, ledger: Path, before: int) -> Found:
    since = alert.opened_ns - before * 60 * 10**9
    history = store.history(alert.number)
    until = max(alert.seen_ns, alert.opened_ns, *(each.ns for each in history)) + 10**9
    wanted = query.Filter(session=alert.session or None, since=since, until=until)
    try:
        rows = list(query.query(ledger, wanted, _MOST_ROWS))
        cost = _cost(ledger, alert.session, since, until)
    except LedgerError:
        rows, cost = [], {}  # The alerts have a file of their own, and may be all that is left.
    others = store.some(session=alert.session) if alert.session else []
    holds = Holds(store).history(alert.session) if alert.session else []
    return Found(
        alert={**as_json(alert), "agent_type": alert.agent_type},
        history=[change_as_json(each) for each in history],
        holds=[
            {"kind": each.kind, **hold_as_json(each.hold)}
            for each in holds
            if each.hold.ns >= since
        ],
        rows=rows,
        others=[as_json(other) for other in others if other.opened_ns >= since],
        cost=cost,
        cut=len(rows) == _MOST_ROWS,
    )


def _cost(ledger: Path, session: str, since: int, until: int) -> dict[str, Any]:
    chosen = usage_query.Chosen(session=session or None, since=since, until=until)
    with query.opened(ledger) as connection:
        sums = usage_query.sums(connection, "total", chosen)
    amount = next(iter(sums.values()), None)
    if amount is None:
        return {}
    tokens = sum(getattr(amount, name) for name in TOKEN_FIELDS)
    # A sum in which nothing has a price is unknown, and not nought.
    usd = None if amount.unpriced == amount.calls else amount.usd_nano / 1e9
    return {"tokens": tokens, "usd": usd, "unpriced": amount.unpriced}
