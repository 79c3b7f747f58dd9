"""Frames and conversations, without a process."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.lsp.connection import Connection
from pointsman.lsp.frames import MOST_HEADER, Message, encoded, read_message
from pointsman.model.errors import ServerError


def read(data: bytes) -> list[Message]:
    """Read all messages of some bytes."""

    async def go() -> list[Message]:
        stream = asyncio.StreamReader(limit=MOST_HEADER)
        stream.feed_data(data)
        stream.feed_eof()
        found = []
        while (message := await read_message(stream)) is not None:
            found.append(message)
        return found

    return asyncio.run(go())


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), max_size=3))
def test_what_is_written_is_read(messages: list[dict[str, Any]]) -> None:
    assert read(b"".join(encoded(each) for each in messages)) == messages


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_a_server_error(data: bytes) -> None:
    try:
        found = read(data)
    except ServerError:
        return
    assert all(isinstance(each, dict) for each in found)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"Content-Length: -4\r\n\r\n{}", "no message"),
        (b"Content-Length: 1_0\r\n\r\n{}", "no message"),
        (b"Content-Length: 2\r\n\r\n[]", "no message"),
        (b"Content-Length: 4\r\n\r\n{}", "ended in the middle"),
        (b"Content-Length: 2", "ended in the middle"),
        (b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000, "no JSON"),
        (b"X: " + b"y" * MOST_HEADER + b"\r\n\r\n", "no end of a header"),
    ],
)
def test_what_is_no_message_is_said(data: bytes, cause: str) -> None:
    with pytest.raises(ServerError, match=cause):
        read(data)


def test_a_header_may_say_more_in_any_case() -> None:
    data = b"content-type: x\r\nCONTENT-LENGTH:  2\r\n\r\n{}"
    assert read(data) == [{}]


class Pipe:
    """A writer that keeps what is written, and may be as full as a test wants."""

    def __init__(self, waiting: int = 0) -> None:
        self.written: list[Message] = []
        self.waiting = waiting
        self.transport = self

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def write(self, data: bytes) -> None:
        self.written.append(json.loads(data.partition(b"\r\n\r\n")[2]))


def connection(stream: asyncio.StreamReader, pipe: Pipe) -> Connection:
    def replies(method: str, _params: Any) -> Any:
        return {"known": 1}[method]

    return Connection(stream, pipe, replies=replies, heard=lambda *_: None)  # type: ignore[arg-type]


def test_answers_come_in_any_order() -> None:
    async def go() -> None:
        stream, pipe = asyncio.StreamReader(), Pipe()
        talk = connection(stream, pipe)
        listening = asyncio.ensure_future(talk.listen())
        asked = [asyncio.ensure_future(talk.request("m", number)) for number in range(3)]
        await asyncio.sleep(0)
        for message in reversed(pipe.written):
            stream.feed_data(encoded({"id": message["id"], "result": message["params"]}))
        assert await asyncio.gather(*asked) == [0, 1, 2]
        assert not talk.owes
        stream.feed_eof()
        await listening

    asyncio.run(go())


def test_what_was_given_up_is_still_owed() -> None:
    async def go() -> None:
        stream, pipe = asyncio.StreamReader(), Pipe()
        talk = connection(stream, pipe)
        listening = asyncio.ensure_future(talk.listen())
        asking = asyncio.ensure_future(talk.request("m", None))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert pipe.written[-1] == {
            "jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1},
        }  # fmt: skip
        assert talk.owes
        stream.feed_data(encoded({"id": 1, "error": {"code": -32800, "message": "stopped"}}))
        stream.feed_eof()
        await listening
        assert not talk.owes

    asyncio.run(go())


def test_an_answer_in_the_turn_in_which_it_is_given_up_is_an_answer() -> None:
    async def go() -> None:
        stream = asyncio.StreamReader()
        talk = connection(stream, Pipe())
        asking = asyncio.ensure_future(talk.request("m", None))
        await asyncio.sleep(0)
        asking.cancel()
        talk._take({"id": 1, "result": None})
        with pytest.raises(asyncio.CancelledError):
            await asking
        # Else it would be owed for ever, and its server ended as one that hangs.
        assert not talk.owes

    asyncio.run(go())


def test_one_that_does_not_read_gets_no_more() -> None:
    async def go() -> None:
        talk = connection(asyncio.StreamReader(), Pipe(waiting=1 << 30))
        with pytest.raises(ServerError, match="does not read"):
            await talk.request("m", None)

    asyncio.run(go())


def test_answers_to_nothing_end_it() -> None:
    async def go() -> None:
        stream = asyncio.StreamReader()
        stream.feed_data(encoded({"id": 77, "result": None}) * 200)
        with pytest.raises(ServerError, match="what was never asked"):
            await connection(stream, Pipe()).listen()

    asyncio.run(go())


def test_closed_it_answers_everything_with_the_reason() -> None:
    async def go() -> None:
        talk = connection(asyncio.StreamReader(), Pipe())
        asking = asyncio.ensure_future(talk.request("m", None))
        await asyncio.sleep(0)
        talk.close(ServerError("crashed"))
        with pytest.raises(ServerError, match="crashed"):
            await asking
        with pytest.raises(ServerError, match="crashed"):
            talk.notify("m", None)

    asyncio.run(go())
