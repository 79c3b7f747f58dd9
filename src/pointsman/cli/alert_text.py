"""Alerts as a person reads them."""

from collections.abc import Sequence

from pointsman.cli.approval_text import harmless, span
from pointsman.model.alerting import OPEN, UNATTENDED, Alert, Change, Hold
from pointsman.store.query import iso

_MOST_SHOWN = 160


def line(alert: Alert, now_ns: int) -> str:
    """Return an alert as one line."""
    age = span((now_ns - alert.opened_ns) / 1e9)
    times = f", {alert.count} times" if alert.count > 1 else ""
    return harmless(
        f"{alert.number:>4}  {alert.state.value:<12} {age:>7} ago  {alert.detector:<16} "
        f"{alert.agent:<12} {_short(alert.summary)}{times}"
    )


def moved(change: Change) -> str:
    """Return a change as one line, for whoever follows."""
    alert = change.alert
    said = change.text or alert.summary
    return harmless(
        f"{iso(change.ns)[:19]}  {alert.number:>4}  {change.before} → {change.after}  "
        f"{alert.detector} ({alert.agent}, session {alert.session or 'none'}), by {change.by}: "
        f"{_short(said)}"
    )


def whole(alert: Alert, history: Sequence[Change], stopped: Sequence[Hold]) -> str:
    """Return an alert with what it was made of, what became of it, and what may be done."""
    figures = ", ".join(f"{name} {value}" for name, value in alert.figures.items())
    rows = [
        ("alert", f"{alert.number}, {alert.state.value} ({alert.severity.value})"),
        ("found by", f"{alert.detector}, {alert.count} times, key {alert.key}"),
        ("about", f"{alert.agent}, session {alert.session or 'none'} ({alert.host or 'our own'})"),
        ("where", alert.repository or "no repository"),
        ("what", alert.summary),
        ("figures", figures or "none"),
        ("events", ", ".join(map(str, alert.seqs)) or "none"),
        ("seen", f"{iso(alert.opened_ns)[:19]} to {iso(alert.seen_ns)[:19]}"),
        *(("taken up", f"by {alert.by}") for _ in [alert.by] if alert.by),
        *(("stopped", f"{_who(each)}, by {each.by}") for each in stopped),
    ]
    lines = [f"{name:<10}{text}" for name, text in rows]
    lines += ["", "history:"]
    lines += [
        f"  {iso(each.ns)[:19]}  {each.before} → {each.after}, by {each.by}: {each.text}"
        for each in history
    ]
    return harmless("\n".join([*lines, "", *_next(alert, stopped=bool(stopped))]))


def stop_line(hold: Hold) -> str:
    """Return whom a person has stopped as one line."""
    return harmless(
        f"{hold.session}  {_who(hold)}  since {iso(hold.ns)[:19]}, by {hold.by}: "
        f"{_short(hold.reason) or 'no reason given'}"
    )


def _who(hold: Hold) -> str:
    return f"agent {hold.agent_id}" if hold.agent_id else "the whole session"


def _next(alert: Alert, *, stopped: bool) -> list[str]:
    steps = []
    if alert.state in UNATTENDED:
        steps.append(f"pointsman alerts ack {alert.number}")
    if alert.state in OPEN and alert.session and not stopped:
        steps.append(f"pointsman alerts stop {alert.number}")
    if stopped:
        steps.append(f"pointsman alerts resume {alert.session}")
    if alert.state in OPEN and alert.detector == "approval":
        steps.append(f"pointsman alerts approve {alert.number}")
    steps.append(f"pointsman incident {alert.number}")
    return [f"{'' if n else 'next step:':<11}{step}" for n, step in enumerate(steps)]


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MOST_SHOWN else flat[: _MOST_SHOWN - 1] + "…"
