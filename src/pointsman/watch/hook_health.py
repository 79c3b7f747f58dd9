"""Hooks that fail again and again, and such as need nearly all the time they have."""

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from typing import Any

from pointsman.model.alert import Severity
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.watch.detector import Detector, Seen, Sight

_MOST_HOOKS = 128
_RUNS = 20
_FAILED = frozenset({Outcome.CRASHED, Outcome.TIMED_OUT})


class _Marks:
    """Of each hook's last twenty runs, which had a mark: as the numbers of those runs."""

    def __init__(self) -> None:
        self._hooks: OrderedDict[str, tuple[int, deque[int]]] = OrderedDict()

    def add(self, hook: str, *, marked: bool) -> int:
        """Add a run; return how many of the last twenty have the mark."""
        number, marks = self._hooks.pop(hook, (0, deque[int]()))
        self._hooks[hook] = number + 1, marks
        if len(self._hooks) > _MOST_HOOKS:
            self._hooks.popitem(last=False)
        while marks and marks[0] <= number - _RUNS:
            marks.popleft()
        if marked:
            marks.append(number)
        return len(marks)

    def count(self, hook: str) -> int:
        """Return how many of a hook's last twenty runs have the mark."""
        number, marks = self._hooks.get(hook, (0, deque[int]()))
        return sum(mark >= number - _RUNS for mark in marks)


def _asked(seen: Seen) -> Iterator[HookRun]:
    return (run for run in seen.runs if run.outcome is not Outcome.SKIPPED)


class HookFailures(Detector):
    """Finds hooks that crash or run out of time so often among their last twenty runs."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._marks = _Marks()

    def event(self, seen: Seen) -> Sight | None:
        """Look at how the hooks of an event have ended."""
        found = None
        for run in _asked(seen):
            failed = run.outcome in _FAILED or run.broke is not None
            count = self._marks.add(run.hook, marked=failed)
            if failed and count >= self.limits["warn"]:
                found = self._sight(run, count, seen)
        return found

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether fewer of its last runs have failed."""
        del now_ns
        return self._marks.count(key) < self.limits["warn"]

    def _sight(self, run: HookRun, count: int, seen: Seen) -> Sight:
        return Sight(
            key=run.hook,
            severity=Severity.CRITICAL if run.role is Role.GUARD else self.severity(count),
            summary=f"the {run.role} {run.hook!r} has failed {count} times in its last {_RUNS} "
            f"runs, the last: {run.reason[:200]}",
            figures={"count": count, "hook": run.hook},
            seqs=(seen.seq,),
        )


class HookBudget(Detector):
    """Finds hooks that take so many percent of their budget, or all of it, so often."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._marks = _Marks()

    def event(self, seen: Seen) -> Sight | None:
        """Look at how long the hooks of an event have taken."""
        found = None
        for run in _asked(seen):
            taken = run.duration_ns / 1e9
            near = run.budget > 0 and taken >= run.budget * self.limits["percent"] / 100
            count = self._marks.add(run.hook, marked=near)
            if near and count >= self.limits["warn"]:
                found = Sight(
                    key=run.hook,
                    severity=Severity.WARNING,
                    summary=f"the {run.role} {run.hook!r} took {taken:.2f} s of the "
                    f"{run.budget:g} s it has, as it did {count} times in its last {_RUNS} runs",
                    figures={"count": count, "hook": run.hook, "seconds": round(taken, 3)},
                    seqs=(seen.seq,),
                )
        return found

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether fewer of its last runs took that long."""
        del now_ns
        return self._marks.count(key) < self.limits["warn"]
