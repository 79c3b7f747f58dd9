"""How time grows with the input: time(2n) / time(n) of everything that reads what an agent says.

Linear is 2. The figure is the worst doubling of the worst shape. Each time is processor time, and
the least of several runs that take turns: what is left is the program and not the machine.
"""

import contextlib
import gc
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.cases import Case, cases_of, payload_cases
from bench.figures import BenchError, Figure, ratio, rounded
from bench.rig import Effort, Rig, rig
from pointsman.hooks.all_hooks import SHIPPED

_GOAL = 2.2
_LEAST_S = 0.004
"""Seconds; what takes less is not worth a ratio on a machine that does other things too."""
_TELLING_S = 0.001
"""Seconds; below that a step of some table says more than the growth."""
_ENOUGH_S = 0.04
"""Seconds after which an input is not made larger."""
_LONGEST_S = 3.0
"""Seconds after which a call is ended; its ratio is then at least what is shown."""
_FIRST = 16
_TURNS = 3
_RETRIES = 4


@dataclass(frozen=True, slots=True)
class Doubling:
    """One step of a case: seconds at ``size`` and at twice that."""

    case: str
    size: int
    single: float
    double: float

    @property
    def ratio(self) -> float:
        """How many times longer twice the input took."""
        return ratio(self.double, self.single)


def growth(effort: Effort) -> list[Figure]:
    """Measure every shipped guard, and the reading of payloads."""
    with rig() as made, _home(made):
        return [
            *(growth_figure(guard, cases_of(guard, made), effort) for guard in SHIPPED),
            growth_figure("payload", payload_cases(), effort),
        ]


@contextlib.contextmanager
def _home(made: Rig) -> Iterator[None]:
    """Let HOME lead to the rig's while guards run in this process."""
    before = os.environ.get("HOME")
    os.environ["HOME"] = made.environ["HOME"]
    try:
        yield
    finally:
        if before is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = before


def growth_figure(name: str, cases: list[Case], effort: Effort) -> Figure:
    """Return the worst doubling of the worst case.

    Raises:
        BenchError: there are no cases.
    """
    if not cases:
        raise BenchError(f"the guard {name!r} is given no growing input: add some in bench/inputs")
    found, crashed = _found(cases, effort)
    about = f"time(2n)/time(n) of {name}, the worst doubling of {len(cases)} kinds of input"
    if not found:
        reason = f"no input takes {_LEAST_S * 1e3:g} ms even at its largest"
        return Figure(name=f"growth, {name}", what=about, unit="x", goal=_GOAL, reason=reason)
    worst = max(found, key=lambda each: each.ratio)
    return Figure(
        name=f"growth, {name}",
        what=about,
        unit="x",
        value=worst.ratio,
        goal=_GOAL,
        detail={
            "worst_input": worst.case,
            "n": worst.size,
            "time_n_ms": rounded(worst.single * 1e3),
            "time_2n_ms": rounded(worst.double * 1e3),
            "over_goal": "; ".join(each.case for each in found if each.ratio > _GOAL) or "none",
            "crashed_on": "; ".join(crashed) or "nothing",
            "kinds": len(cases),
            "slowest_ms": rounded(max(each.double for each in found) * 1e3),
        },
    )


def _found(cases: list[Case], effort: Effort) -> tuple[list[Doubling], list[str]]:
    """Return the worst doubling of each case, and what a guard crashed on."""
    found: list[Doubling] = []
    crashed = []
    for case in cases:
        try:
            worst = worst_doubling(case, effort)
        except Exception as error:  # noqa: BLE001 - a guard's bug is said, not what ends the bench
            crashed.append(f"{case.name} ({type(error).__name__}: {error})")
        else:
            found += [worst] if worst is not None else []
    by_name = {case.name: case for case in cases}
    return [_second_look(by_name[each.case], each, effort) for each in found], crashed


def _second_look(case: Case, first: Doubling, effort: Effort) -> Doubling:
    """Measure a doubling that missed the goal again, later: other work comes in bursts."""
    if first.ratio <= _GOAL or first.double >= _LONGEST_S:
        return first
    return min(first, _measured(case, first.size, effort), key=lambda each: each.ratio)


def worst_doubling(case: Case, effort: Effort) -> Doubling | None:
    """Return the doubling with the worst ratio, or ``None`` where all of it is too quick.

    Every doubling is looked at once; the largest and the one that looks worst are measured.
    """
    seen = _looked_at(case)
    slow = [size for size in seen if seen.get(2 * size, 0.0) >= _LEAST_S]
    if not slow:
        size, took = next(iter(seen.items()))
        return Doubling(case.name, size // 2, took / 2, took) if took >= _LONGEST_S else None
    chosen = {slow[-1], max(slow, key=lambda size: seen[2 * size] / seen[size])}
    measured = [_measured(case, size, effort) for size in chosen]
    telling = [each for each in measured if each.single >= _TELLING_S or each.double >= _ENOUGH_S]
    return max(telling, key=lambda each: each.ratio, default=None)


def _looked_at(case: Case) -> dict[int, float]:
    """Return seconds by size, up to the cap or until it takes long enough."""
    seen: dict[int, float] = {}
    size = _FIRST
    while size <= case.most:
        seen[size] = _once(case, size, 0)
        if seen[size] > _ENOUGH_S:
            break
        size *= 2
    return seen


def _measured(case: Case, size: int, effort: Effort) -> Doubling:
    """Measure one doubling; one that misses the goal is given more runs before it is believed."""
    single = double = float("inf")
    number = 0
    for _ in range(effort.of(_RETRIES, 1)):
        for _ in range(_TURNS):
            number += 1
            single = min(single, _once(case, size, number))
            double = min(double, _once(case, 2 * size, number))
            if double >= _LONGEST_S:
                break
        if double <= _GOAL * single or double >= _LONGEST_S:
            break
    return Doubling(case.name, size, single, double)


class _TooLong(BaseException):
    """Ends a call; no ``Exception``, because a guard may catch those."""


def _once(case: Case, size: int, number: int) -> float:
    """Return the seconds of one call, ``_LONGEST_S`` where it had to be ended."""
    call = case.prepare(size, number)
    gc.disable()  # As timeit does: its cost depends on what else this process keeps.
    before = signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, _LONGEST_S)
    started = time.process_time()
    try:
        call()
    except _TooLong:
        return _LONGEST_S
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return min(time.process_time() - started, _LONGEST_S)


def _end(number: int, frame: object) -> None:
    del number, frame
    raise _TooLong
