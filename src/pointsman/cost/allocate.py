"""What of a message goes to which of its tool calls: an allocation, not a measurement.

The rule: a message's tokens and its price are divided evenly among the calls that it asks for, as
the model was asked once for all of them. What does not divide goes, one unit each, to the first
calls (with even shares that is the method of the largest remainder), so that the parts add up to
the message. What a message without a call has used is no call's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pointsman.model.usage import Amount, Usage, amount

NO_CALL = ""
"""The call, and the tool, of what was used for no tool call."""


@dataclass(frozen=True, slots=True)
class Part:
    """What of a message goes to one call."""

    call: str
    tool: str
    amount: Amount


def parts(usage: Usage, whole: Amount) -> tuple[Part, ...]:
    """Return the part of each call of a message; they add up to ``whole``."""
    return shared(zip(usage.calls, usage.tools, strict=True), whole)


def shared(calls: Iterable[tuple[str, str]], whole: Amount) -> tuple[Part, ...]:
    """Return the part of each of these calls, given by id and tool."""
    # By id, not by place: the order in which the blocks were read must not count.
    named = sorted(calls)
    if not named:
        return (Part(NO_CALL, NO_CALL, whole),)
    count = len(named)
    shares = [divmod(value, count) for value in whole.values]
    return tuple(
        Part(call, tool, amount(*(share + (place < rest) for share, rest in shares)))
        for place, (call, tool) in enumerate(named)
    )
