"""Whether people still look at what they approve: how much is asked, how fast it is answered."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from pointsman.model.approval import Approval, State

FAST_S = 5.0
"""Seconds; a yes within them was hardly read."""

FEWEST = 10
"""Answers below which nothing is said of how people answer: by chance alone it means little."""

YES_SHARE = 0.95
"""From this share of yes on, questions hold nothing back …"""

FAST_SHARE = 0.5
"""… and from this share of fast ones on, nobody reads them."""

_SAID_YES = frozenset({State.APPROVED, State.USED, State.EXPIRED, State.ANSWERED_YES})
_SAID_NO = frozenset({State.REFUSED, State.ANSWERED_NO})
_OPEN = frozenset({State.WAITING, State.ASKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fatigue:
    """The figures of one rule, or of all. Shares are of 1; ``None`` where there is nothing to say.

    ``requests`` counts questions, ``open`` those without an answer yet, ``nobody`` those that
    timed out, ``unknown`` those whose answer cannot be known. ``median_s`` and ``fast_share``
    are of the yes whose time is known: from when it was shown, or else asked, to the answer.
    ``unseen`` are yes in our own queue to what was never shown whole.
    """

    requests: int
    approved: int
    refused: int
    open: int
    nobody: int
    unknown: int
    unseen: int
    approved_share: float | None
    median_s: float | None
    fast_share: float | None
    rubber_stamp: bool


def figures(approvals: Iterable[Approval]) -> Fatigue:
    """Return the figures of these questions."""
    every = list(approvals)
    yes = [one for one in every if one.state in _SAID_YES]
    no = [one for one in every if one.state in _SAID_NO]
    times = [seconds for one in yes if (seconds := _seconds(one)) is not None]
    answered = len(yes) + len(no)
    share = len(yes) / answered if answered else None
    fast = sum(seconds <= FAST_S for seconds in times) / len(times) if times else None
    return Fatigue(
        requests=len(every),
        approved=len(yes),
        refused=len(no),
        open=sum(one.state in _OPEN for one in every),
        nobody=sum(one.state is State.LAPSED for one in every),
        unknown=sum(one.state is State.UNKNOWN for one in every),
        unseen=sum(_is_unseen(one) for one in yes),
        approved_share=share,
        median_s=statistics.median(times) if times else None,
        fast_share=fast,
        rubber_stamp=_is_rubber_stamp(answered, share, fast),
    )


def by_rule(approvals: Iterable[Approval]) -> dict[str, Fatigue]:
    """Return the figures of each rule, the most asked about first."""
    groups: dict[str, list[Approval]] = {}
    for one in approvals:
        groups.setdefault(one.rule, []).append(one)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return {rule: figures(group) for rule, group in ordered}


def _is_rubber_stamp(answered: int, share: float | None, fast: float | None) -> bool:
    if answered < FEWEST or share is None or fast is None:
        return False
    return share >= YES_SHARE and fast >= FAST_SHARE


def _seconds(one: Approval) -> float | None:
    """Return how long a person had taken for a yes, where that is known."""
    if one.decided is None:
        return None
    since = max(one.created_ns, one.shown_ns if one.shown_ns <= one.decided.wall_ns else 0)
    seconds = (one.decided.wall_ns - since) / 1e9
    # Less than nothing: the clock was set back in between.
    return seconds if seconds >= 0 else None


def _is_unseen(one: Approval) -> bool:
    if one.state is State.ANSWERED_YES or one.decided is None:
        return False
    return not 0 < one.shown_ns <= one.decided.wall_ns
