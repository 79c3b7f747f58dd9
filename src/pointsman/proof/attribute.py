"""Whose change it is: decided before anything is touched. Pure.

The evidence, for one change and the calls that were under way since the last look:

======================================================  =========================================
a call **cannot** have made the change if               source
======================================================  =========================================
it happened before the call ran, or after it ended      the inode's ctime (no program can set it);
                                                        for what is gone, that of its directory
the kernel let the call write somewhere else only       the sandbox's writable directories
the analysis knows all that the call writes, and        effects of the command; paths are followed
the path is not among it                                through links before and after
======================================================  =========================================

What is left decides:

===============================================  ================================================
calls that can have made it                      outcome
===============================================  ================================================
none                                             somebody else's: left alone, the new baseline
one whose agent may change the path              that agent's own: left alone, the new baseline;
                                                 unless the analysis named the path for a call
                                                 that may not: cannot be told
only calls still under way that may write        later: looked at again when they have ended
anything, and no ended one
only calls that may not, and a sign of another   cannot be told: left alone, a person is told
hand: another owner, an editor that has the
file open, a person who worked on it just
before (unless the analysis named the path)
a program of the host's or a person's that has   no excuse: a server that runs all day long
run since before the call, and still runs        would excuse everything
a call that ended without a word of its end      cannot be told
only calls that may not, no other sign           theirs: put back
===============================================  ================================================
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pointsman.model.proof import Call, Judges
from pointsman.proof.changes import Change
from pointsman.proof.tree import DIRECTORY

_TICK_NS = 50_000_000
"""The kernel stamps files by a clock that ticks every 1 to 10 ms, behind the one we read."""
REPORTED_NS = 5_000_000_000
"""How long the word that a call has ended may take to reach us: a client's start on a machine
that has much to do. So much earlier than reckoned it may have begun to run."""


class Whose(StrEnum):
    """Whom a change belongs to."""

    CALL = "the call's"
    OTHERS = "somebody else's"
    UNTOLD = "cannot be told"
    LATER = "a call is still under way"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose a change is, why, and the calls that it is, or may be, the work of."""

    whose: Whose
    why: str
    calls: tuple[Call, ...] = ()


Sign = Callable[[Change], str]
"""Returns what speaks for another hand than any call's, or the empty string."""

Names = Callable[[Call, Change], bool]
"""Whether the analysis of a call names the path of a change, by whatever name it has."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is known beside the change itself.

    ``silent`` are calls of which nobody has said whether they ran at all.
    """

    calls: Sequence[Call]
    judges: Judges
    names: Names
    sign: Sign = lambda _change: ""
    silent: frozenset[str] = frozenset()


def attribute(change: Change, case: Case) -> Verdict:
    """Say whose a change is, by the table above."""
    named = [call for call in case.calls if _may(call, change) and case.names(call, change)]
    blind = [
        call
        for call in case.calls
        if call.foretold.opaque and call not in named and _may(call, change) and _ran(call, change)
    ]
    possible = [*named, *blind]
    if not possible:
        return Verdict(Whose.OTHERS, "no call that was under way can have made it")
    reasons = {call: _outside(call, change, case.judges) for call in possible}
    held = [call for call in possible if reasons[call]]
    own = [call for call in possible if not reasons[call] and not _only_runs(call, held)]
    foretold = [call for call in named if reasons[call]]
    if own:
        return _claimed(own, foretold)
    possible = held
    why = reasons[possible[0]]
    if not foretold and not any(call.ended_ns for call in blind):
        return Verdict(Whose.LATER, why, tuple(blind))
    silent = [call for call in possible if call.id in case.silent]
    if len(silent) == len(possible):
        return Verdict(Whose.UNTOLD, "it is not known whether that call ran", tuple(silent))
    sign = "" if foretold else case.sign(change)
    if sign:
        return Verdict(Whose.UNTOLD, sign, tuple(possible))
    return Verdict(Whose.CALL, why, tuple(foretold or possible))


def _claimed(own: Sequence[Call], foretold: Sequence[Call]) -> Verdict:
    """Decide between calls that may change the path and calls that are known to write it."""
    if foretold:
        why = f"a call of {own[0].agent!r}, who may, was under way as well"
        return Verdict(Whose.UNTOLD, why, (*foretold, *own))
    return Verdict(Whose.OTHERS, f"{own[0].agent!r} may change it", tuple(own))


def _only_runs(call: Call, held: Sequence[Call]) -> bool:
    """Whether all that speaks for a command is that it runs, as it did before these calls."""
    still = call.pid and not call.ended_ns
    return bool(still and any(call.began_ns <= each.began_ns for each in held))


def _may(call: Call, change: Change) -> bool:
    """Whether time and kernel leave it possible."""
    when = change.when_ns
    if when and when < call.began_ns - _TICK_NS:
        return False
    if call.ended_ns and not call.lasting and change.touched_ns > call.ended_ns:
        return False
    if call.writable is None:
        return True
    path = f"{call.root}/{change.path}".rstrip("/")
    return _could_write(path, call.writable, only_mode=change.is_of_mode)


def _could_write(path: str, entries: Sequence[str], *, only_mode: bool) -> bool:
    """Whether the deepest entry that holds a path is one that could be written."""
    deepest, could = -1, False
    for entry in entries:
        place = entry.lstrip("-~").rstrip("/")
        if len(place) > deepest and (path == place or path.startswith(f"{place}/")):
            deepest, could = len(place), only_mode if entry[0] == "~" else entry[0] != "-"
    return could


def _ran(call: Call, change: Change) -> bool:
    """Whether the call had begun to run; before, it may have waited for a person."""
    if not call.ran_ns or not change.when_ns:
        return True
    return change.when_ns >= call.ran_ns - REPORTED_NS


def _outside(call: Call, change: Change, judges: Judges) -> str:
    judge = judges.get(call.agent)
    if judge is None:
        return ""
    before, after = change.before, change.after
    there = before or after
    comes_or_goes = before is None or after is None
    # Whoever may write in a directory may make it, and take it away.
    is_directory = comes_or_goes and there is not None and there.kind == DIRECTORY
    return judge(f"{change.path}/" if is_directory else change.path)
