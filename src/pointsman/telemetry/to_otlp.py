"""A collector that speaks OTLP over HTTP with JSON."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pointsman.model.telemetry import Entry
from pointsman.telemetry.logs import logs_of
from pointsman.telemetry.metrics import metrics_of
from pointsman.telemetry.otlp import Json, enveloped
from pointsman.telemetry.post import Given, NotDelivered, Rejected, post
from pointsman.telemetry.sink import CHATS, LOGS, METRICS, MOST_BODY, TRACES, Figures, Reject, Sink
from pointsman.telemetry.traces import chats_of, spans_of

SIGNALS = (TRACES, METRICS, LOGS)
_ENCODERS: dict[str, tuple[str, Callable[[Iterable[Entry]], Iterable[Json]]]] = {
    TRACES: ("spans", spans_of),
    CHATS: ("spans", chats_of),
    LOGS: ("logRecords", logs_of),
}
_REJECTED = ("rejectedSpans", "rejectedLogRecords", "rejectedDataPoints")


def deliver(sink: Sink, signal: str, entries: Sequence[Entry]) -> None:
    """Send entries as spans or as log records."""
    name, encode = _ENCODERS[signal]
    items = list(encode(entries))
    if items:
        _send(sink, TRACES if signal == CHATS else signal, name, items)


def deliver_figures(sink: Sink, figures: Figures) -> None:
    """Send the figures as they are now: who misses one misses nothing, they add up."""
    items = list(metrics_of(figures.families, figures.since_ns, figures.now_ns))
    if items:
        _send(sink, METRICS, "metrics", items)


def _send(sink: Sink, signal: str, name: str, items: list[Json]) -> None:
    request = enveloped(name, sink.resource, sink.version, items)
    body = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
    data = body.encode("utf-8", "replace")
    if len(data) > MOST_BODY:
        raise Rejected(f"a request of {len(data)} bytes is more than {MOST_BODY}")
    given = post(f"{sink.to.rstrip('/')}/v1/{signal}", data, sink.headers, sink.timeout)
    _check(given)


def _check(given: Given) -> None:
    """Read the answer: an empty one is a yes, what is no OTLP at all is none.

    A proxy's page with status 200 must not pass for a collector that has taken the data.
    """
    if not given.body.strip():
        return
    try:
        answer: Any = json.loads(given.body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        said = given.body[:60].decode("utf-8", "replace")
        raise NotDelivered(f"it answers {given.status} with what is no OTLP: {said!r}")
    partial = answer.get("partialSuccess")
    if not isinstance(partial, dict):
        return
    count = sum(_count(partial.get(each)) for each in _REJECTED)
    if count:
        raise Reject(f"it rejects: {str(partial.get('errorMessage', ''))[:120]!r}", count)


def _count(value: object) -> int:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 12 else 0
