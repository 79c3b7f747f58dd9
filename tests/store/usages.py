"""A small world of messages, to put into a ledger."""

from pointsman.cost.posting import Book
from pointsman.meter.meter import known
from pointsman.model.usage import Cost, Usage
from pointsman.store import usage_rows
from pointsman.store.ledger import Ledger
from pointsman.store.usage_rows import HOUR_NS

HOUR = HOUR_NS
TIMES = (0, 1, HOUR - 1, HOUR, HOUR + HOUR // 2, 3 * HOUR, 25 * HOUR, 50 * HOUR + 7)


def use(number: int) -> Usage:
    """Return the messages of a small world, each another one."""
    calls = tuple(f"t{number}-{place}" for place in range(number % 3))
    return Usage(
        host="h",
        session=f"s{number % 3}",
        message_id=f"m{number}",
        model=("big", "small", "unknown")[number % 3],
        at_ns=TIMES[number % len(TIMES)],
        agent_id=f"a{number % 4}" if number % 2 else None,
        agent_type="tester" if number % 2 else None,
        role="worker" if number % 2 else "",
        task=f"p{number % 5}",
        repository=f"/r{number % 2}" if number % 4 else None,
        branch=f"b{number % 2}",
        input_tokens=number,
        output_tokens=7 * number,
        calls=calls,
        tools=tuple(f"T{place}" for place in range(len(calls))),
    )


def price(usage: Usage) -> Cost:
    return Cost(usd=None if usage.model == "unknown" else usage.output_tokens / 1e9, prices="t")


MESSAGES = [use(number) for number in range(1, 49)]


def add(ledger: Ledger, *usages: Usage) -> None:
    with ledger.writing() as connection:
        book = Book(price, lambda key: known(connection, key))
        usage_rows.write(connection, book.add(usages), 1)
