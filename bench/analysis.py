"""What it takes to tell what a shell command does: the analysis alone, and how it grows."""

import json
import time
from collections.abc import Callable, Iterator

from bench.cases import Case
from bench.figures import BenchError, Figure, median, percentile, rounded
from bench.growth import growth_figure
from bench.inputs import COMMANDS, Shape
from bench.rig import SESSION, Effort
from pointsman.hooks.packs.all_packs import RULES
from pointsman.shell.analyse import analyse

_CWD, _HOME = "/srv/repository", "/home/somebody"


def analysis(effort: Effort) -> list[Figure]:
    """Time the analysis of short commands as agents type them, and of growing ones."""
    commands = [
        *_recorded(),
        *(text for rule in RULES.values() for text in (rule.stopped, rule.passes)),
    ]
    samples = []
    for number in range(effort.of(20, 2)):
        for command in commands:
            # No command twice: what was remembered of one must not answer for the next.
            text = f"{command} # {number}"
            started = time.perf_counter_ns()
            found = analyse(text, cwd=_CWD, home=_HOME)
            samples.append((time.perf_counter_ns() - started) / 1e3)
            if not found.steps:
                raise BenchError(f"nothing was analysed of {command!r}")
    figures = [
        Figure(
            name=f"shell analysis, p{share * 100:.0f}",
            what="time from a command to what it does",
            unit="µs",
            value=rounded(percentile(samples, share)),
            detail={"commands": len(commands), "runs": len(samples)},
        )
        for share in (0.5, 0.99)
    ]
    figures += [_long_argument(effort, kilobytes) for kilobytes in (100, 300)]
    return [*figures, growth_figure("shell analysis", [_case(each) for each in COMMANDS], effort)]


def _long_argument(effort: Effort, kilobytes: int) -> Figure:
    """Time one word of that many kilobytes; past the cap of 128 KiB the answer is that it is."""
    samples = []
    for number in range(effort.of(50, 5)):
        text = f"printf %s {number:07d}{'a' * kilobytes * 1000}"
        started = time.perf_counter_ns()
        analyse(text, cwd=_CWD, home=_HOME)
        samples.append((time.perf_counter_ns() - started) / 1e3)
    return Figure(
        name=f"shell analysis, argument of {kilobytes} KB",
        what="time for a command with one argument of that size, the median",
        unit="µs",
        value=rounded(median(samples)),
        detail={"worst_us": rounded(max(samples)), "runs": len(samples)},
    )


def _recorded() -> Iterator[str]:
    for line in SESSION.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        given = event.get("tool_input")
        if isinstance(given, dict) and isinstance(given.get("command"), str):
            yield given["command"]


def _case(shape: Shape) -> Case:
    def prepare(size: int, number: int) -> Callable[[], object]:
        text = shape.text(size, number)
        return lambda: analyse(text, cwd=_CWD, home=_HOME)

    return Case(shape.name, prepare, shape.most)
