"""How things are written: short, and nothing that acts on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.screen import words


@given(st.text())
def test_foreign_text_is_one_line_that_cannot_act(text: str) -> None:
    said = words.plain(text)
    assert said.isprintable()
    assert len(said) == min(len(text), 400)
    assert all(line.isprintable() for line in words.lines(text).splitlines())


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (99_940, "99.9k"), (250_000, "250k"),
     (12_300_000, "12.3M"), (4_000_000_000, "4.0G")],
)  # fmt: skip
def test_counts_fit_their_column(number: int, said: str) -> None:
    assert words.count(number) == said


@pytest.mark.parametrize(
    ("nano", "unpriced", "said"),
    [(0, 0, "$0.00"), (1_234_000_000, 0, "$1.23"), (500_000_000, 2, "$0.50+"), (0, 1, "?")],
)
def test_money_never_hides_what_has_no_price(nano: int, unpriced: int, said: str) -> None:
    assert words.money(nano, unpriced) == said


@pytest.mark.parametrize(
    ("ms", "said"), [(-5, "0s"), (59_000, "59s"), (61_000, "1m"), (3_700_000, "1h"), (10**9, "11d")]
)
def test_ages(ms: int, said: str) -> None:
    assert words.age(ms) == said


def test_bars_end_where_they_end() -> None:
    assert [words.bar(share, 4) for share in (-1, 0, 0.5, 1, 9)] == [
        "░░░░", "░░░░", "██░░", "████", "████",
    ]  # fmt: skip


def test_each_decision_and_state_has_a_sign_of_its_own() -> None:
    for table in (words.SYMBOLS, words.STATES, words.SEVERITIES):
        signs = [sign for sign, _ in table.values()]
        assert len(set(signs)) == len(signs)
        assert all(len(sign) == 1 for sign in signs)


def test_a_whole_record_lays_json_open_and_leaves_out_what_is_empty() -> None:
    said = words.whole({"seq": 1, "rule": "", "payload": '{"a": "b\\u001b[31m"}', "reason": "x\ny"})
    assert "rule" not in said
    assert '"a": "b' in said
    assert "\x1b" not in said
    assert "reason\n  x\n  y" in said
