"""The supervised session over the official client, whose server is killed, restarted, forgotten."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from mcp_health_room.rig import Process, Rig, free_port
from pointsman.mcp_session import McpSession, OutcomeUnknown, ServerGone, supervised

PATIENT = 60.0


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as made:
        yield made


def made(port: int, mode: str = "auto", **options: float) -> McpSession:
    options = {"patience": PATIENT, "most": 0.5, **options}
    return supervised(lambda: Client(f"http://127.0.0.1:{port}/mcp", mode=mode), **options)


async def restart(process: Process, port: int) -> None:
    await asyncio.to_thread(process.kill)
    await asyncio.to_thread(process.start, port)


async def until_called(rig: Rig, line: str) -> None:
    while line not in rig.calls():  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.02)


def text(result: object) -> str:
    return str(result.content[0].text)  # type: ignore[attr-defined]


ERAS = pytest.mark.parametrize(
    ("program", "mode"), [("legacy", "auto"), ("modern", "legacy"), ("modern", "auto")]
)


@ERAS
def test_killed_mid_session_it_goes_on(rig: Rig, program: str, mode: str) -> None:
    async def run() -> None:
        port, process = await asyncio.to_thread(rig.server, program)
        async with made(port, mode) as session:
            assert text(await session.call_tool("who")) == "one"
            # Restarted while nothing was under way: the old session is unknown (404).
            await restart(process, port)
            assert text(await session.call_tool("add", {"text": "first"})) == "added"
            assert rig.calls() == ["first"], "it ran once"
            # Down when the call is made: it waits until the server is back.
            await asyncio.to_thread(process.kill)
            waiting = asyncio.ensure_future(session.call_tool("add", {"text": "second"}))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            await asyncio.to_thread(process.start, port)
            assert text(await waiting) == "added"
            assert rig.calls() == ["first", "second"], "each ran once"

            # Killed while a call is under way: what only reads is sent again, the rest is not.
            reading = asyncio.ensure_future(session.call_tool("slow", {"seconds": 2}))
            await until_called(rig, "slow begins")
            await restart(process, port)
            assert text(await reading) == "one"
            given = {"text": "third", "seconds": 30}
            writing = asyncio.ensure_future(session.call_tool("slow_add", given))
            await until_called(rig, "third")
            await restart(process, port)
            with pytest.raises(OutcomeUnknown, match="may have run"):
                await writing
            assert rig.calls().count("third") == 1
            assert text(await session.call_tool("who")) == "one"
            assert session.rebuilt >= 2

    asyncio.run(run())


def test_a_tool_marked_idempotent_is_sent_again(rig: Rig) -> None:
    async def run() -> None:
        port, process = await asyncio.to_thread(rig.server, "modern")
        async with made(port) as session:
            await asyncio.to_thread(process.kill)
            putting = asyncio.ensure_future(session.call_tool("put", {"text": "x"}))
            await asyncio.sleep(0.2)
            await asyncio.to_thread(process.start, port)
            assert text(await putting) == "put"

    asyncio.run(run())


def test_an_error_of_the_tool_is_a_result(rig: Rig) -> None:
    async def run() -> None:
        port, _ = await asyncio.to_thread(rig.server, "modern")
        async with made(port) as session:
            result = await session.call_tool("fail")
            assert result.is_error
            assert session.rebuilt == 0
            names = {tool.name for tool in await session.list_tools()}
            assert {"who", "add", "put"} <= names

    asyncio.run(run())


def test_nobody_there_is_said_after_the_patience() -> None:
    async def run() -> None:
        with pytest.raises(ServerGone, match="attempts"):
            async with made(free_port(), patience=1.0):
                pytest.fail("there is nobody")

    asyncio.run(run())


def test_a_call_that_takes_too_long_is_not_called_off_but_unknown(rig: Rig) -> None:
    async def run() -> None:
        port, _ = await asyncio.to_thread(rig.server, "modern")
        async with made(port) as session:
            given = {"text": "late", "seconds": 30}
            with pytest.raises(OutcomeUnknown, match="no answer within"):
                await session.call_tool("slow_add", given, within=1.0)
            assert text(await session.call_tool("who")) == "one"

    asyncio.run(run())


def test_a_child_that_dies_is_started_anew(rig: Rig) -> None:
    async def run() -> None:
        noting = 'echo $$ > "$0.pid"; exec "$@"'
        words = ["-c", noting, str(rig.file), *rig.argv("modern", "stdio")]
        server = StdioServerParameters(command="/bin/sh", args=words)
        async with supervised(server, patience=PATIENT) as session:
            assert text(await session.call_tool("who")) == "one"
            reading = asyncio.ensure_future(session.call_tool("slow", {"seconds": 2}))
            await until_called(rig, "slow begins")
            pid = child(rig)
            os.kill(pid, signal.SIGKILL)
            assert text(await reading) == "one"
            assert child(rig) != pid

    asyncio.run(run())


def child(rig: Rig) -> int:
    return int(Path(f"{rig.file}.pid").read_text())
