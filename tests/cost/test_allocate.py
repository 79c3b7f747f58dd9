"""What of a message goes to which tool call."""

from hypothesis import given
from hypothesis import strategies as st

from pointsman.cost.allocate import shared
from pointsman.model.usage import Amount, amount


def test_what_does_not_divide_goes_to_the_first_calls() -> None:
    parts = shared([("b", "Read"), ("a", "Bash"), ("c", "Bash")], Amount(output_tokens=11))
    assert [(part.call, part.amount.output_tokens) for part in parts] == [
        ("a", 4), ("b", 4), ("c", 3),
    ]  # fmt: skip


def test_a_message_without_a_call_is_no_calls() -> None:
    (part,) = shared([], Amount(output_tokens=11))
    assert (part.call, part.tool, part.amount.output_tokens) == ("", "", 11)


@given(
    st.lists(st.text(max_size=3), max_size=7, unique=True),
    st.lists(st.integers(-(10**12), 10**12), min_size=8, max_size=8),
)
def test_parts_add_up_and_differ_by_one_at_most(calls: list[str], figures: list[int]) -> None:
    whole = amount(*figures)
    parts = shared([(call, "T") for call in calls], whole)
    assert sum((part.amount for part in parts), Amount()) == whole
    for values in zip(*(part.amount.values for part in parts), strict=True):
        assert max(values) - min(values) <= 1
