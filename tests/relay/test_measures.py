"""The figures: bounded labels, whatever names come by."""

from pathlib import Path

from pointsman.model.telemetry import Family
from pointsman.relay.measures import MOST_HOOKS, measured
from pointsman.relay.progress import Progress
from pointsman.relay.streams import World
from pointsman.relay.tally import OTHER
from pointsman.store.ledger import Ledger
from store.records import record, run


def families(tmp_path: Path) -> dict[str, Family]:
    progress = Progress(tmp_path / "telemetry.json")
    progress.of("col/traces").sent = 7
    world = World(tmp_path / "ledger.db", progress, lambda _kind, _text: None)
    figures = measured(world, 5)
    assert figures.since_ns > 0
    return {each.name: each for each in figures.families}


def values(family: Family) -> dict[tuple[str, ...], float]:
    return {tuple(value for _, value in each.labels): each.value for each in family.samples}


def test_labels_are_bounded(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    many = tuple(run(f"own-{n:03}") for n in range(MOST_HOOKS + 20))
    ledger.append([
        record("a", tool="Bash", runs=many),
        *(record(f"m{n}", tool=f"mcp__server{n}__do") for n in range(30)),
        *(record(f"o{n}", tool=f"Invented{n}", session=f"s{n}") for n in range(30)),
    ])  # fmt: skip
    found = families(tmp_path)
    ledger.close()
    assert values(found["pointsman.tool.calls"]) == {("Bash",): 1, ("mcp",): 30, (OTHER,): 30}
    assert values(found["pointsman.events"]) == {("PreToolUse",): 61}
    runs = values(found["pointsman.hook.runs"])
    assert len(runs) == MOST_HOOKS + 1
    assert runs[OTHER, "no opinion"] == 20
    assert values(found["pointsman.export.sent"]) == {("col/traces",): 7}


def test_a_histogram_counts_what_is_below_each_bound(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    lengths = (1, 2**14 - 1, 2**14, 2**16 - 1, 2**20, 2**40)
    ledger.append([record("a", runs=tuple(run("h", duration_ns=each) for each in lengths))])
    (sample,) = families(tmp_path)["pointsman.hook.duration"].samples
    ledger.close()
    bounds = {round(bound * 1e9): count for bound, count in sample.buckets}
    assert (bounds[2**14], bounds[2**16], bounds[2**20], bounds[2**22]) == (2, 4, 4, 5)
    assert (sample.value, bounds[2**34]) == (6, 5)
    assert sample.total == sum(lengths) / 1e9
