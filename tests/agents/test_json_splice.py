import json
from json import JSONDecodeError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.agents.json_splice import (
    DEEPEST,
    Edit,
    New,
    apply,
    hugs,
    insertion,
    parse,
    removal,
    replacement,
    style_of,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
)


@given(VALUES, st.sampled_from([None, 1, "\t"]))
def test_reads_what_the_standard_reader_reads(value: Any, indent: Any) -> None:
    text = json.dumps(value, indent=indent)
    assert parse(text).data == json.loads(text)
    assert parse("\ufeff \n" + text + "\r\n").data == json.loads(text)


@given(st.text(st.sampled_from('{}[],:"\\/u0 1.e-tnull\n*'), max_size=12))
def test_refuses_what_the_standard_reader_refuses(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(JSONDecodeError):
            parse(text)
    else:
        assert parse(text).data == expected


def test_every_value_knows_its_place() -> None:
    text = ' {"a" : [1, {"b": "}"}], "c":null}'
    root = parse(text)
    list_of_a = root.elements[0].value
    assert text[root.start : root.end] == text.strip()
    assert text[root.elements[0].start : root.elements[0].end] == '"a" : [1, {"b": "}"}]'
    assert [text[one.start : one.end] for one in list_of_a.elements] == ["1", '{"b": "}"}']
    assert root.elements[1].end == len(text) - 1


def test_the_last_of_two_members_counts_and_the_second_is_named() -> None:
    root = parse('{"a": 1, "b": 2, "a": 3}')
    found, twice = root.member("a"), root.repeated()
    assert found is not None
    assert found.value.data == 3
    assert twice == root.elements[2]
    assert root.member("z") is None
    assert parse('{"a": 1}').repeated() is None
    assert parse("[1, 1]").repeated() is None


def test_depth_is_bounded() -> None:
    assert parse("[" * DEEPEST + "]" * DEEPEST).data
    with pytest.raises(JSONDecodeError, match="levels"):
        parse("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"x":[1]}', '{"x":[1,2]}'),
        ('{"x":[ 1 ]}', '{"x":[ 1,2 ]}'),
        ('{"x": [1]}', '{"x": [1, 2]}'),
        ('{"x": [\n  1\n]}', '{"x": [\n  1,\n  2\n]}'),
        ('{"x": [\r\n\t1]}', '{"x": [\r\n\t1,\r\n\t2]}'),
        ('{"x": []}', '{"x": [2]}'),
        ('{"x": [ ]}', '{"x": [ 2]}'),
        ('{\n "x": [1]\n}', '{\n "x": [1, 2]\n}'),
    ],
)
def test_insertion_and_removal(text: str, expected: str) -> None:
    root = parse(text)
    list_of_x = root.elements[0].value
    after = apply(text, [insertion(text, list_of_x, [New(None, 2)], style_of(text, root))])
    assert after == expected
    longer = parse(after).elements[0].value
    doomed = frozenset({len(longer.elements) - 1})
    assert apply(after, removal(after, longer, doomed)) == text


def test_removal_of_any_elements() -> None:
    text = "[ 1 , 2,\n3 ,4 ]"
    root = parse(text)
    gone = {
        frozenset(chosen): apply(text, removal(text, root, frozenset(chosen)))
        for chosen in ([0], [0, 1], [1], [1, 2], [3], [0, 3], [0, 2], [0, 1, 2, 3])
    }
    for chosen, left in gone.items():
        assert parse(left).data == [n for i, n in enumerate([1, 2, 3, 4]) if i not in chosen]
    assert gone[frozenset([3])] == "[ 1 , 2,\n3 ]"


def test_opened_containers_do_not_hug() -> None:
    text = '{"a":1}'
    root = parse(text)
    new = New("hooks", {"Stop": [{}]}, opened=2)
    after = apply(text, [insertion(text, root, [new], style_of(text, root), outermost=True)])
    assert after == '{"a":1,"hooks":{"Stop":[{} ] }}'
    hooks = parse(after).elements[1].value
    assert not hugs(after, hooks)
    assert hugs("[1]", parse("[1]"))


def test_replacement_keeps_to_lines_or_to_one_line() -> None:
    over = '{\n  "a": {\n    "b": 1\n  }\n}'
    root = parse(over)
    edit = replacement(over, root.elements[0].value, {"c": 2}, style_of(over, root))
    assert apply(over, [edit]) == over.replace('"b": 1', '"c": 2')
    line = '{"a":{"b":1}}'
    root = parse(line)
    edit = replacement(line, root.elements[0].value, {"c": 2}, style_of(line, root))
    assert apply(line, [edit]) == '{"a":{"c":2}}'


def test_edits_are_carried_out_from_the_front() -> None:
    assert apply("abcdef", [Edit(4, 5, "X"), Edit(0, 1), Edit(2, 2, "--")]) == "b--cdXf"
