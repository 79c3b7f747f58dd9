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

import anyio

from pointsman.model.budget import Budget
from pointsman.model.decision import Decision, failure
from pointsman.model.errors import PointsmanError
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, HookRun, Outcome, Role

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


async def run_all(
    asked: Iterable[tuple[Hook, Event]], budget: Callable[[Hook, Event], float], clock: Clock
) -> list[HookRun]:
    """Run these hooks side by side and return one record each, in their order.

    Plain functions are bounded by construction and need no task of their own.
    """
    pairs = tuple(asked)
    runs = [run_one(hook, event, budget(hook, event), clock) for hook, event in pairs]
    if any(inspect.iscoroutinefunction(hook.run) for hook, _ in pairs):
        return list(await asyncio.gather(*runs))
    return [await run for run in runs]


async def run_one(hook: Hook, event: Event, seconds: float, clock: Clock) -> HookRun:
    """Run one hook within this many seconds; whatever it does, a record comes back."""
    lines: list[str] = []
    context = HookContext(
        budget=Budget.of(seconds, clock.monotonic),
        log=_line_logger(lines),
        settings=hook.settings,
    )
    started_ns, started = clock.wall_ns(), clock.monotonic()
    if hook.skip:
        ended = _Ended(Outcome.SKIPPED, hook.skip)
    else:
        ended = await _call(hook, event, context, seconds)
    if ended.outcome in _ANSWERED and context.budget.exhausted:
        ended = _timed_out(seconds, left_behind=False)
    decision = _verdict(hook, event, ended, context)
    return HookRun(
        hook=hook.name,
        role=hook.role,
        kind=event.kind,
        started_ns=started_ns,
        duration_ns=int((clock.monotonic() - started) * 1e9),
        outcome=_degraded(hook, ended, context),
        budget=seconds,
        reason=ended.reason or (decision.reason if decision else ""),
        decision=decision,
        lines=tuple(lines),
    )


@dataclass(frozen=True, slots=True)
class _Ended:
    outcome: Outcome
    reason: str = ""
    decision: Decision | None = None


_ANSWERED = frozenset({Outcome.DECIDED, Outcome.NO_OPINION})
_BROKEN = frozenset({Outcome.TIMED_OUT, Outcome.CRASHED})


async def _call(hook: Hook, event: Event, context: HookContext, seconds: float) -> _Ended:
    try:
        answer = hook.run(event, context)
        if inspect.isawaitable(answer):
            answer = await _bounded(answer, seconds)
        return _answered(hook, answer)
    except _TimedOut as signal:
        return _timed_out(seconds, left_behind=signal.left_behind)
    except PointsmanError as error:
        return _Ended(Outcome.CRASHED, str(error))
    except Exception as error:  # noqa: BLE001 - foreign code may raise anything
        return _Ended(Outcome.CRASHED, f"{type(error).__name__}: {error}")


async def _bounded(answer: Awaitable[Decision | None], seconds: float) -> Decision | None:
    task = asyncio.ensure_future(_scoped(answer, seconds))
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds + GRACE)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        task.add_done_callback(_retrieve)
        raise _TimedOut(left_behind=True)
    return task.result()


async def _scoped(answer: Awaitable[Decision | None], seconds: float) -> Decision | None:
    with anyio.move_on_after(seconds):
        return await answer
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
