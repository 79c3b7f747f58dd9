"""What all signals of OTLP have in common, in its JSON mapping.

By the specification of OTLP 1.x ("JSON Protobuf Encoding"): names in lowerCamelCase, trace and
span ids in hex, 64-bit integers as decimal strings, enumerations as numbers.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from pointsman.telemetry import names

SCOPE = "pointsman"
Json = dict[str, Any]
Resource = Mapping[str, str]


def resource_of(version: str, instance: str) -> Resource:
    """Return who speaks: this program, and which of a user's state directories it serves."""
    return {
        names.SERVICE: "pointsman",
        names.SERVICE_VERSION: version,
        names.SERVICE_INSTANCE: sha256(instance.encode()).hexdigest()[:32],
    }


def attributes(values: Mapping[str, Any]) -> list[Json]:
    """Return attributes as a list of keys and typed values; empty ones are left out."""
    return [
        {"key": key, "value": typed(value)}
        for key, value in values.items()
        if value is not None and value != ""
    ]


def typed(value: Any) -> Json:
    """Return one value as ``AnyValue``."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}


def trace_id(host: str, session: str) -> str:
    """Return the trace of a session: the same whenever it is sent."""
    return sha256(f"trace\0{host}\0{session}".encode("utf-8", "replace")).hexdigest()[:32]


def span_id(host: str, session: str, kind: str, key: object) -> str:
    """Return a span of a session by what it is of: the same whenever it is sent."""
    text = f"span\0{host}\0{session}\0{kind}\0{key}"
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def enveloped(signal: str, resource: Resource, version: str, items: Iterable[Json]) -> Json:
    """Return a whole request of one signal: ``spans``, ``logRecords`` or ``metrics``."""
    outer, inner = _NAMES[signal]
    scope = {"scope": {"name": SCOPE, "version": version}, signal: list(items)}
    return {outer: [{"resource": {"attributes": attributes(resource)}, inner: [scope]}]}


_NAMES = {
    "spans": ("resourceSpans", "scopeSpans"),
    "logRecords": ("resourceLogs", "scopeLogs"),
    "metrics": ("resourceMetrics", "scopeMetrics"),
}
