"""A variable is set in one environment and not in the other, or to something else."""

from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.model.preflight import Need
from pointsman.preflight.check_cloud_unset import RANKS, rank_of
from pointsman.preflight.check_env_reserved import keeps
from pointsman.preflight.environments_code import Read, by_libraries
from pointsman.preflight.environments_compare import Aspect, differ
from pointsman.preflight.environments_model import (
    Difference,
    Environment,
    Pair,
    Rank,
    Sort,
    Source,
    Variable,
)


def _run(pair: Pair, reads: dict[str, Read]) -> Iterator[Difference]:
    names = {*pair.left.variables, *pair.right.variables, *reads}
    for name in sorted(names - {"GOOGLE_APPLICATION_CREDENTIALS"}):
        left, right = pair.left.variables.get(name), pair.right.variables.get(name)
        read = reads.get(name)
        if left is None and right is None:
            yield from _neither(pair, read)
        elif left is None or right is None:
            yield from _one(pair, name, left or right, read)
        elif left.empty != right.empty:
            rank = Rank.REQUEST if read and not pair.mirror else Rank.BEHAVIOUR
            yield differ(ASPECT, rank, _place(right), f"{name} is empty in one of the two",
                         (_told(left), _told(right)))  # fmt: skip
        elif left.mark and right.mark and left.mark != right.mark:
            yield differ(ASPECT, Rank.DIFFERS, _place(right), f"{name} has different values",
                         (_told(left), _told(right)))  # fmt: skip


def _neither(pair: Pair, read: Read | None) -> Iterator[Difference]:
    local = pair.right.sort is Sort.LOCAL and read is not None and read.need is Need.DEFAULT
    if read is None or local or pair.mirror or _given(pair.right, read.name):
        return  # on one's own machine localhost is where one's own services are
    rank = rank_of(read)
    # Where it is nowhere set and the program has a value of its own, nothing differs.
    if rank is not Rank.DIFFERS and read.need is not Need.MAYBE:
        yield differ(ASPECT, _known(pair.right, rank), (read.file, read.line),
                     f"{read.name} is read here and set in neither", ("unset", "unset")
                     )  # fmt: skip


def _one(pair: Pair, name: str, found: Variable | None, read: Read | None) -> Iterator[Difference]:
    if found is None:
        return
    lacking, left = (pair.right, True) if name in pair.left.variables else (pair.left, False)
    if _given(lacking, name) or (found.source is Source.SHELL and read is None):
        return
    rank = _rank(pair, name, read, left=left)
    where = f"; read in {read.file}:{read.line}" if read else "; the program does not read it"
    has = pair.left if left else pair.right
    sides = (_told(found), "unset") if left else ("unset", _told(found))
    yield differ(ASPECT, _known(lacking, rank), _place(found),
                 f"{name} is set in {has.label} and not in {lacking.label}{where}", sides
                 )  # fmt: skip


def _rank(pair: Pair, name: str, read: Read | None, *, left: bool) -> Rank:
    if read is None:
        missed = by_libraries(name) or pair.mirror
        return Rank.BEHAVIOUR if missed else Rank.DIFFERS
    if not left and not pair.mirror:
        return Rank.BEHAVIOUR
    rank = rank_of(read)
    if rank is Rank.BEHAVIOUR and left:
        return Rank.REQUEST  # it had a value here, and is None there
    return Rank.BEHAVIOUR if RANKS[read.need] is Rank.DIFFERS and rank is Rank.DIFFERS else rank


def _known(lacking: Environment, rank: Rank) -> Rank:
    """What cannot be said for certain is no error."""
    return Rank.BEHAVIOUR if lacking.unknown and rank.level is Level.ERROR else rank


def _given(environment: Environment, name: str) -> bool:
    """Whether the platform sets it; a machine of one's own has defaults where it is not set."""
    target = environment.target
    if environment.sort is Sort.DEPLOYED and target is not None:
        return keeps(target, name)
    return name in {"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"}


def _place(found: Variable) -> tuple[str, int]:
    return found.file, found.line


def _told(found: Variable) -> str:
    words = f"set ({found.source}{f' {found.ref}' if found.ref else ''})"
    return f"{words} to {found.shown}" if found.shown else words + (", empty" * found.empty)


ASPECT = Aspect(
    id="compare-variables",
    level=Level.ERROR,
    why="What one environment has by its shell or its .env file, another has only where its "
    "manifest says so.",
    source="container contract of Cloud Run; google/adk-python#718, #1185",
    fix="set it in both, or give the program a default that holds in both",
    run=_run,
)
