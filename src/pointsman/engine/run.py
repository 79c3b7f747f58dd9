"""Run one hook inside its budget, and say what became of it.

A coroutine runs in a cancel scope: cancellation is delivered again at every await, so a hook
that swallows it once is still ended. One that swallows it for ever is left behind after a grace
period and recorded as such; what is foreign or synchronous runs in a process that its worker
kills (``workers/``).
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import anyio

from pointsman.model.budget import Budget
from pointsman.model.decision import Decision, failure
from pointsman.model.errors import HookError, PointsmanError
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, HookRun, Outcome, Role, Run

GRACE = 0.25
"""Seconds that a cancelled hook has to let go before it is left behind."""

_MOST_LINES = 200
_FIX = "A person can see more with: pointsman ledger tail --json"


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the engine sees it: wall clock in ns for the record, monotonic in s for budgets."""

    wall_ns: Callable[[], int] = time.time_ns
    monotonic: Callable[[], float] = time.monotonic


class _TimedOut(Exception):
    """The budget ended; ``left_behind`` if the hook would not let go."""

    def __init__(self, *, left_behind: bool = False) -> None:
        super().__init__()
        self.left_behind = left_behind


Asked = tuple[Hook, Event]
"""A hook and the event it is asked about."""

Seconds = Callable[[Hook, Event], float]
"""How long a hook may take on an event."""


def is_plain(hook: Hook) -> bool:
    """Whether a hook runs on the spot: a plain function, or one that is skipped anyway."""
    return bool(hook.skip) or not _waits(hook.run)


@lru_cache(maxsize=512)
def _waits(run: Run) -> bool:
    # Asked of every hook for every event: to find it out takes longer than some hooks do.
    return inspect.iscoroutinefunction(run)


def run_plain(asked: Iterable[Asked], budget: Seconds, clock: Clock) -> list[HookRun]:
    """Run hooks that are plain functions, one after the other; each is bounded by construction."""
    return [_Run(hook, event, budget(hook, event), clock).plain() for hook, event in asked]


async def run_all(asked: Iterable[Asked], budget: Seconds, clock: Clock) -> list[HookRun]:
    """Run these hooks side by side and return one record each, in their order."""
    runs = [_Run(hook, event, budget(hook, event), clock) for hook, event in asked]
    if all(is_plain(run.hook) for run in runs):
        return [run.plain() for run in runs]
    return list(await asyncio.gather(*(run.awaited() for run in runs)))


class _Run:
    """One hook on one event; whatever it does, a record comes back."""

    def __init__(self, hook: Hook, event: Event, seconds: float, clock: Clock) -> None:
        self.hook = hook
        self._event = event
        self._seconds = seconds
        self._clock = clock
        self._lines: list[str] = []

    def plain(self) -> HookRun:
        context = self._begin()
        if self.hook.skip:
            return self._end(_Ended(Outcome.SKIPPED, self.hook.skip), context)
        try:
            ended = _answered(self.hook, self.hook.run(self._event, context))
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything
            ended = _crashed(error)
        return self._end(ended, context)

    async def awaited(self) -> HookRun:
        if is_plain(self.hook):
            return self.plain()
        context = self._begin()
        try:
            answer = self.hook.run(self._event, context)
            if inspect.isawaitable(answer):
                answer = await _bounded(answer, self._seconds)
            ended = _answered(self.hook, answer)
        except _TimedOut as signal:
            ended = _timed_out(self._seconds, left_behind=signal.left_behind)
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything
            ended = _crashed(error)
        return self._end(ended, context)

    def _begin(self) -> HookContext:
        self._started_ns = self._clock.wall_ns()
        self._started = self._clock.monotonic()
        return HookContext(
            budget=Budget.of(self._seconds, self._clock.monotonic),
            log=_line_logger(self._lines),
            settings=self.hook.settings,
        )

    def _end(self, ended: "_Ended", context: HookContext) -> HookRun:
        took = self._clock.monotonic() - self._started
        # A plain function cannot be ended meanwhile: it is held to its budget afterwards.
        if ended.outcome in _ANSWERED and took >= self._seconds:
            ended = _timed_out(self._seconds, left_behind=False)
        decision = _verdict(self.hook, self._event, ended, context)
        return HookRun(
            hook=self.hook.name,
            role=self.hook.role,
            kind=self._event.kind,
            started_ns=self._started_ns,
            duration_ns=int(took * 1e9),
            outcome=_degraded(self.hook, ended, context),
            budget=self._seconds,
            reason=ended.reason or (decision.reason if decision else ""),
            decision=decision,
            lines=tuple(self._lines),
            broke=ended.outcome if ended.outcome in _BROKEN else None,
        )


@dataclass(frozen=True, slots=True)
class _Ended:
    outcome: Outcome
    reason: str = ""
    decision: Decision | None = None


_ANSWERED = frozenset({Outcome.DECIDED, Outcome.NO_OPINION})
_BROKEN = frozenset({Outcome.TIMED_OUT, Outcome.CRASHED})


def _crashed(error: Exception) -> _Ended:
    text = str(error) if isinstance(error, PointsmanError) else f"{type(error).__name__}: {error}"
    return _Ended(Outcome.CRASHED, text)


async def _bounded(answer: Awaitable[Decision | None], seconds: float) -> Decision | None:
    task = asyncio.ensure_future(_scoped(answer, seconds))
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds + GRACE)
    except asyncio.CancelledError:
        # `asyncio.wait` leaves what it waits for alone: the hook must not outlive who asked.
        task.cancel()
        raise
    if not done:
        task.cancel()
        task.add_done_callback(_retrieve)
        raise _TimedOut(left_behind=True)
    # Its result would raise CancelledError here, as if we ourselves were being ended.
    if task.cancelled():
        raise HookError("it cancelled itself")
    return task.result()


async def _scoped(answer: Awaitable[Decision | None], seconds: float) -> Decision | None:
    try:
        with anyio.move_on_after(seconds):
            return await answer
    except SystemExit as error:  # A hook's `sys.exit` must not end the daemon.
        raise HookError(f"it called sys.exit({error.code!r})") from None
    # Out of the scope without an answer: the scope has swallowed its own cancellation.
    raise _TimedOut


def _retrieve(task: "asyncio.Future[Decision | None]") -> None:
    """Fetch the result of a hook that was left behind, so that nothing warns about it."""
    if not task.cancelled():
        task.exception()


def _timed_out(seconds: float, *, left_behind: bool) -> _Ended:
    tail = "; it would not stop and its outcome is unknown" if left_behind else ""
    return _Ended(Outcome.TIMED_OUT, f"no answer within its budget of {seconds:g} s{tail}")


def _answered(hook: Hook, answer: object) -> _Ended:
    if answer is None:
        return _Ended(Outcome.NO_OPINION)
    if not isinstance(answer, Decision):
        return _Ended(Outcome.CRASHED, f"unreadable answer: {type(answer).__name__}, no Decision")
    if hook.role is Role.GUARD or answer.action is None:
        return _Ended(Outcome.DECIDED, decision=answer.by(hook.name))
    reason = f"{hook.role} hooks do not decide; its {answer.action} was put aside"
    return _Ended(Outcome.DEGRADED, reason, replace(answer, action=None, hook=hook.name))


def _degraded(hook: Hook, ended: _Ended, context: HookContext) -> Outcome:
    """Name the outcome: an enricher that failed but left something behind is degraded."""
    if hook.role is Role.ENRICHER and ended.outcome in _BROKEN and context.pieces:
        return Outcome.DEGRADED
    return ended.outcome


def _verdict(hook: Hook, event: Event, ended: _Ended, context: HookContext) -> Decision | None:
    if hook.role is Role.GUARD and ended.outcome in _BROKEN:
        reason = f"the guard {hook.name!r} gave no answer on {event.kind}: {ended.reason}. {_FIX}"
        rule = "guard.timed-out" if ended.outcome is Outcome.TIMED_OUT else "guard.crashed"
        return failure(reason, rule=rule).by(hook.name)
    decision = ended.decision
    if not context.pieces:
        return decision
    text = "\n\n".join([*context.pieces, *([decision.context] if decision else [])]).strip()
    if decision is None:
        return Decision(action=None, context=text, hook=hook.name)
    return replace(decision, context=text)


def _line_logger(lines: list[str]) -> Callable[..., None]:
    def log(message: str, /, **fields: object) -> None:
        if len(lines) < _MOST_LINES:
            values = "".join(f" {name}={value!r}" for name, value in fields.items())
            lines.append(f"{message}{values}"[:2000])

    return log
