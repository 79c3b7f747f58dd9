"""An alert as a program reads it: what commands, daemon and dashboard say of one."""

from typing import Any

from pointsman.alerts.sources import APPROVAL
from pointsman.model.alerting import Alert, Change, Hold
from pointsman.store.query import iso


def as_json(alert: Alert) -> dict[str, Any]:
    """Return an alert as one JSON object; times are ISO 8601 in UTC."""
    return {
        "number": alert.number,
        "state": alert.state.value,
        "severity": alert.severity.value,
        "detector": alert.detector,
        "key": alert.key,
        "summary": alert.summary,
        "agent": alert.agent,
        "agent_id": alert.agent_id,
        "session": alert.session,
        "host": alert.host,
        "repository": alert.repository,
        "lasting": alert.lasting,
        "count": alert.count,
        "level": alert.level,
        "opened": iso(alert.opened_ns),
        "seen": iso(alert.seen_ns),
        "changed": iso(alert.changed_ns),
        "by": alert.by,
        "approval": alert.key if alert.detector == APPROVAL else None,
        "seqs": list(alert.seqs),
        "figures": dict(alert.figures),
    }


def change_as_json(change: Change) -> dict[str, Any]:
    """Return a change of an alert as one JSON object; ``change`` is its place in the order."""
    return {
        "change": change.number,
        "time": iso(change.ns),
        "before": change.before.value,
        "after": change.after.value,
        "by": change.by,
        "text": change.text,
    }


def hold_as_json(hold: Hold) -> dict[str, Any]:
    """Return whom a person has stopped as one JSON object."""
    return {
        "session": hold.session,
        "agent_id": hold.agent_id,
        "by": hold.by,
        "reason": hold.reason,
        "since": iso(hold.ns),
        "alert": hold.alert or None,
    }
