"""Entries of the ledger as log records of OTLP: an event each, and the daemon's own notes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pointsman.model.decision import Cause
from pointsman.model.telemetry import Entry
from pointsman.telemetry import names
from pointsman.telemetry.otlp import Json, attributes, trace_id
from pointsman.telemetry.traces import about, decided, decision_span

_INFO, _WARN, _ERROR = (9, "INFO"), (13, "WARN"), (17, "ERROR")


def logs_of(entries: Iterable[Entry]) -> Iterator[Json]:
    """Yield the log records of entries; late hook runs are none."""
    for entry in entries:
        if entry.note:
            yield _note(entry.n, entry.note)
        elif entry.event and not entry.late:
            yield _event(entry.n, entry.event)


def _event(n: int, event: Mapping[str, Any]) -> Json:
    number, word = _severity(event)
    what = " ".join(filter(None, (event["event"], event["tool"], event["decision"])))
    return {
        "timeUnixNano": str(event["received_ns"]),
        "observedTimeUnixNano": str(event["received_ns"]),
        "severityNumber": number,
        "severityText": word,
        "eventName": "pointsman.decision",
        "body": {"stringValue": f"{what}: {event['reason']}" if event["reason"] else what},
        "attributes": attributes({names.LOG_UID: f"{n}", **about(event), **decided(event)}),
        "traceId": trace_id(event["host"], event["session"]),
        "spanId": decision_span(event),
    }


def _severity(event: Mapping[str, Any]) -> tuple[int, str]:
    if event["cause"] == Cause.FAILURE:
        return _ERROR
    return _WARN if event["decision"] in {"deny", "ask"} else _INFO


def _note(n: int, note: Mapping[str, Any]) -> Json:
    return {
        "timeUnixNano": str(note["ns"]),
        "observedTimeUnixNano": str(note["ns"]),
        "severityNumber": _INFO[0],
        "severityText": _INFO[1],
        "eventName": "pointsman.note",
        "body": {"stringValue": note["text"]},
        "attributes": attributes({names.LOG_UID: f"{n}", names.NOTE: note["kind"]}),
    }
