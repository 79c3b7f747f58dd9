"""The figures of the ledger as metrics, with labels whose values are bounded.

A label never holds a session, a call, a path or a text of an agent's. Events and tools are closed
lists; of hooks and models so many get a name, in the order in which they came first.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pointsman.model.events import DERIVED_EVENTS, HOST_EVENTS
from pointsman.model.telemetry import Family, Sample
from pointsman.model.usage import Amount
from pointsman.relay.progress import Position
from pointsman.relay.streams import World
from pointsman.relay.tally import OTHER, tool_label
from pointsman.store import totals
from pointsman.store.query import opened
from pointsman.telemetry.sink import Figures

MOST_HOOKS, MOST_MODELS = 100, 30
_OCTAVES = range(14, 36, 2)
"""Bounds of the histogram of hook runs: 2^14 ns (16 µs) to 2^34 ns (17 s), two octaves apart."""
_EVENTS = frozenset({*HOST_EVENTS, *DERIVED_EVENTS})
_DECISIONS = {"allow": "allowed", "deny": "denied", "ask": "asked", "modify": "modified"}
_TOKENS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write_5m": "cache_write_5m_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
}
Counts = Mapping[str, int]


def measured(world: World, now_ns: int) -> Figures:
    """Return all figures as they are now.

    Raises:
        LedgerError: there is no ledger, or it cannot be read.
    """
    with opened(world.ledger) as connection:
        connection.execute("BEGIN")  # One view of it all.
        whole = totals.events(connection, "all").get("", {})
        families = [
            *_of_events(whole, totals.events(connection, "event")),
            *_of_tools(totals.events(connection, "tool")),
            *_of_hooks(totals.runs(connection)),
            *_of_models(totals.models(connection)),
            *_of_streams(world.progress.all()),
            *(world.tally.families() if world.tally else ()),
        ]
        return Figures(families, totals.began(connection), now_ns)


def _of_events(whole: Counts, by_event: Mapping[str, Counts]) -> Iterator[Family]:
    events = _grouped(by_event, lambda name: name if name in _EVENTS else OTHER, "events")
    yield _counter("pointsman.events", "Events on record.", "event", events)
    decided = {name: whole.get(column, 0) for name, column in _DECISIONS.items()}
    decided["none"] = whole.get("events", 0) - sum(decided.values())
    yield _counter(
        "pointsman.decisions", "Decisions; none is an event without one.", "decision", decided
    )
    seconds = whole.get("duration_ns", 0) / 1e9
    yield Family(
        name="pointsman.decision.time", kind="counter", unit="s",
        doc="Time from an event's arrival to its answer, added up.", samples=(Sample((), seconds),),
    )  # fmt: skip


def _of_tools(by_tool: Mapping[str, Counts]) -> Iterator[Family]:
    for column, doc in (
        ("calls", "Tool calls that were asked about."),
        ("denied", "Tool calls that were denied."),
        ("failed", "Tool calls that failed."),
    ):
        values = _grouped(by_tool, tool_label, column)
        yield _counter(f"pointsman.tool.{column}", doc, "tool", values)


def _of_hooks(runs: Sequence[totals.Runs]) -> Iterator[Family]:
    named = _first(dict.fromkeys(each.hook for each in runs), MOST_HOOKS)
    outcomes: dict[tuple[str, str], int] = defaultdict(int)
    lengths: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    spent: dict[str, int] = defaultdict(int)
    for each in runs:
        hook = named(each.hook)
        outcomes[hook, each.outcome] += each.runs
        lengths[hook][each.bucket] += each.runs
        spent[hook] += each.duration_ns
    yield Family(
        name="pointsman.hook.runs", kind="counter", doc="Runs of hooks, by how they ended.",
        samples=tuple(
            Sample((("hook", hook), ("outcome", outcome)), count)
            for (hook, outcome), count in sorted(outcomes.items())
        ),
    )  # fmt: skip
    yield Family(
        name="pointsman.hook.duration", kind="histogram", unit="s", doc="How long hooks ran.",
        samples=tuple(
            Sample((("hook", hook),), sum(found.values()), _buckets(found), spent[hook] / 1e9)
            for hook, found in sorted(lengths.items())
        ),
    )  # fmt: skip


def _buckets(found: Mapping[int, int]) -> tuple[tuple[float, int], ...]:
    # Four buckets to each octave: a bound that is a power of two lies between two of them.
    return tuple(
        (2**octave / 1e9, sum(count for bucket, count in found.items() if bucket < 4 * octave))
        for octave in _OCTAVES
    )


def _of_models(used: Mapping[str, Amount]) -> Iterator[Family]:
    named = _first(used, MOST_MODELS)
    sums: dict[str, Amount] = defaultdict(Amount)
    for model, figures in used.items():
        sums[named(model)] += figures
    found = sorted(sums.items())
    yield Family(
        name="pointsman.tokens", kind="counter", doc="Tokens that models have used.",
        samples=tuple(
            Sample((("model", model), ("type", kind)), getattr(each, column))
            for model, each in found
            for kind, column in _TOKENS.items()
        ),
    )  # fmt: skip
    cost = {model: each.usd_nano / 1e9 for model, each in found}
    doc = "What models have cost; messages without a known price are not in it."
    yield _counter("pointsman.cost", doc, "model", cost, "USD")
    unpriced = {model: each.unpriced for model, each in found}
    doc = "Messages whose model has no known price."
    yield _counter("pointsman.cost.unpriced", doc, "model", unpriced)


def _of_streams(streams: Mapping[str, Position]) -> Iterator[Family]:
    for name in ("sent", "lost", "rejected"):
        values = {stream: getattr(each, name) for stream, each in streams.items()}
        yield _counter(f"pointsman.export.{name}", f"Events {name}, by stream.", "stream", values)
    waiting = {stream: each.waiting for stream, each in streams.items()}
    doc = "Entries of the ledger that wait to be sent."
    yield Family(
        name="pointsman.export.waiting", kind="gauge", doc=doc, samples=_samples("stream", waiting)
    )


def _counter(
    name: str, doc: str, label: str, values: Mapping[str, float], unit: str = ""
) -> Family:
    return Family(name=name, kind="counter", doc=doc, unit=unit, samples=_samples(label, values))


def _samples(label: str, values: Mapping[str, float]) -> tuple[Sample, ...]:
    return tuple(Sample(((label, value),), number) for value, number in sorted(values.items()))


def _grouped(
    counts: Mapping[str, Counts], name: Callable[[str], str], column: str
) -> dict[str, int]:
    out: dict[str, int] = defaultdict(int)
    for value, found in counts.items():
        out[name(value)] += found.get(column, 0)
    return out


def _first(names: Iterable[str], most: int) -> Callable[[str], str]:
    kept = frozenset(list(names)[:most])
    return lambda name: name if name in kept else OTHER
