"""Figures of the ledger in the text format of Prometheus, version 0.0.4."""

from collections.abc import Iterable, Iterator

from pointsman.model.telemetry import Family, Labels, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_UNITS = {"s": "seconds", "By": "bytes", "USD": "usd"}
_NEVER = {"\\": "\\\\", "\n": "\\n", '"': '\\"'}


def text_of(families: Iterable[Family]) -> str:
    """Return the page that is scraped."""
    return "".join(line + "\n" for family in families for line in _family(family))


def name_of(family: Family) -> str:
    """Return the name that a family has there: base unit and ``_total`` behind it."""
    parts = [family.name.replace(".", "_")]
    unit = _UNITS.get(family.unit)
    if unit and not parts[0].endswith(f"_{unit}"):
        parts.append(unit)
    if family.kind == "counter":
        parts.append("total")
    return "_".join(parts)


def _family(family: Family) -> Iterator[str]:
    name = name_of(family)
    doc = family.doc.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {name} {doc}"
    yield f"# TYPE {name} {family.kind}"
    for sample in family.samples:
        if family.kind == "histogram":
            yield from _histogram(name, sample)
        else:
            yield f"{name}{_labels(sample.labels)} {_number(sample.value)}"


def _histogram(name: str, sample: Sample) -> Iterator[str]:
    for bound, count in sample.buckets:
        yield f"{name}_bucket{_labels((*sample.labels, ('le', _number(bound))))} {count}"
    yield f"{name}_bucket{_labels((*sample.labels, ('le', '+Inf')))} {int(sample.value)}"
    yield f"{name}_sum{_labels(sample.labels)} {_number(sample.total)}"
    yield f"{name}_count{_labels(sample.labels)} {int(sample.value)}"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{key.replace(".", "_")}="{_escaped(value)}"' for key, value in labels)
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return "".join(_NEVER.get(letter, letter) for letter in value)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(value)
