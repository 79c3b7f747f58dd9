"""What is told before an edit by the index alone: whether it is so, and how quickly it is there.

The truth about who uses what comes from tsserver and pyright, asked on ways of their own
(``bench/oracles.py``), on the same files of the same code bases as the language servers.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bench.figures import BenchError, Figure, median, percentile, rounded
from bench.oracles import Oracle, Spot
from bench.rig import Effort
from bench.servers import CASES, Case, File, Score, chosen
from pointsman.code.build import Builder
from pointsman.code.facts import ALL, WHOLE, Import
from pointsman.code.gather import gather, is_test
from pointsman.code.users import users_of
from pointsman.code.view import View
from pointsman.model.bundle import Change
from pointsman.model.code import Ask

_FILES = 60
_UPDATES = 60
_MANY = 2000
_GOAL_SHARE = 0.95
_GOAL_UPDATE_MS = 2.0
_GOAL_ANSWER_MS = 5.0
_NAMES = {"TypeScript 7": "TypeScript", "ty": "Python"}


@dataclass(slots=True)
class Scores:
    """How the index did: dependents, declarations by file and line, names of the imports."""

    dependents: Score = field(default_factory=Score)
    declarations: Score = field(default_factory=Score)
    imports: Score = field(default_factory=Score)


def context(effort: Effort) -> list[Figure]:
    """Hold the index against the truth on two code bases, and time it."""
    return [figure for case in CASES for figure in _measured(case, effort)]


def _measured(case: Case, effort: Effort) -> list[Figure]:
    root = case.root().resolve()
    count = effort.of(_FILES, 8)
    # Nobody uses what most tests declare: that would be asked about in vain.
    each = (file for file in chosen(case, root, _MANY) if not is_test(file.path))
    files = list(islice(each, count))
    if len(files) < count:
        raise BenchError(f"only {len(files)} files of {root.name} import and declare something")
    with tempfile.TemporaryDirectory() as place:
        index = Path(place) / "code" / "index.db"
        built = _built(case, root, index)
        answers = _answers(case, root, index, files)
        scores = _compared(case, root, index, files)
        updates = _updates(case, root, index, files[: effort.of(_UPDATES, 4)])
    return [*built, updates, answers, *_shares(case, scores, len(files))]


def _title(case: Case) -> str:
    return f"context, {_NAMES[case.server]}"


@contextmanager
def _view(index: Path, root: Path) -> Iterator[View]:
    view = View(index, str(root))
    try:
        yield view
    finally:
        view.close()


def _built(case: Case, root: Path, index: Path) -> list[Figure]:
    """Read and link everything once."""
    builder = Builder(index, str(root))
    try:
        spent = time.process_time()
        built = builder.refresh()
        spent = time.process_time() - spent
    finally:
        builder.close()
    return [
        Figure(
            name=f"{_title(case)}, index", what="every file read and linked, once", unit="s",
            value=rounded(spent),
            detail={"files": built.read, "wall_s": rounded(built.seconds),
                    "cpu_ms_a_file": rounded(1000 * spent / max(1, built.read)),
                    "mb": rounded(index.stat().st_size / 1e6)},
        )
    ]  # fmt: skip


def _updates(case: Case, root: Path, index: Path, files: Sequence[File]) -> Figure:
    """Time what follows on an edit, in a copy of each file's place: processor time of a file."""
    builder = Builder(index, str(root))
    taken = []
    try:
        for file in files:
            path = root / file.path
            kept = path.with_name(f"{path.name}.kept")
            shutil.copy2(path, kept)
            try:
                path.write_bytes(kept.read_bytes() + b"\n")
                spent = time.process_time()
                if builder.update([file.path]).read != 1:
                    raise BenchError(f"{file.path} was changed and not read again")
                taken.append(1000 * (time.process_time() - spent))
            finally:
                kept.replace(path)
    finally:
        builder.close()
    return Figure(
        name=f"{_title(case)}, update p50", what="one file changed: read and linked again, CPU",
        unit="ms", value=rounded(median(taken)), goal=_GOAL_UPDATE_MS,
        detail={"p95_ms": rounded(percentile(taken, 0.95)), "files": len(taken)},
    )  # fmt: skip


def _answers(case: Case, root: Path, index: Path, files: Sequence[File]) -> Figure:
    """Time all sections of a file, each through a view of its own: nothing is remembered."""
    cpu, wall = [], []
    for file in files:
        text = (root / file.path).read_text(encoding="utf-8", errors="replace")
        change = Change(str(root), file.path, text[:500])
        spent, started = time.process_time(), time.perf_counter()
        with _view(index, root) as view:
            gathered = gather(view, change, text, ())
        cpu.append(1000 * (time.process_time() - spent))
        wall.append(1000 * (time.perf_counter() - started))
        if not gathered.sections:
            raise BenchError(f"nothing was said of {file.path}")
    return Figure(
        name=f"{_title(case)}, cold answer p50", what="all sections of a file, CPU", unit="ms",
        value=rounded(median(cpu)), goal=_GOAL_ANSWER_MS,
        detail={"p95_ms": rounded(percentile(cpu, 0.95)), "wall_p50_ms": rounded(median(wall)),
                "wall_p95_ms": rounded(percentile(wall, 0.95)), "files": len(files)},
    )  # fmt: skip


def _compared(case: Case, root: Path, index: Path, files: Sequence[File]) -> Scores:
    """Hold what the index says of each file against what the oracle says."""
    oracle = case.oracle(root)
    scores = Scores()
    try:
        for file in files:
            with _view(index, root) as view:
                for ask in file.declared:
                    _dependents(view, root, oracle, ask, scores.dependents)
                for ask in file.imported:
                    _declaration(view, root, oracle, ask, scores.declarations)
                said = {each.local or each.name for each in view.imports(file.path)}
                true = {ask.name for ask in file.imported}
                scores.imports.add(said & true, true, "")
    finally:
        oracle.close()
    return scores


def _dependents(view: View, root: Path, oracle: Oracle, ask: Ask, score: Score) -> None:
    path = ask.at.path
    spot = (path, ask.at.line, ask.at.column)
    uses = {each for each in oracle.references(spot) if _inside(root, each)}
    true = {each[0] for each in uses - oracle.definitions(spot)} - {path}
    said = set(users_of(view, path, [ask.name])) - {path}
    score.add(said, true, f"{path} {ask.name}")


def _declaration(view: View, root: Path, oracle: Oracle, ask: Ask, score: Score) -> None:
    path = ask.at.path
    truth = oracle.definitions((path, ask.at.line, ask.at.column))
    true = {(each[0], each[1]) for each in truth if _inside(root, each)}
    said = set()
    for one in view.imports(path):
        target = view.target(path, one.module) if _is_meant(one, ask) else None
        if target is not None:
            for found in view.find(target, one.name):
                line = found.declared.line if found.declared is not None else 1
                said.add((found.path, line))
    if not said and true:
        said = _submodules(view, path, ask)
    score.add(said, true, f"{path} {ask.name}")


def _is_meant(one: Import, ask: Ask) -> bool:
    # The question stands at the name as its module has it, before any `as`.
    return one.name == ask.name and one.name not in {"", ALL, WHOLE} and one.line <= ask.at.line


def _submodules(view: View, path: str, ask: Ask) -> set[tuple[str, int]]:
    named = [one for one in view.imports(path) if _is_meant(one, ask)]
    found = {view.target(path, f"{one.module}\n{one.name}") for one in named}
    return {(each, 1) for each in found if each is not None}


def _inside(root: Path, spot: Spot) -> bool:
    return not spot[0].startswith("/") and (root / spot[0]).is_file()


def _shares(case: Case, scores: Scores, count: int) -> list[Figure]:
    about = f"index alone, {count} files, against the {_NAMES[case.server]} oracle"
    figures = []
    for name, score in (
        ("dependent files", scores.dependents),
        ("declarations", scores.declarations),
    ):
        figures.append(_share(f"{_title(case)}, {name}, precision", about, score, score.said))
        figures.append(_share(f"{_title(case)}, {name}, recall", about, score, score.true))
    name = f"{_title(case)}, imported names, recall"
    figures.append(_share(name, about, scores.imports, scores.imports.true))
    return figures


def _share(name: str, about: str, score: Score, of: int) -> Figure:
    if not of:
        raise BenchError(f"{name}: nothing was said, or nothing is true")
    return Figure(
        name=name, what=about, unit="", value=score.both / of, goal=_GOAL_SHARE, at_least=True,
        detail={"questions": score.questions, "said": score.said, "true": score.true,
                "different": len(score.wrong), "example": (score.wrong or [""])[0][:300]},
    )  # fmt: skip
