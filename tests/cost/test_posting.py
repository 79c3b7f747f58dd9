"""What goes on record of a message that is told of again and again."""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.cost.posting import Book, Booked, joined, post, reprice
from pointsman.model.usage import TOKEN_FIELDS, Amount, Cost, Usage


def use(message: str = "m", **more: Any) -> Usage:
    given: dict[str, Any] = {"host": "h", "session": "s", "model": "big", "at_ns": 5, **more}
    return Usage(message_id=message, **given)


def price(usage: Usage) -> Cost:
    usd = None if usage.model == "unknown" else usage.output_tokens / 1e6
    return Cost(usd=usd, prices="table 1")


def book() -> Book:
    return Book(price, lambda _usage: None)


def whole(postings: Any) -> Amount:
    return sum((posting.amount for posting in postings), Amount())


def test_a_message_repeated_adds_nothing() -> None:
    one = use(output_tokens=7)
    assert len(book().add([one, one, one])) == 1


def test_within_a_session_a_message_is_known_by_its_id_alone() -> None:
    one, two = use(output_tokens=7, request="r1"), use(output_tokens=9, request="r2")
    assert whole(book().add([one, two, one])).values == whole(book().add([two])).values


def test_another_sessions_message_of_the_same_id_is_the_same_by_its_request() -> None:
    one, two = use(output_tokens=7, request="r1"), use(output_tokens=9, request="r2")
    copies = [replace(each, session="fork") for each in (one, two)]
    assert whole(book().add([one, two, *copies])).calls == 1
    assert whole(book().add([*copies, one, two])).calls == 1
    other = replace(one, session="other", request="r9")
    assert whole(book().add([one, two, other])).calls == 2


def test_what_a_message_grew_by_is_added() -> None:
    first, second = book().add([use(output_tokens=1), use(output_tokens=60, final=True)])
    assert (first.amount.output_tokens, first.amount.calls) == (1, 1)
    assert (second.amount.output_tokens, second.amount.calls) == (59, 0)
    assert second.amount.usd_nano == 59_000
    assert second.prices == "table 1"


def test_the_whole_message_counts_before_one_under_way() -> None:
    early, late = use(output_tokens=90), use(output_tokens=60, final=True)
    assert whole(book().add([early, late])).output_tokens == 60
    assert whole(book().add([late, early])).output_tokens == 60


def test_a_message_that_belongs_elsewhere_is_taken_back_and_put_there() -> None:
    at = use(at_ns=9, output_tokens=5)
    postings = book().add([at, replace(at, model="small", final=True)])
    sums: Counter[str] = Counter()
    for posting in postings:
        sums[posting.usage.model] += posting.amount.output_tokens
    assert sums == {"big": 0, "small": 5}
    assert [posting.amount.calls for posting in postings] == [1, -1, 1]


def test_a_message_without_a_price_is_counted_as_such_until_it_has_one() -> None:
    unknown = use(model="unknown", output_tokens=8)
    (posting,) = post(None, unknown, price)
    assert (posting.amount.usd, posting.amount.unpriced) == (None, 1)
    booked = Booked(usage=unknown, amount=posting.amount)
    (priced,) = reprice(booked, Cost(usd=0.5, prices="mine"))
    both = posting.amount + priced.amount
    assert (both.usd, both.unpriced, both.output_tokens, both.calls) == (0.5, 0, 8, 1)
    assert not any(getattr(priced.amount, name) for name in TOKEN_FIELDS)


def test_new_calls_of_a_message_move_what_was_allocated() -> None:
    one = use(output_tokens=9, calls=("a",), tools=("Bash",))
    two = replace(one, calls=("a", "b"), tools=("Bash", "Read"))
    postings = book().add([one, two])
    sums: Counter[str] = Counter()
    for posting in postings:
        for part in posting.parts:
            sums[part.tool] += part.amount.output_tokens
    assert sums == {"Bash": 5, "Read": 4}


COUNTS = st.integers(0, 50)
MESSAGES = st.builds(
    use,
    st.sampled_from(["m1", "m2", "m3"]),
    model=st.sampled_from(["big", "small", "unknown"]),
    at_ns=st.sampled_from([5, 7 * 10**12]),
    final=st.booleans(),
    calls=st.sampled_from([(), ("a",), ("a", "b"), ("b",)]),
    **dict.fromkeys(TOKEN_FIELDS, COUNTS),
).map(lambda usage: replace(usage, tools=tuple(f"tool {call}" for call in usage.calls)))


@given(st.lists(MESSAGES, max_size=12), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_a_sum(usages: list[Usage], random: Any) -> None:
    again = [*usages, *usages[: len(usages) // 2]]
    random.shuffle(again)
    straight, shuffled = book().add(usages), book().add(again)
    assert _sums(straight) == _sums(shuffled)


def _sums(postings: Any) -> dict[Any, Amount]:
    sums: dict[Any, Amount] = {}
    for posting in postings:
        at = (posting.usage.model, posting.usage.at_ns)
        sums[at] = sums.get(at, Amount()) + posting.amount
        for part in posting.parts:
            for key in (("tool", part.tool), ("call", part.call), "parts"):
                sums[key] = sums.get(key, Amount()) + part.amount
        sums["all"] = sums.get("all", Amount()) + posting.amount
    assert sums.get("all") == sums.get("parts")
    return {key: amount for key, amount in sums.items() if amount}


@given(MESSAGES, MESSAGES, MESSAGES)
def test_joining_is_the_same_in_any_order(one: Usage, two: Usage, three: Usage) -> None:
    one, two, three = (replace(each, message_id="m") for each in (one, two, three))

    def figures(usage: Usage) -> Any:
        numbers = [getattr(usage, name) for name in TOKEN_FIELDS]
        return numbers, usage.model, usage.final, usage.at_ns, sorted(usage.calls)

    assert figures(joined(joined(one, two), three)) == figures(joined(one, joined(two, three)))
    assert figures(joined(one, two)) == figures(joined(two, one))
    assert figures(joined(one, one)) == figures(one)


@given(st.lists(MESSAGES, max_size=9))
def test_a_book_that_begins_anew_goes_on_from_the_record(usages: list[Usage]) -> None:
    record: dict[str, Booked] = {}
    postings = []
    for usage in usages:
        fresh = Book(price, lambda usage: record.get(usage.key))
        postings += fresh.add([usage])
        record.update({each.usage.key: each for each in fresh.messages()})
    assert _sums(postings) == _sums(book().add(usages))
