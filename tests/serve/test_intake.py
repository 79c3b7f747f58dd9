"""The socket's side: whole requests in, answers out, strangers and dawdlers away."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.model.answer import Answer
from pointsman.model.errors import TransportError
from pointsman.model.places import Places
from pointsman.serve import intake as module
from pointsman.serve import protocol, state_dir
from pointsman.serve.intake import Connection, Intake

FRAME = protocol.request({"host": "h", "event": "e"}, b"body")


class Served:
    """An intake on a socket of its own that answers with a fixed answer."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        self.places = Places(state=folder / "s", config=folder)
        state_dir.prepare(self.places)
        self.listener = state_dir.listen(self.places)
        self.answer = answer
        self.batches: list[list[Connection]] = []
        self.refused: list[bytes] = []
        self.intake = Intake(self.listener.socket, self.serve, self.refused.append)

    def serve(self, connections: Sequence[Connection]) -> None:
        self.batches.append(list(connections))
        for connection in connections:
            connection.reply(self.answer)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(str(self.places.socket))

    async def ask(self, *parts: bytes) -> bytes:
        reader, writer = await self.open()
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        data = await reader.read()
        writer.close()
        await writer.wait_closed()
        return data


async def come(condition: Callable[[], object]) -> None:
    """Let the loop turn until a condition holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what comes true is no event of ours
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def served(folder: Path, answer: Answer | None = None) -> AsyncIterator[Served]:
    one = Served(folder, answer or Answer(2, b"out", b"err"))
    try:
        yield one
    finally:
        one.intake.close()
        await one.intake.sent(5)


def test_a_request_is_answered(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as one:
            assert await one.ask(FRAME) == protocol.answer(one.answer)
            (connection,) = one.batches[0]
            assert connection.header == {"host": "h", "event": "e"}
            assert connection.body == b"body"

    asyncio.run(main())


def test_a_request_may_come_in_any_pieces(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as one:
            for step in (1, 5, 11, 13):
                parts = [FRAME[at : at + step] for at in range(0, len(FRAME), step)]
                assert await one.ask(*parts) == protocol.answer(one.answer)
                assert one.batches[-1][0].body == b"body"

    asyncio.run(main())


def test_what_is_ready_together_is_one_batch(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as one:
            clients = []
            for _ in range(10):
                client = socket.socket(socket.AF_UNIX)
                client.connect(str(one.places.socket))
                client.sendall(FRAME)
                clients.append(client)
            await come(lambda: one.batches)
            assert [len(batch) for batch in one.batches] == [10]
            for client in clients:
                client.close()

    asyncio.run(main())


def test_a_large_answer_leaves_whole_also_when_the_intake_closes(tmp_path: Path) -> None:
    async def main() -> None:
        large = Answer(2, b"x" * 5_000_000, b"y")
        async with served(tmp_path, large) as one:
            reader, writer = await one.open()
            writer.write(FRAME)
            await writer.drain()
            await come(lambda: one.batches)
            reading = asyncio.ensure_future(reader.read())
            await one.intake.sent(30)
            assert await reading == protocol.answer(large)
            writer.close()
            await writer.wait_closed()

    asyncio.run(main())


@pytest.mark.parametrize(("frame", "newer"), [(b"PMQ2" + FRAME[4:], b"PMQ2"), (b"G" * 40, b"GGGG")])
def test_another_protocol_is_told_so(tmp_path: Path, frame: bytes, newer: bytes) -> None:
    async def main() -> None:
        async with served(tmp_path) as one:
            assert (await one.ask(frame))[:4] == protocol.SKEW_MAGIC
            assert one.batches == []
            assert one.refused == [newer]

    asyncio.run(main())


def test_who_leaves_early_costs_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as one:
            for cut in (0, 1, 12, len(FRAME) - 1):
                _reader, writer = await one.open()
                writer.write(FRAME[:cut])
                writer.close()
                await writer.wait_closed()
            assert await one.ask(FRAME) == protocol.answer(one.answer)
            assert len(one.batches) == 1

    asyncio.run(main())


def test_who_never_says_what_it_wants_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with served(tmp_path) as one:
            reader, writer = await one.open()
            writer.write(FRAME[:-1])
            await writer.drain()
            await come(lambda: one.intake._incomplete)
            one.intake.sweep()
            assert one.intake._incomplete, "not before its time"
            monkeypatch.setattr(module, "REQUEST_WITHIN", -1.0)
            one.intake.sweep()
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            assert not one.intake._incomplete

    asyncio.run(main())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_else_is_not_served(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as one:
            client = socket.socket(socket.AF_UNIX)
            here = os.open(one.places.state, os.O_RDONLY)
            one.places.state.chmod(0o755)
            one.places.socket.chmod(0o777)
            os.fchdir(here)
            os.seteuid(65534)
            try:
                client.connect("daemon.sock")
            finally:
                os.seteuid(0)
            with contextlib.suppress(BrokenPipeError):
                client.sendall(FRAME)
            client.setblocking(False)
            with contextlib.suppress(ConnectionError):
                assert await asyncio.get_running_loop().sock_recv(client, 100) == b""
            assert one.batches == []
            client.close()
            os.close(here)

    before = Path.cwd()
    try:
        asyncio.run(main())
    finally:
        os.chdir(before)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=6), st.integers(0, len(FRAME)))
def test_any_bytes_in_any_pieces_are_a_request_or_none(pieces: list[bytes], keep: int) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    connection = Connection(ours)
    sent = b""
    whole = False
    with ours, theirs:
        for piece in (FRAME[:keep], *pieces):
            theirs.sendall(piece)
            sent += piece
            try:
                whole = connection.read()
            except TransportError:
                assert sent[:4] != protocol.REQUEST_MAGIC or len(sent) >= protocol.PREFIX.size
                return
            if whole:
                break
    if whole:
        header, body = protocol.lengths(sent[: protocol.PREFIX.size])
        assert len(sent) >= protocol.PREFIX.size + header + body
        assert len(connection.body) == body
