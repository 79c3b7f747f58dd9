"""Two environments beside one another: what differs, the worst first, by aspects."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pointsman.model.audit import Level
from pointsman.preflight.environments_code import Read
from pointsman.preflight.environments_model import RANKS, Difference, Pair, Rank, Sort
from pointsman.preflight.environments_program import Faults, program_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """One thing that environments differ in; like a check, but of two of them."""

    id: str
    level: Level
    why: str
    source: str
    fix: str
    run: Callable[[Pair, dict[str, Read]], Iterable[Difference]]


def differ(
    aspect: Aspect, rank: Rank, place: tuple[str, int], what: str, sides: tuple[str, str]
) -> Difference:
    """Return a difference with what each side has."""
    return Difference(
        id=aspect.id, level=rank.level, file=place[0], line=place[1], rank=rank,
        what=f"{what} ({rank})", why=aspect.why, fix=aspect.fix, left=sides[0], right=sides[1],
    )  # fmt: skip


def compare(
    pair: Pair, aspects: Iterable[Aspect], faults: Iterable[Faults] = ()
) -> list[Difference]:
    """Return the differences, what breaks at start before what breaks at the first request.

    Where the first is one's own machine and the second is not, what goes wrong with the program
    in the second is among them.
    """
    program = program_of(pair.files, pair.uses, pair.right)
    found = [each for aspect in aspects for each in aspect.run(pair, dict(program.reads))]
    if pair.left.sort is Sort.LOCAL and pair.right.sort is not Sort.LOCAL:
        found += [each for fault in faults for each in fault(pair.right, program)]
    return list(_once(sorted(found, key=_place)))


def _place(each: Difference) -> tuple[int, str, int, str, str]:
    return RANKS.index(each.rank), each.file, each.line, each.id, each.what


def _once(found: Iterable[Difference]) -> Iterator[Difference]:
    told: set[tuple[str, str, int, str]] = set()
    for each in found:
        key = (each.id, each.file, each.line, each.what)
        if key not in told:
            told.add(key)
            yield each
