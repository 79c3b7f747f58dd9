"""A file that grows is read on from where it was left."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.meter.tail import Position, has_grown, read_on


def follow(path: Path, position: Position, **sizes: int) -> tuple[list[bytes], Position]:
    """Return all lines that there are, and where the next one begins."""
    lines: list[bytes] = []
    while True:
        piece = read_on(str(path), position, **sizes)
        lines += piece.lines
        position = piece.position
        if not position.more:
            return lines, position


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "one.jsonl"


def test_lines_are_read_once_each(path: Path) -> None:
    path.write_bytes(b"one\ntwo\n")
    lines, position = follow(path, Position())
    assert lines == [b"one", b"two"]
    assert not has_grown(str(path), position)
    with path.open("ab") as file:
        file.write(b"three\n")
    assert has_grown(str(path), position)
    lines, position = follow(path, position)
    assert lines == [b"three"]
    assert follow(path, position)[0] == []


def test_a_torn_line_waits_for_its_end(path: Path) -> None:
    path.write_bytes(b"one\ntw")
    piece = read_on(str(path), Position())
    assert (piece.lines, piece.rest) == ((b"one",), b"tw")
    with path.open("ab") as file:
        file.write(b"o\n")
    assert follow(path, piece.position)[0] == [b"two"]


@pytest.mark.parametrize("text", [b"1\n", b"new\nlines\nthat are longer than before\n", b""])
def test_a_file_that_was_cut_or_rewritten_is_read_from_its_beginning(
    path: Path, text: bytes
) -> None:
    path.write_bytes(b"one\ntwo\n")
    _, position = follow(path, Position())
    path.write_bytes(text)
    piece = read_on(str(path), position)
    assert piece.anew
    assert b"".join(each + b"\n" for each in piece.lines) == text


def test_another_file_at_the_same_name_is_read_from_its_beginning(path: Path) -> None:
    path.write_bytes(b"one\ntwo\n")
    _, position = follow(path, Position())
    other = path.with_name("other")
    other.write_bytes(b"one\ntwo\nthree\n")
    other.rename(path)
    assert has_grown(str(path), position)
    assert follow(path, position)[0] == [b"one", b"two", b"three"]


def test_a_line_that_is_too_long_is_passed_over(path: Path) -> None:
    path.write_bytes(b"a\n" + b"x" * 100 + b"\nb\n" + b"y" * 50)
    lines, position = follow(path, Position(), at_once=8, most=16)
    assert lines == [b"a", b"b"]
    assert position.passed == 2
    with path.open("ab") as file:
        file.write(b"y\nc\n")
    assert follow(path, position, at_once=8, most=16)[0] == [b"c"]


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "missing", "."):
        with pytest.raises(OSError, match=name):
            read_on(str(tmp_path / name), Position())
    assert not has_grown(str(tmp_path / "missing"), Position())


def test_a_position_can_be_kept(path: Path) -> None:
    path.write_bytes(b"one\ntwo\nthr")
    _, position = follow(path, Position())
    assert Position.of(position.as_dict()) == position
    assert Position.of({"of": "tomorrow"}) == Position()
    assert Position.of({}) == Position()


@given(
    st.lists(st.binary(max_size=30).map(lambda each: each.replace(b"\n", b"")), max_size=12),
    st.lists(st.integers(1, 60), max_size=12),
)
def test_however_a_file_grows_its_lines_are_those_that_it_holds(
    tmp_path_factory: Any, wanted: list[bytes], steps: list[int]
) -> None:
    path = tmp_path_factory.mktemp("grown") / "one.jsonl"
    data = b"".join(each + b"\n" for each in wanted)
    path.write_bytes(b"")
    lines: list[bytes] = []
    position = Position()
    for step in [*steps, len(data) + 1]:
        piece, data = data[:step], data[step:]
        with path.open("ab") as file:
            file.write(piece)
        more, position = follow(path, position, at_once=16, most=64)
        lines += more
    assert lines == wanted
