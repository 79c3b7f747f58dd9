"""Language servers on real code: how soon, how fast, how large, and whether what they say is so."""

import asyncio
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import code_bases
from bench.figures import BenchError, Figure, median, percentile, rounded
from bench.oracles import Oracle, Pyright, Spot, TsServer
from bench.rig import Effort
from pointsman.lsp.keeper import Keeper, Terms
from pointsman.model.code import Ask, Place

_BUDGET = 0.4
"""Seconds that a question has before an edit."""
_PATIENT = 120.0
_SETTLES = 5.0
_GOAL_MS = 50.0
_GOAL_SHARE = 0.98
_FILES = 50
_DECLARED, _USED = 6, 3
"""Names of a file that are asked about, as before an edit."""


@dataclass(frozen=True, slots=True)
class Case:
    """A server, a code base, and who knows the truth."""

    server: str
    language: str
    suffixes: tuple[str, ...]
    root: Callable[[], Path]
    programs: Callable[[], Path]
    oracle: Callable[[Path], Oracle]
    declares: re.Pattern[str]
    imports: re.Pattern[str]


CASES = (
    Case(
        server="TypeScript 7", language="typescript", suffixes=(".ts", ".tsx"),
        root=code_bases.sanity,
        programs=lambda: code_bases.npm_programs(code_bases.TYPESCRIPT_7),
        oracle=lambda root: TsServer(
            root, code_bases.npm_programs(code_bases.TSSERVER).parent
        ),
        declares=re.compile(
            r"^export (?:declare |abstract |async )*(?:class|interface|type|enum|function|const) "
            r"(\w+)"
        ),
        imports=re.compile(r"^import (?:type )?\{([^}]*)\} from '(?:\.|sanity)"),
    ),
    Case(
        server="ty", language="python", suffixes=(".py",), root=code_bases.django,
        programs=code_bases.ty_programs,
        oracle=lambda root: Pyright(root, code_bases.npm_programs(code_bases.PYRIGHT)),
        declares=re.compile(r"^(?:class|def) (\w+)"),
        imports=re.compile(r"^from (?:django|\.)[\w.]* import ([\w, ]+)$"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class File:
    """What is asked about one file."""

    path: str
    imported: tuple[Ask, ...]
    declared: tuple[Ask, ...]


def servers(effort: Effort) -> list[Figure]:
    """Measure each server on a code base of more than 1,000 files."""
    return [figure for case in CASES for figure in _measured(case, effort.of(_FILES, 8))]


def _measured(case: Case, count: int) -> list[Figure]:
    root = case.root().resolve()
    files = list(chosen(case, root, count))
    if len(files) < count:
        raise BenchError(f"only {len(files)} files of {root.name} import and declare something")
    size = sum(1 for path in root.rglob("*") if path.suffix in case.suffixes)
    where = f"{root.name.partition('@')[0].partition('==')[0]}, {size} files"
    speed = asyncio.run(_speed(case, root, files, where))
    truth = asyncio.run(_compared(case, root, files))
    return [*speed, *truth]


def chosen(case: Case, root: Path, count: int) -> Iterator[File]:
    """Yield files that import and declare something, the same ones each time."""
    paths = sorted(
        path.relative_to(root).as_posix() for path in root.rglob("*")
        if path.suffix in case.suffixes and not path.name.endswith(".d.ts") and path.is_file()
    )  # fmt: skip
    random.Random(1).shuffle(paths)
    for path in paths:
        lines = (root / path).read_text(encoding="utf-8", errors="replace").split("\n")
        declared = list(_names(case.declares, path, lines))
        imported = [ask for ask in _names(case.imports, path, lines) if ask.name]
        if declared and imported:
            yield File(path, tuple(imported[:_DECLARED]), tuple(declared[:_USED]))
            count -= 1
            if not count:
                return


def _names(pattern: re.Pattern[str], path: str, lines: Sequence[str]) -> Iterator[Ask]:
    for number, line in enumerate(lines, 1):
        if found := pattern.match(line):
            for part in re.finditer(r"(?:^|,)\s*(?:type )?(\w+)", found[1]):
                yield Ask(part[1], Place(path, number, found.start(1) + part.start(1)))


def _keeper(case: Case, problems: list[str]) -> Keeper:
    path = f"{case.programs()}:{os.environ['PATH']}"
    return Keeper(
        {**os.environ, "PATH": path},
        report=lambda _kind, text: problems.append(text),
        terms=lambda: Terms(memory=4096 * 1024 * 1024),
        own="/nowhere",
    )


async def _speed(case: Case, root: Path, files: Sequence[File], where: str) -> list[Figure]:
    """Ask as before edits: each file for the first time, then again."""
    failed: list[str] = []
    keeper = _keeper(case, failed)
    try:
        keeper.seen(str(root), case.language)
        while (row := keeper.status()[0])["ready_after_s"] is None:
            if failed or row["problem"]:
                raise BenchError(f"{case.server}: {row['problem']}")
            await asyncio.sleep(0.01)
        if row["server"] != case.server:
            raise BenchError(f"{row['server']} was found, not {case.server}")
        start = float(row["ready_after_s"])
        first, late = await _asked(keeper, root, files)
        ours, theirs = time.process_time(), _cpu(keeper)
        again, still = await _asked(keeper, root, files)
        ours, theirs = time.process_time() - ours, _cpu(keeper) - theirs
        # Its memory is looked at every two seconds.
        await asyncio.sleep(2.5)
        memory = keeper.status()[0]["memory"] or 0
    finally:
        await keeper.close()
    asked = f"{_DECLARED} declarations and {_USED} names' users at once"
    return [
        Figure(name=f"{case.server}, start", unit="s", value=rounded(start),
               what=f"spawned until it has read a first file; {where}"),
        Figure(name=f"{case.server}, warm answer p50", unit="ms", goal=_GOAL_MS,
               value=rounded(median(again)), what=f"{asked}; {where}",
               detail={"p95_ms": rounded(percentile(again, 0.95)), "late": still,
                "our_cpu_ms_each": rounded(1000 * ours / len(again)),
                "its_cpu_ms_each": rounded(1000 * theirs / len(again)),
                       "files": len(files)}),
        Figure(name=f"{case.server}, first answer p50", unit="ms", value=rounded(median(first)),
               what="the same about a file that it has not read yet",
               detail={"p95_ms": rounded(percentile(first, 0.95)), "late": late}),
        Figure(name=f"{case.server}, memory", unit="MB", value=float(memory >> 20),
               what="resident, its whole group, after all of that"),
    ]  # fmt: skip


def _cpu(keeper: Keeper) -> float:
    """Return the seconds of processor time that the server has taken (proc(5), stat)."""
    text = Path(f"/proc/{keeper.status()[0]['pid']}/stat").read_text(encoding="utf-8")
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _asked(keeper: Keeper, root: Path, files: Sequence[File]) -> tuple[list[float], int]:
    """Return the milliseconds of each answer, and how many files were not answered in full."""
    taken, late = [], 0
    for file in files:
        started = time.perf_counter()
        answers = await asyncio.gather(
            keeper.declarations(str(root), file.path, file.imported, _BUDGET),
            keeper.uses(str(root), file.path, file.declared, _BUDGET),
        )
        taken.append(1000 * (time.perf_counter() - started))
        # Edits are seconds apart: what was given up is not to meet the next question.
        patience = time.monotonic() + _SETTLES
        while keeper.status()[0]["busy"] and time.monotonic() < patience:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        late += any("no answer in" in each.problem for each in answers)
    return taken, late


async def _compared(case: Case, root: Path, files: Sequence[File]) -> list[Figure]:
    """Hold what we are told against what the oracle says."""
    failed: list[str] = []
    keeper = _keeper(case, failed)
    oracle = await asyncio.to_thread(case.oracle, root)
    uses, dependents, declared = Score(), Score(), Score()
    try:
        for file in files:
            for ask in file.declared:
                ours = await keeper.uses(str(root), file.path, [ask], _PATIENT)
                spot = (ask.at.path, ask.at.line, ask.at.column)
                truth = await asyncio.to_thread(oracle.references, spot)
                said = {(u.place.path, u.place.line, u.place.column) for u in ours.items}
                theirs = {each for each in truth if _inside(root, each)}
                theirs -= await asyncio.to_thread(oracle.definitions, spot)
                uses.add(said, theirs - {spot}, ours.problem)
                own = {file.path}
                dependents.add({s[0] for s in said} - own, {s[0] for s in theirs} - own, "")
            for ask in file.imported:
                told = await keeper.declarations(str(root), file.path, [ask], _PATIENT)
                truth = await asyncio.to_thread(
                    oracle.definitions, (ask.at.path, ask.at.line, ask.at.column)
                )
                # Of a variable the declaration of its type is told as well, under its own name.
                said = {(d.place.path, d.place.line, 0) for d in told.items if d.name == ask.name}
                theirs = {(p, line, 0) for p, line, _ in truth if (root / p).is_file()}
                declared.add(said, {each for each in theirs if _inside(root, each)}, told.problem)
    finally:
        await keeper.close()
        await asyncio.to_thread(oracle.close)
    if failed:
        raise BenchError(failed[0])
    who = type(oracle).__name__
    about = f"against {who}, {len(files)} files"
    return [
        *_shares(f"{case.server}, uses", uses, about),
        *_shares(f"{case.server}, dependent files", dependents, about),
        *_shares(f"{case.server}, declarations", declared, about),
    ]


def _inside(root: Path, spot: Spot) -> bool:
    return not spot[0].startswith("/") and (root / spot[0]).is_file()


class Score:
    """How much of what is said is so, and how much of what is so is said."""

    def __init__(self) -> None:
        self.both = self.said = self.true = self.questions = 0
        self.wrong: list[str] = []

    def add(self, said: set[Any], true: set[Any], problem: str) -> None:
        """Add one question; two empty sets say nothing."""
        self.questions += 1
        self.both += len(said & true)
        self.said += len(said)
        self.true += len(true)
        if said != true:
            self.wrong.append(f"+{sorted(said - true)[:3]} -{sorted(true - said)[:3]} {problem}")


def _shares(name: str, score: Score, about: str) -> list[Figure]:
    if not score.said or not score.true:
        raise BenchError(f"{name}: nothing was said, or nothing is true")
    detail: dict[str, float | int | str] = {
        "questions": score.questions, "said": score.said, "true": score.true,
        "different": len(score.wrong), "example": (score.wrong or [""])[0][:200],
    }  # fmt: skip
    return [
        Figure(name=f"{name}, precision", what=about, unit="", value=score.both / score.said,
               goal=_GOAL_SHARE, at_least=True, detail=detail),
        Figure(name=f"{name}, recall", what=about, unit="", value=score.both / score.true,
               goal=_GOAL_SHARE, at_least=True, detail=detail),
    ]  # fmt: skip
