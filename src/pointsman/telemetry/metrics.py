"""Figures of the ledger as metrics of OTLP: cumulative sums, gauges, histograms."""

from collections.abc import Iterable, Iterator

from pointsman.model.telemetry import Family, Sample
from pointsman.telemetry.otlp import Json, attributes

_CUMULATIVE = 2


def metrics_of(families: Iterable[Family], since_ns: int, now_ns: int) -> Iterator[Json]:
    """Yield one metric for each family that has a value, counted since a time."""
    for family in families:
        if not family.samples:
            continue
        head = {"name": family.name, "description": family.doc, "unit": family.unit or "1"}
        since = family.since_ns or since_ns
        points = [_point(family, sample, since, now_ns) for sample in family.samples]
        yield head | _SHAPES[family.kind](points)


def _point(family: Family, sample: Sample, since_ns: int, now_ns: int) -> Json:
    point: Json = {"attributes": attributes(dict(sample.labels)), "timeUnixNano": str(now_ns)}
    if family.kind != "gauge":
        point["startTimeUnixNano"] = str(min(since_ns, now_ns))
    if family.kind != "histogram":
        return point | {"asDouble": float(sample.value)}
    counts = [count for _, count in sample.buckets] + [int(sample.value)]
    each = [after - before for before, after in zip([0, *counts], counts, strict=False)]
    return point | {
        "count": str(int(sample.value)),
        "sum": sample.total,
        "bucketCounts": [str(count) for count in each],
        "explicitBounds": [bound for bound, _ in sample.buckets],
    }


def _sum(points: list[Json]) -> Json:
    whole = {"aggregationTemporality": _CUMULATIVE, "isMonotonic": True, "dataPoints": points}
    return {"sum": whole}


def _gauge(points: list[Json]) -> Json:
    return {"gauge": {"dataPoints": points}}


def _histogram(points: list[Json]) -> Json:
    return {"histogram": {"aggregationTemporality": _CUMULATIVE, "dataPoints": points}}


_SHAPES = {"counter": _sum, "gauge": _gauge, "histogram": _histogram}
