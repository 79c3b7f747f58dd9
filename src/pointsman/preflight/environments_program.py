"""A program as it meets an environment, and how a check of such meetings is made."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pointsman.model.audit import Finding
from pointsman.model.preflight import Check, Files, Project, Use
from pointsman.preflight.environments_code import Read, program, reads
from pointsman.preflight.environments_find import deployed
from pointsman.preflight.environments_habits import Habit, habits
from pointsman.preflight.environments_model import Difference, Environment, Rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The code that an environment runs: what it reads, and what it does."""

    files: Files
    reads: Mapping[str, Read]
    habits: tuple[Habit, ...]


Faults = Callable[[Environment, Program], Iterable[Difference]]
"""What goes wrong with a program in an environment."""


def program_of(files: Files, uses: Iterable[Use], environment: Environment) -> Program:
    """Return the program that an environment runs, as far as the files tell."""
    names = tuple(program(files, environment))
    return Program(files=files, reads=reads(uses, names), habits=habits(files, names))


def on_deployed(faults: Faults) -> Callable[[Project], Iterator[Finding]]:
    """Return how a check runs: on every environment of the project's targets, each place once."""

    def run(project: Project) -> Iterator[Finding]:
        told: dict[tuple[str, int, str], Difference] = {}
        more: Counter[tuple[str, int, str]] = Counter()
        for environment in deployed(project.files):
            if environment.target not in project.targets:
                continue
            for each in faults(environment, program_of(project.files, project.uses, environment)):
                key = (each.file, each.line, each.what.replace(environment.label, ""))
                more[key] += key in told
                told.setdefault(key, each)
        for key, each in told.items():
            also = f"; {more[key]} more of the same" if more[key] else ""
            yield replace(each, what=f"{each.what}{also}")

    return run


def fault(check: Check, rank: Rank, place: tuple[str, int], what: str, fix: str = "") -> Difference:
    """Return a finding that says what it breaks; the level follows from that."""
    return Difference(
        id=check.id, level=rank.level, file=place[0], line=place[1], rank=rank,
        what=f"{what} ({rank})", why=check.why, fix=fix or check.fix,
    )  # fmt: skip
