"""What goes on record of a message that is told of again and again: only the difference.

A record that is only ever added to holds postings, as a ledger of money does. Their sum is right
at any time: a message that has grown adds what it grew by; one that turns out to belong elsewhere
(another hour, another model) is taken back by a posting of the opposite sign, and put where it
belongs by another one.

Of two reports of one message the greater counts: the whole one before one that is under way, then
the one with more output, then the one with more of the rest. That is the last one, as a message
only grows; and it does not depend on the order in which copies of a transcript are read.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from pointsman.cost.allocate import Part, parts
from pointsman.model.usage import TOKEN_FIELDS, Amount, Cost, Usage

_PLACE = (
    "session", "agent_id", "agent_type", "role", "task", "repository", "branch", "model", "at_ns",
)  # fmt: skip
"""What decides which sums a message is part of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What is on record of one message."""

    usage: Usage
    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One row: whose it is, what it adds, and what of that goes to which tool call."""

    usage: Usage
    amount: Amount
    cost: Cost
    """The price of the whole message."""
    parts: tuple[Part, ...] = ()

    @property
    def prices(self) -> str:
        """By which prices."""
        return self.cost.prices


def joined(before: Usage, after: Usage) -> Usage:
    """Return what two reports of one message come to; whose it is the first one says."""
    greater = max(before, after, key=_rank)
    calls = dict(zip(before.calls, before.tools, strict=True))
    for call, tool in zip(after.calls, after.tools, strict=True):
        calls.setdefault(call, tool)
    figures = {name: getattr(greater, name) for name in (*TOKEN_FIELDS, "web_searches")}
    return replace(
        before,
        **figures,
        model=greater.model,
        speed=greater.speed,
        final=greater.final,
        at_ns=min(before.at_ns, after.at_ns),
        calls=tuple(calls),
        tools=tuple(calls.values()),
    )


def _rank(usage: Usage) -> tuple[object, ...]:
    figures = (usage.tokens, *(getattr(usage, name) for name in TOKEN_FIELDS))
    return usage.final, usage.output_tokens, *figures, usage.web_searches, usage.model, usage.speed


def post(before: Booked | None, usage: Usage, price: Callable[[Usage], Cost]) -> list[Posting]:
    """Return the postings that bring what is on record up to what is known now."""
    if before is None:
        cost = price(usage)
        amount = Amount.of(usage, cost.nano)
        return [Posting(usage=usage, amount=amount, cost=cost, parts=parts(usage, amount))]
    now = joined(before.usage, usage)
    if now == before.usage:
        return []
    return _differences(before, now, price(now))


def reprice(before: Booked, cost: Cost) -> list[Posting]:
    """Return the postings that put a message on record at another price."""
    return _differences(before, before.usage, cost)


def _differences(before: Booked, now: Usage, cost: Cost) -> list[Posting]:
    amount = Amount.of(now, cost.nano)
    old, new = parts(before.usage, before.amount), parts(now, amount)
    if any(getattr(now, name) != getattr(before.usage, name) for name in _PLACE):
        back = _negative(Part("", "", before.amount)).amount
        taken = tuple(_negative(part) for part in old)
        return [
            Posting(usage=before.usage, amount=back, cost=cost, parts=taken),
            Posting(usage=now, amount=amount, cost=cost, parts=new),
        ]
    added = amount - before.amount
    moved = _moved(old, new)
    if not added and not moved and now == before.usage:
        return []
    return [Posting(usage=now, amount=added, cost=cost, parts=moved)]


def _negative(part: Part) -> Part:
    return Part(part.call, part.tool, Amount() - part.amount)


def _moved(old: Sequence[Part], new: Sequence[Part]) -> tuple[Part, ...]:
    """Return by how much each call's part has changed."""
    sums: dict[tuple[str, str], Amount] = {}
    for part in (*(_negative(each) for each in old), *new):
        at = (part.call, part.tool)
        sums[at] = sums.get(at, Amount()) + part.amount
    return tuple(Part(call, tool, amount) for (call, tool), amount in sums.items() if amount)


class Book:
    """What is on record, as far as it was looked up, and the postings that come to it.

    Within a session a message is known by its id alone. In another session the same id is the same
    message where it comes of the same request: a fork's copy; a service that begins to count anew
    gives its ids once more.

    ``known`` returns what is on record of a message: by session and id, or else by its key.
    """

    def __init__(
        self, price: Callable[[Usage], Cost], known: Callable[[Usage], Booked | None]
    ) -> None:
        self._price = price
        self._known = known
        self._seen: dict[str, Booked] = {}
        self._keys: dict[tuple[str, str, str], str] = {}

    def add(self, usages: Iterable[Usage]) -> list[Posting]:
        """Return the postings that these give rise to."""
        found = []
        for usage in usages:
            found += self._add(usage)
        return found

    def _add(self, usage: Usage) -> list[Posting]:
        before = self._seen.get(self._key(usage))
        postings = post(before, usage, self._price)
        if postings:
            last = postings[-1]
            whole = last.amount
            if before is not None and len(postings) == 1:
                whole = before.amount + last.amount
            self._seen[last.usage.key] = Booked(usage=last.usage, amount=whole)
        return postings

    def _key(self, usage: Usage) -> str:
        """Return the key that a message is on record by."""
        at = (usage.host, usage.session, usage.message_id)
        if at not in self._keys:
            key = usage.key
            if key not in self._seen and (found := self._known(usage)):
                key = found.usage.key
                self._seen.setdefault(key, found)
            self._keys[at] = key
        return self._keys[at]

    def messages(self) -> list[Booked]:
        """Return every message that was added."""
        return list(self._seen.values())
