"""What our own commands ask."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.model.answer import Answer
from pointsman.model.errors import DaemonUnreachable, TransportError
from pointsman.model.places import Places
from pointsman.serve import control, protocol, state_dir


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(state=tmp_path / "s", config=tmp_path)
    state_dir.prepare(made)
    return made


@contextlib.contextmanager
def saying(places: Places, data: bytes) -> Iterator[list[bytes]]:
    """Listen once and answer with these bytes."""
    heard: list[bytes] = []
    listener = state_dir.listen(places).socket
    listener.setblocking(True)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65536))
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield heard
    finally:
        thread.join()
        listener.close()


def test_an_answer(places: Places) -> None:
    with saying(places, protocol.answer(Answer(0, b'{"a": 1}'))) as heard:
        assert control.ask(places, "status", "/cwd") == {"a": 1}
    header = protocol.read_header(heard[0][protocol.PREFIX.size :])
    assert header == {"host": control.HOST, "event": "status", "cwd": "/cwd"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the answer has 0 bytes"),
        (b"x" * 30, "garbled"),
        (protocol.answer(Answer(2, b"", b"no such command: 'x'\n")), "no such command: 'x'"),
        (protocol.answer(Answer(0, b"not json")), "answers b'not json'"),
    ],
)
def test_an_answer_that_is_none(places: Places, data: bytes, why: str) -> None:
    with saying(places, data), pytest.raises(TransportError, match=why) as caught:
        control.ask(places, "status")
    assert caught.value.fix == "pointsman up --restart"


def test_nobody_listens(places: Places) -> None:
    with pytest.raises(DaemonUnreachable, match="no daemon listens") as caught:
        control.ask(places, "status")
    assert caught.value.fix == "pointsman up"


def test_a_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("")
    with pytest.raises(TransportError, match="the state directory") as caught:
        control.ask(Places(state=tmp_path / "s", config=tmp_path), "status")
    assert caught.value.fix.startswith("mv ")


def test_an_unknown_command_is_said_so() -> None:
    given = control.answer(None, {"event": "dance"})  # type: ignore[arg-type]
    assert (given.code, given.stderr) == (2, b"no such command: 'dance'\n")
    assert json.dumps(given.stdout.decode()) == '""'
