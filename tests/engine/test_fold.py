import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.engine.fold import fold
from pointsman.model.decision import (
    NO_OPINION,
    Action,
    Decision,
    allow,
    ask,
    deny,
    inject,
    modify,
)

RANK = {Action.DENY: 4, Action.ASK: 3, Action.MODIFY: 2, Action.ALLOW: 1, None: 0}

decisions = st.one_of(
    st.builds(deny, st.text(max_size=5), rule=st.text(max_size=3)),
    st.builds(ask, st.text(max_size=5), rule=st.text(max_size=3)),
    st.builds(allow, st.text(max_size=5)),
    st.builds(modify, st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=2)),
    st.builds(inject, st.text(max_size=5)),
)


def test_nothing_is_no_opinion() -> None:
    assert fold([]) is NO_OPINION


@given(st.lists(decisions, min_size=1, max_size=6))
def test_the_strictest_wins(given_decisions: list[Decision]) -> None:
    folded = fold(given_decisions)
    strictest = max(RANK[each.action] for each in given_decisions)
    clash = folded.rule == "engine.input-clash"
    assert RANK[folded.action] == (max(strictest, 3) if clash else strictest)


@given(st.lists(decisions, max_size=4), decisions)
def test_one_more_answer_never_loosens(some: list[Decision], one: Decision) -> None:
    before, after = fold(some), fold([*some, one])
    assert RANK[after.action] >= RANK[before.action]


@given(st.permutations([deny("a"), ask("b"), allow(), inject("c"), modify({"x": 1})]))
def test_the_order_does_not_decide(some: list[Decision]) -> None:
    assert fold(some).action is Action.DENY


def test_a_denial_changes_no_input() -> None:
    assert fold([modify({"command": "x"}), deny("no")]).updated_input is None


def test_a_question_shows_the_changed_input() -> None:
    folded = fold([ask("sure?"), modify({"command": "x"})], {"command": "y"})
    assert folded.action is Action.ASK
    assert folded.updated_input == {"command": "x"}


def test_changes_to_different_keys_are_merged() -> None:
    original = {"a": 1, "b": 2, "c": 3}
    folded = fold([modify({"a": 9, "b": 2, "c": 3}), modify({"a": 1, "b": 8})], original)
    assert folded.action is Action.MODIFY
    assert folded.updated_input == {"a": 9, "b": 8}


def test_two_values_for_one_key_are_put_to_a_person() -> None:
    one, two = modify({"a": 1}).by("one"), modify({"a": 2}).by("two")
    folded = fold([one, two], {"a": 0})
    assert folded.action is Action.ASK
    assert "one, two" in folded.reason


@pytest.mark.parametrize(
    "sizes", [(100, 30_000), (8_000, 8_000, 8_000), (30_000,), (1,) * 6_000], ids=range(4)
)
def test_context_is_no_longer_than_the_host_hands_on(sizes: tuple[int, ...]) -> None:
    texts = [f"{number} " + "line\n" * (size // 5) for number, size in enumerate(sizes)]
    folded = fold([inject(text) for text in texts])
    assert len(folded.context) <= 9_000
    whole = [text for text in texts if len(text) <= 1_000]
    if len(sizes) < 10:
        # What is short stays whole, what is cut says so, and nobody is left out.
        assert all(text in folded.context for text in whole)
        assert folded.context.count("were left out") == len(texts) - len(whole)


def test_context_of_all_is_kept_once() -> None:
    folded = fold([inject("x"), inject("y"), inject("x")])
    assert (folded.action, folded.context) == (None, "x\n\ny")


def test_reasons_of_the_strictest_are_joined() -> None:
    folded = fold([deny("one", rule="r1"), ask("maybe"), deny("two", rule="r2")])
    assert (folded.reason, folded.rule) == ("one\ntwo", "r1")


def test_a_run_ends_where_one_of_the_denials_says_so() -> None:
    ends = Decision(action=Action.DENY, reason="over", ends=True)
    assert fold([deny("no"), ends]).ends
    assert fold([ends, ask("sure?")]).ends
    assert not fold([deny("no"), ask("sure?")]).ends
