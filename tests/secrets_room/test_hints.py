import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_secrets import made
from pointsman.secrets import hints
from pointsman.secrets.hints import Hints
from pointsman.secrets.patterns import PATTERNS

SECRETS = made()
HINTS = tuple(hint for pattern in PATTERNS for hint in pattern.hints)
_SURE = tuple(pattern for pattern in PATTERNS if pattern.always)


def asked(text: str) -> list[str]:
    """Say it without any memory: a hint stands in the text, or it does not."""
    return [each.kind for each in _SURE if any(hint in text for hint in each.hints)]


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_hinted_at_among_lines_that_are_known(kind: str) -> None:
    known = Hints(PATTERNS)
    around = "the first line\n\nand another one"
    assert known.of(around) == known.of(around) == []
    for text in (SECRETS[kind], f"{around}\n{SECRETS[kind]}\n{around}"):
        for _ in range(3):
            assert known.of(text), "what has a hint is no line to be remembered"
    assert known.of(around) == []


def test_the_order_is_that_of_the_patterns_and_none_comes_twice() -> None:
    text = "\n".join(reversed(HINTS)) * 2
    assert Hints(PATTERNS).of(text) == list(PATTERNS)


@given(st.lists(st.lists(st.sampled_from([*HINTS, "a", "key", "://", "x y", ""]), max_size=6)))
def test_what_is_remembered_changes_no_answer(texts: list[list[str]]) -> None:
    known = Hints(_SURE)
    for pieces in texts:
        for text in ("\n".join(pieces), "".join(pieces), " ".join(pieces)):
            assert [each.kind for each in known.of(text)] == asked(text)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "_MOST_LINES", 10)
    known = Hints(_SURE)
    for number in range(100):
        assert known.of("\n".join(f"{number} {place}" for place in range(number))) == []
        assert known.of(f"{number}\nghp_") != []
        assert len(known._quiet) <= 10
    known.of("a" * 257)
    assert "a" * 257 not in known._quiet
