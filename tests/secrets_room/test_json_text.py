import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.secrets.json_text import Unescaped, searched, spliced

_PIECES = (
    '"', "\\", "\\\\", '\\"', "\\n", "\\t", "\\r", "\\b", "\\f", "\\/", "\\x", "\\u00e9", "\\u00",
    "\\ud83d\\ude00", "\\ud83d", "\n", "\0", "\1", "a", "u", "é", "🔑", "{", ":", " ",
)  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=20).map("".join))
def test_what_is_searched_is_what_is_read_with_the_way_back(raw: str) -> None:
    assert searched(raw) == Unescaped(raw).text


@given(st.text(max_size=40), st.booleans())
def test_a_string_is_read_as_what_it_says(value: str, ascii_only: bool) -> None:
    raw = json.dumps({"a": value}, ensure_ascii=ascii_only)
    text = Unescaped(raw).text
    assert text == searched(raw) == f"{{\na\n: \n{value}\n}}"


@pytest.mark.parametrize(("raw", "text"), [
    ("", ""),
    ("[]", "[]"),
    ('"a\\"b"', '\na"b\n'),
    ('"a\\\\n"', "\na\\n\n"),
    ('"a\\\\\\n"', "\na\\\n\n"),
    ('"\\ud83d\\ude00"', "\n\U0001f600\n"),
    ('"\\q"', "\nq\n"),
    ('"cut short \\', "\ncut short \\"),
    ('"\0\\n"', "\n\0\n\n"),
])  # fmt: skip
def test_escapes_are_read(raw: str, text: str) -> None:
    assert Unescaped(raw).text == searched(raw) == text


@given(st.lists(st.sampled_from(_PIECES), max_size=20).map("".join), st.data())
def test_every_part_has_its_place_among_the_bytes(raw: str, data: Any) -> None:
    opened = Unescaped(raw)
    start = data.draw(st.integers(0, len(opened.text)))
    end = data.draw(st.integers(start, len(opened.text)))
    begin, finish = opened.place(start, end)
    assert 0 <= begin <= finish <= len(raw)
    # What stands there says the same; where an escape is cut in two there is no such place.
    assert Unescaped(raw[begin:finish]).text == opened.text[start:end]


@pytest.mark.parametrize(("raw", "places", "out"), [
    ('{"a": "bcd"}', [(8, 9)], '{"a": "b*d"}'),
    ('{"a": "b", "c": "d"}', [(7, 8), (17, 18)], '{"a": "*", "c": "*"}'),
    ('{"a": 1234}', [(6, 10)], '{"a": "*"}'),
    ('["ab", "cd"]', [(3, 9)], '["a*", "*d"]'),
    ('["a\\"b", "cd"]', [(5, 11)], '["a\\"*", "*d"]'),
])  # fmt: skip
def test_places_are_replaced_and_json_stays_json(
    raw: str, places: list[tuple[int, int]], out: str
) -> None:
    given = spliced(raw, [(start, end, "*") for start, end in places])
    assert given == out
    json.loads(given)
