"""The process that is many clients counts whole answers and nothing else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench.load import send_all

from pointsman.model.answer import Answer
from pointsman.serve import protocol

WHOLE = protocol.answer(Answer(0, b"out", b""))


@contextmanager
def daemon(path: Path, answers: list[bytes]) -> Iterator[list[bytes]]:
    """Listen and give these answers, one a connection; yield what was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(16)

        def serve() -> None:
            for answer in answers:
                with listener.accept()[0] as connection:
                    asked.append(connection.recv(65536))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield asked
        thread.join()


@pytest.mark.parametrize(
    ("answers", "whole"),
    [
        ([WHOLE] * 5, 5),
        ([WHOLE, WHOLE[:-1], WHOLE, b"", WHOLE], 3),
        ([protocol.skew("another version")] * 5, 0),
    ],
)
def test_only_whole_answers_count(tmp_path: Path, answers: list[bytes], whole: int) -> None:
    path = tmp_path / "s"
    with daemon(path, answers) as asked:
        assert send_all(str(path), [b"one", b"two"], 5, 2) == whole
    assert asked == [b"one", b"two", b"one", b"two", b"one"]
