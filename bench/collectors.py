"""What a decision takes while what is on record is sent to a collector that behaves badly.

One daemon for each way of behaving, and one that sends nothing. They are asked in many short
blocks, each right behind or before one of that other, so that whatever else the machine does meets
both alike. What the sending itself takes of the processors can meet the other's block too: the
ratio is of what an answer waits for, not of what the machine has left.
Afterwards every collector is made a good one, and what has arrived is counted against what is on
record.
"""

import sys
import time
from contextlib import ExitStack
from pathlib import Path

from bench.figures import BenchError, Figure, median, ratio, rounded
from bench.rig import Effort, Rig, rig

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from relay.collector import Collector

_GOAL = 1.10
_NONE, _DOWN = "none", "down"
_MODES = (_NONE, "good", _DOWN, "slow", "refusing", "garbage")
_ARRIVES_WITHIN = 180.0
_SETTINGS = '[[telemetry.sinks]]\nname = "c"\nkind = "otlp"\nto = "{url}"\nsignals = ["traces"]\n'


class _Case:
    """One daemon and its collector."""

    def __init__(self, mode: str, made: Rig, stack: ExitStack) -> None:
        self.mode, self.rig = mode, made
        self.collector: Collector | None = None
        if mode != _NONE:
            self.collector = Collector()
            stack.callback(self.close)
            self.collector.mode = "good" if mode == _DOWN else mode
            if mode == _DOWN:
                self.collector.close()
            made.places.config.mkdir(parents=True)
            settings = _SETTINGS.format(url=self.collector.url)
            made.places.user_config.write_text(settings, encoding="utf-8")
        stack.enter_context(made.daemon())
        calls = [each for each in made.payloads() if b'"PreToolUse"' in each]
        self.frames = [made.frame(each) for each in calls]

    def close(self) -> None:
        """Stop listening."""
        if self.collector is not None:
            self.collector.close()

    def ask(self, count: int) -> list[float]:
        """Have so many decisions made; return what each took, in ms."""
        took = []
        for number in range(count):
            frame = self.frames[number % len(self.frames)]
            began = time.perf_counter()
            self.rig.ask(frame)
            took.append((time.perf_counter() - began) * 1e3)
        return took

    def recorded(self) -> int:
        """Return how many events are on record."""
        return int(self.rig.recorded("SELECT count(*) FROM events")[0][0])

    def arrived(self) -> int:
        """Make the collector a good one, and return how many events have come when all should."""
        assert self.collector is not None
        if self.mode == _DOWN:
            port = self.collector.port
            self.collector = Collector(port)
        self.collector.mode = "good"
        deadline = time.monotonic() + _ARRIVES_WITHIN
        wanted = self.recorded()
        while (found := len(self.collector.spans("pointsman.decision"))) < wanted:
            if time.monotonic() > deadline:
                raise BenchError(f"{self.mode}: {found} of {wanted} events have arrived")
            time.sleep(0.1)
        return found


def collectors(effort: Effort) -> list[Figure]:
    """Measure each way of behaving against no collector at all."""
    turns, each = effort.of(121, 5), 10
    with ExitStack() as stack:
        plain, *others = [_Case(mode, stack.enter_context(rig()), stack) for mode in _MODES]
        for case in (plain, *others):
            case.ask(10 * each)
        pairs: dict[str, list[tuple[float, float]]] = {case.mode: [] for case in others}
        for turn in range(turns):
            for case in others:
                pairs[case.mode].append(_pair(case, plain, each, plain_first=turn % 2 == 0))
        figures = [_latency(mode, found, each) for mode, found in pairs.items()]
        return [*figures, *(_loss(case) for case in others)]


def _pair(case: _Case, plain: _Case, each: int, *, plain_first: bool) -> tuple[float, float]:
    """Return the medians of two blocks that follow one another, with and without."""
    medians = {}
    for one in (plain, case) if plain_first else (case, plain):
        medians[one.mode] = median(one.ask(each))
    return medians[case.mode], medians[plain.mode]


def _latency(mode: str, pairs: list[tuple[float, float]], each: int) -> Figure:
    ratios = [ratio(mine, other) for mine, other in pairs]
    return Figure(
        name=f"decision, collector {mode} / none, p50",
        what="a decision over the socket while a collector behaves so, against none: the median "
        "of the ratios of blocks that follow one another",
        unit="x",
        value=median(ratios),
        goal=_GOAL,
        detail={
            "with_ms": rounded(median([mine for mine, _ in pairs])),
            "without_ms": rounded(median([other for _, other in pairs])),
            "lowest": rounded(min(ratios)),
            "highest": rounded(max(ratios)),
            "decisions_each": len(pairs) * each,
        },
    )


def _loss(case: _Case) -> Figure:
    arrived, recorded = case.arrived(), case.recorded()
    return Figure(
        name=f"events arrived / on record, collector {case.mode}",
        what="what has arrived once the collector behaves, against what is on record",
        unit="x",
        value=ratio(arrived, recorded),
        goal=1.0,
        at_least=True,
        detail={"arrived": arrived, "recorded": recorded},
    )
