"""Processes started as cheaply as Python can, so that the harness does not drown the figure."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import BenchError


@dataclass(frozen=True, slots=True)
class Program:
    """What is started: its words, the file that is its stdin, its environment."""

    argv: Sequence[str]
    stdin: Path
    environ: Mapping[str, str]

    def start(self) -> int:
        """Start it with its output thrown away; return its process id."""
        actions: list[tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_OPEN, 0, str(self.stdin), os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        ]
        return os.posix_spawn(self.argv[0], list(self.argv), self.environ, file_actions=actions)


def once(program: Program) -> float:
    """Run a program to its end and return the microseconds that took.

    Raises:
        BenchError: it ended with another exit code than 0.
    """
    started = time.perf_counter_ns()
    pid = program.start()
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter_ns() - started
    _check(program, status)
    return took / 1e3


def alternately(programs: Sequence[Program], rounds: int) -> list[list[float]]:
    """Run the programs in turn, A B A B; return the samples of each in microseconds."""
    samples: list[list[float]] = [[] for _ in programs]
    for _ in range(rounds):
        for program, taken in zip(programs, samples, strict=True):
            taken.append(once(program))
    return samples


def side_by_side(program: Program, count: int, width: int) -> list[float]:
    """Keep ``width`` processes under way until ``count`` have ended; microseconds of each."""
    started: dict[int, int] = {}
    samples: list[float] = []
    begun = 0
    while len(samples) < count:
        while begun < count and len(started) < width:
            before = time.perf_counter_ns()
            started[program.start()] = before
            begun += 1
        pid, status = os.wait()
        ended = time.perf_counter_ns()
        before = started.pop(pid, 0)
        if before:
            _check(program, status)
            samples.append((ended - before) / 1e3)
    return samples


def _check(program: Program, status: int) -> None:
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise BenchError(f"{' '.join(program.argv)} ended with {code}")
