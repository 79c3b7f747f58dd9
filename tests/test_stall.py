"""The heartbeat: who held the loop is named, and honest waiting is not."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable

import pytest

from pointsman.stall import Heart, Stall, tool, watching


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def looked(heart: Heart) -> Stall | None:
    """Look from another thread, while this one stands here."""
    found: list[Stall | None] = []
    thread = threading.Thread(target=lambda: found.append(heart.look()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize(("held", "told"), [(0.1, False), (0.19, False), (0.21, True), (9, True)])
def test_it_is_a_stall_from_its_length_on(held: float, told: bool) -> None:
    clock = Clock()
    heart = Heart(0.2, clock=clock)
    clock.now += held
    assert (looked(heart) is not None) == told


def test_a_stall_is_told_once_and_again_when_it_is_over() -> None:
    clock = Clock()
    told: list[Stall] = []
    heart = Heart(0.2, told.append, clock)
    clock.now += 1
    assert looked(heart) is not None
    clock.now += 1
    assert looked(heart) is None
    heart.beat()
    assert [(each.over, each.seconds) for each in told] == [(False, 1), (True, 2)]
    clock.now += 0.1
    heart.beat()
    assert len(told) == 2
    clock.now += 1
    assert looked(heart) is not None


def test_the_innermost_function_of_ones_own_and_the_tool_are_named() -> None:
    clock = Clock()
    heart = Heart(0.2, clock=clock)
    clock.now += 1

    @tool("search")
    def search() -> Stall | None:
        return looked(heart)  # waits in threading, which is the interpreter's

    stall = search()
    assert stall is not None
    assert (stall.tool, stall.file) == ("search", __file__)
    assert stall.function == "looked"
    assert any("search" in each for each in stall.stack)
    assert "tool search has been holding the event loop for 1.000 s" in str(stall)
    assert json.loads(stall.as_json())["tool"] == "search"
    clock.now += 1
    heart.beat()
    clock.now += 1
    after = looked(heart)
    assert after is not None
    assert after.tool == ""


async def _turns() -> None:
    await asyncio.sleep(0)


def test_an_asynchronous_tool_bears_its_name_only_while_it_runs() -> None:
    clock = Clock()
    heart = Heart(0.2, clock=clock)
    seen: list[str] = []

    def note() -> None:
        clock.now += 1
        stall = looked(heart)
        heart.beat()
        seen.append(stall.tool if stall else "-")

    gate = asyncio.Event()

    @tool("one")
    async def one() -> int:
        note()
        await gate.wait()
        note()
        return 1

    async def main() -> int:
        task = asyncio.create_task(one())
        await _turns()
        note()  # "one" awaits
        gate.set()
        return await task

    assert asyncio.run(main()) == 1
    assert seen == ["one", "", "one"]


def test_cancelling_and_errors_go_through_a_named_coroutine() -> None:
    @tool("one")
    async def one() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise KeyError("cleaned up") from None

    async def main() -> None:
        task = asyncio.create_task(one())
        await _turns()
        task.cancel()
        with pytest.raises(KeyError, match="cleaned up"):
            await task

    asyncio.run(main())


def _waits(noticed: threading.Event) -> None:
    assert noticed.wait(30)


def _computes(noticed: threading.Event) -> None:
    number = 0
    while not noticed.is_set():
        number = (number * 7 + 1) % 1_000_003


@pytest.mark.parametrize("hold", [_waits, _computes])
def test_a_real_loop_that_is_held(
    hold: Callable[[threading.Event], None], caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Stall] = []
    noticed = threading.Event()

    def report(stall: Stall) -> None:
        told.append(stall)
        noticed.set()

    async def main() -> None:
        async with watching(0.05, report):
            with tool("slow"):
                hold(noticed)

    with caplog.at_level(logging.WARNING, "pointsman.stall"):
        asyncio.run(main())
    assert told[0].tool == "slow"
    assert told[0].function == hold.__name__
    assert [each.over for each in told[:2]] == [False, True]
    assert "tool slow" in caplog.text
    assert not [each for each in threading.enumerate() if each.name == "pointsman.stall"]


def test_a_report_that_fails_does_not_end_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()

    def report(_: Stall) -> None:
        raise OSError("disk")

    heart = Heart(0.2, report, clock)
    clock.now += 1
    assert looked(heart) is not None
    assert "the report of a stall failed" in caplog.text


def test_a_length_has_to_be_positive() -> None:
    with pytest.raises(ValueError, match="after_s is 0"):
        Heart(0)
