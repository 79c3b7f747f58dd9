import asyncio
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from pointsman.engine.run import Clock, run_all
from pointsman.model.decision import Action, Cause, Decision, deny, inject
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, HookRun, Outcome, Role

from .events import pre


def hook(run: Any, role: Role = Role.GUARD, name: str = "h", **more: Any) -> Hook:
    return Hook(name=name, role=role, run=run, **more)


def run(*hooks: Hook, seconds: float = 5.0) -> list[HookRun]:
    asked = [(each, pre()) for each in hooks]
    return asyncio.run(run_all(asked, lambda _hook, _event: seconds, Clock()))


async def never(event: Event, context: HookContext) -> None:
    await asyncio.sleep(3600)


async def stubborn(event: Event, context: HookContext) -> None:
    """Swallow cancellation once, as careless code does."""
    try:
        await asyncio.sleep(3600)
    except BaseException:  # noqa: BLE001
        await asyncio.sleep(3600)


async def immortal(event: Event, context: HookContext) -> None:
    """Swallow cancellation for longer than anybody waits."""
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        try:
            await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            continue


async def raises(event: Event, context: HookContext) -> None:
    raise RuntimeError("broken")


def raises_at_once(event: Event, context: HookContext) -> None:
    raise RuntimeError("broken")


async def talks(event: Event, context: HookContext) -> Any:
    return {"decision": "allow"}


async def late(event: Event, context: HookContext) -> Decision | None:
    try:
        await asyncio.sleep(3600)
    finally:
        return None  # noqa: B012


@pytest.mark.parametrize("body", [raises, raises_at_once, talks])
def test_a_guard_that_breaks_stops(body: Callable[..., Any]) -> None:
    (done,) = run(hook(body))
    assert done.outcome is Outcome.CRASHED
    assert done.decision is not None
    assert (done.decision.action, done.decision.cause) == (Action.DENY, Cause.FAILURE)
    assert done.decision.rule == "guard.crashed"
    assert "'h'" in done.decision.reason


@pytest.mark.parametrize("body", [never, stubborn, immortal, late])
def test_a_guard_without_an_answer_in_time_stops(body: Callable[..., Any]) -> None:
    (done,) = run(hook(body), seconds=0.05)
    assert done.outcome is Outcome.TIMED_OUT
    assert done.decision is not None
    assert done.decision.action is Action.DENY
    assert "0.05 s" in done.reason


def test_a_hook_that_will_not_go_is_left_behind_and_said_to_be() -> None:
    (done,) = run(hook(immortal), seconds=0.05)
    assert "its outcome is unknown" in done.reason


def test_a_plain_function_past_its_budget_is_no_answer() -> None:
    times = iter([0.0, 0.0, 9.0, 9.0, 9.0])
    clock = Clock(monotonic=lambda: next(times))
    asked = [(hook(lambda event, context: None), pre())]
    (done,) = asyncio.run(run_all(asked, lambda _hook, _event: 5.0, clock))
    assert done.outcome is Outcome.TIMED_OUT
    assert done.decision is not None
    assert done.decision.action is Action.DENY


@pytest.mark.parametrize("body", [raises, raises_at_once, never])
def test_an_enricher_that_fails_costs_only_itself(body: Callable[..., Any]) -> None:
    (done,) = run(hook(body, Role.ENRICHER), seconds=0.05)
    assert done.outcome in {Outcome.CRASHED, Outcome.TIMED_OUT}
    assert done.decision is None
    assert done.reason


def test_what_an_enricher_had_in_time_is_kept() -> None:
    async def partly(event: Event, context: HookContext) -> None:
        context.inject("one")
        context.inject("two")
        await asyncio.sleep(3600)

    (done,) = run(hook(partly, Role.ENRICHER), seconds=0.05)
    assert done.outcome is Outcome.DEGRADED
    assert done.broke is Outcome.TIMED_OUT
    assert done.decision is not None
    assert (done.decision.action, done.decision.context) == (None, "one\n\ntwo")
    assert "no answer within its budget" in done.reason


def test_an_enricher_does_not_decide() -> None:
    async def decides(event: Event, context: HookContext) -> Decision:
        return Decision(action=Action.ALLOW, context="kept")

    (done,) = run(hook(decides, Role.ENRICHER))
    assert done.outcome is Outcome.DEGRADED
    assert done.broke is None
    assert done.decision is not None
    assert (done.decision.action, done.decision.context) == (None, "kept")


def test_hooks_run_side_by_side() -> None:
    async def together() -> list[HookRun]:
        both = anyio.Event(), anyio.Event()

        def meets(mine: anyio.Event, other: anyio.Event) -> Any:
            async def body(event: Event, context: HookContext) -> None:
                mine.set()
                await other.wait()

            return body

        hooks = [hook(meets(*both), name="a"), hook(meets(*reversed(both)), name="b")]
        asked = [(each, pre()) for each in hooks]
        return await run_all(asked, lambda _hook, _event: 5.0, Clock())

    assert [done.outcome for done in asyncio.run(together())] == [Outcome.NO_OPINION] * 2


def test_one_that_hangs_does_not_hold_up_the_answer_of_another() -> None:
    async def says_no(event: Event, context: HookContext) -> Decision:
        return deny("no")

    hung, told = run(hook(never, name="hangs"), hook(says_no, name="says"), seconds=0.05)
    assert hung.outcome is Outcome.TIMED_OUT
    assert told.decision is not None
    assert told.decision.hook == "says"


def test_a_hook_sees_its_budget_settings_and_log() -> None:
    async def body(event: Event, context: HookContext) -> Decision:
        assert 0 < context.budget.remaining() <= 5
        context.log("looked", n=1)
        return inject(str(context.settings["key"]))

    (done,) = run(hook(body, Role.ENRICHER, settings={"key": "value"}))
    assert done.lines == ("looked n=1",)
    assert done.decision is not None
    assert done.decision.context == "value"


def test_a_skipped_hook_is_on_record() -> None:
    (done,) = run(hook(raises, skip="not trusted"))
    assert (done.outcome, done.reason, done.decision) == (Outcome.SKIPPED, "not trusted", None)


async def cancels_itself(event: Event, context: HookContext) -> None:
    raise asyncio.CancelledError


async def exits(event: Event, context: HookContext) -> None:
    raise SystemExit(0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [(cancels_itself, "it cancelled itself"), (exits, "it called sys.exit(0)")],
)
def test_a_hook_that_would_take_others_with_it(body: Callable[..., Any], reason: str) -> None:
    async def fine(event: Event, context: HookContext) -> Decision:
        return inject("kept")

    broke, other = run(hook(body), hook(fine, Role.ENRICHER, name="other"))
    assert (broke.outcome, broke.reason) == (Outcome.CRASHED, reason)
    assert broke.decision is not None
    assert broke.decision.action is Action.DENY
    assert other.outcome is Outcome.DECIDED


def test_whoever_waits_for_hooks_can_give_up() -> None:
    ended: list[str] = []

    async def waits(event: Event, context: HookContext) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("ended")

    async def gives_up() -> None:
        asked = [(hook(waits), pre())]
        task = asyncio.ensure_future(run_all(asked, lambda _hook, _event: 5.0, Clock()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

    asyncio.run(gives_up())
    assert ended == ["ended"]
