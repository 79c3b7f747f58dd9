"""What is told of a change: as an object for programs, as words for people."""

from collections.abc import Mapping
from typing import Any

from pointsman.model.alerting import Change, State

Message = Mapping[str, Any]
"""A change of an alert as JSON: what ``message_of`` makes."""

Sink = Mapping[str, str]
"""What the settings say of a sink, its files read."""

_MOST_SUMMARY = 500


class NotTold(Exception):
    """A message did not arrive; ``str`` says why."""


def message_of(change: Change) -> dict[str, Any]:
    """Return a change as one JSON object; times in ns since the epoch."""
    alert = change.alert
    return {
        "change": change.number,
        "alert": alert.number,
        "state": alert.state.value,
        "before": change.before.value,
        "severity": alert.severity.value,
        "detector": alert.detector,
        "key": alert.key,
        "summary": alert.summary,
        "text": change.text,
        "by": change.by,
        "agent": alert.agent,
        "agent_id": alert.agent_id,
        "session": alert.session,
        "host": alert.host,
        "repository": alert.repository,
        "count": alert.count,
        "at_ns": change.ns,
        "opened_ns": alert.opened_ns,
        "seqs": list(alert.seqs),
        "figures": dict(alert.figures),
        "show": f"pointsman alerts show {alert.number}",
    }


def title_of(message: Message) -> str:
    """Return one line."""
    over = message["state"] == State.RECOVERED
    word = "recovered" if over else f"{message['state']}"
    return f"Pointsman: {word}: {message['detector']} ({message['agent']})"


def body_of(message: Message) -> str:
    """Return some lines."""
    summary = str(message["summary"])[:_MOST_SUMMARY]
    lines = [summary]
    if message["text"] and message["text"] not in str(message["summary"]):
        lines.append(str(message["text"])[:_MOST_SUMMARY])
    if message["session"]:
        lines.append(f"session {message['session']}")
    return "\n".join([*lines, str(message["show"])])
