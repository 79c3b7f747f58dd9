"""Frames: whole or refused, never read as something else."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.client import hook
from pointsman.model.answer import Answer
from pointsman.model.errors import TransportError
from pointsman.serve import protocol

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
KEYS = st.from_regex(r"[a-z._A-Z]{1,12}", fullmatch=True)
ANSWERS = st.builds(Answer, st.sampled_from([0, 2]), st.binary(max_size=50), st.binary(max_size=50))


@given(st.dictionaries(KEYS, TEXT, max_size=8))
def test_a_header_is_read_as_it_was_written(values: dict[str, str]) -> None:
    assert protocol.read_header(protocol.write_header(values)) == values


@given(st.dictionaries(KEYS, TEXT, max_size=4), st.binary(max_size=60))
def test_a_request_says_its_own_lengths(values: dict[str, str], body: bytes) -> None:
    frame = protocol.request(values, body)
    header, size = protocol.lengths(frame[: protocol.PREFIX.size])
    start = protocol.PREFIX.size + header
    assert (frame[start:], size) == (body, len(body))
    assert protocol.read_header(frame[protocol.PREFIX.size : start]) == values


@given(st.binary(max_size=200))
def test_any_bytes_are_some_header(data: bytes) -> None:
    values = protocol.read_header(data)
    assert all(isinstance(value, str) for value in values.values())


@given(ANSWERS)
def test_an_answer_is_read_as_it_was_given(given_answer: Answer) -> None:
    assert protocol.read_answer(protocol.answer(given_answer)) == given_answer


@given(ANSWERS, st.data())
def test_a_part_of_an_answer_is_none(given_answer: Answer, data: st.DataObject) -> None:
    whole = protocol.answer(given_answer)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(TransportError):
        protocol.read_answer(whole[:cut])


@given(st.binary(max_size=100))
def test_noise_is_no_answer(noise: bytes) -> None:
    with pytest.raises(TransportError, match="the answer"):
        protocol.read_answer(noise)


def delivered(data: bytes, event: str = "PreToolUse") -> int:
    """Let the client in Python act on an answer."""
    client = object.__new__(hook.Client)  # Without its alarm: that would end this process.
    client.event, client.guarding = event, event in hook.GUARD_EVENTS
    return client._deliver(data)


@given(ANSWERS, st.data())
def test_the_client_never_acts_on_a_part(given_answer: Answer, data: st.DataObject) -> None:
    whole = protocol.answer(given_answer)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(hook.Failure, match="garbled or cut short"):
        delivered(whole[:cut])


@given(st.binary(max_size=100))
def test_the_client_never_acts_on_noise(noise: bytes) -> None:
    with pytest.raises(hook.Failure):
        delivered(noise)


@given(st.integers(0, 2**32 - 1).filter(lambda code: code not in {0, 2}))
def test_the_client_knows_two_exit_codes(code: int) -> None:
    frame = struct.pack(">4sIII", b"PMA1", code, 0, 2) + b"noDONE"
    with pytest.raises(hook.Failure, match=f"has the exit code {code}"):
        delivered(frame)


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        (b"PMQ2" + bytes(8), "this daemon speaks b'PMQ1'"),
        (b"GET / HTTP/1", "the client begins with b'GET '"),
        (struct.pack(">4sII", b"PMQ1", protocol.MOST_HEADER + 1, 0), "are too much"),
        (struct.pack(">4sII", b"PMQ1", 0, protocol.MOST_BODY + 1), "are too much"),
    ],
)
def test_what_is_no_request(prefix: bytes, why: str) -> None:
    with pytest.raises(TransportError, match=why):
        protocol.lengths(prefix)


def test_the_largest_request_is_one() -> None:
    prefix = struct.pack(">4sII", b"PMQ1", protocol.MOST_HEADER, protocol.MOST_BODY)
    assert protocol.lengths(prefix) == (protocol.MOST_HEADER, protocol.MOST_BODY)
    assert hook.MAX_PAYLOAD == protocol.MOST_BODY
    assert hook.MAX_HEADER < protocol.MOST_HEADER


def test_skew_is_told_in_words() -> None:
    with pytest.raises(hook.Failure, match="version skew: speaks another"):
        delivered(protocol.skew("speaks another"))
