"""What a snapshot of a tree costs: read for the first time, and again when little has changed.

Processor time, as for growth: what is left of it is the program and not what else the machine does.
"""

import gc
import itertools
import math
import os
import tempfile
import time
from pathlib import Path

from bench.figures import BenchError, Figure, median, ratio, rounded
from bench.rig import Effort
from pointsman.model.proof import Call
from pointsman.proof.prover import Proof
from pointsman.proof.tree import Entry, scan

_SIZES = (1_000, 10_000, 100_000)
_TOUCHED = 10
"""Files that change between two snapshots."""
_IN_ONE = 50
"""Files of one directory."""
_GOAL = 2.2
"""Ten times the files are more than three doublings; each may cost so much more (growth)."""


def snapshot(effort: Effort) -> list[Figure]:
    """Measure trees of three sizes in one run, and a whole call's two comparisons of each."""
    sizes = tuple(effort.of(size, size // 10) for size in _SIZES)
    with tempfile.TemporaryDirectory() as made:
        base = Path(os.path.realpath(made))
        rows = [(size, *_measured(base, size, effort.of(5, 2))) for size in sizes]
    figures = []
    for size, first, warm, call in rows:
        figures += [
            _figure(f"snapshot, {size} files, first", first, size, "every file read and hashed"),
            _figure(f"snapshot, {size} files, warm", warm, size, f"{_TOUCHED} files changed"),
            _figure(
                f"proof of a call, {size} files", call, size,
                "before and after a call that changed one file outside its contract: put back",
            ),
        ]  # fmt: skip
    return [*figures, *(_growth(one, other) for one, other in itertools.pairwise(rows))]


Row = tuple[int, float, float, float]


def _growth(one: Row, other: Row) -> Figure:
    doublings = math.log2(other[0] / one[0])
    return Figure(
        name=f"growth, snapshot of {one[0]} to {other[0]} files",
        what="time(2n)/time(n) of a warm snapshot",
        unit="x",
        value=ratio(other[2], one[2]) ** (1 / doublings),
        goal=_GOAL,
        detail={"doublings": rounded(doublings)},
    )


def _figure(name: str, seconds: float, size: int, what: str) -> Figure:
    return Figure(
        name=name, what=what, unit="ms", value=rounded(seconds * 1e3),
        detail={"us_per_file": rounded(seconds * 1e6 / size)},
    )  # fmt: skip


def _measured(base: Path, size: int, turns: int) -> tuple[float, float, float]:
    root = _tree(base / f"tree-{size}", size)
    first = min(_timed(root, {})[0] for _ in range(2))
    known = _timed(root, {})[1]
    warm = []
    for turn in range(turns):
        for number in range(_TOUCHED):
            (root / f"d{number}" / "f0.txt").write_text(f"changed {turn}\n", encoding="utf-8")
        seconds, known = _timed(root, known)
        warm.append(seconds)
    return first, median(warm), _call(base, root, turns)


def _timed(root: Path, known: dict[str, Entry]) -> tuple[float, dict[str, Entry]]:
    gc.disable()
    started = time.process_time()
    found = scan(str(root), known)
    took = time.process_time() - started
    gc.enable()
    if found.problem or found.blind:
        raise BenchError(f"the tree was not read: {found.problem} {found.blind}")
    return took, found.entries


def _call(base: Path, root: Path, turns: int) -> float:
    """Return the seconds that the two comparisons of a call take, the undoing among them."""
    proof = Proof(base / f"state-{root.name}")
    judges = {"builder": lambda path: "" if path.startswith("d1/") else "only d1"}
    proof.prepare(str(root), judges)
    target = root / "d2/f1.txt"
    held = target.read_bytes()
    taken = []
    for turn in range(turns):
        call = Call(root=str(root), session="bench", agent="builder", id=f"c{turn}")
        started = time.process_time()
        proof.before(call, judges)
        before = time.process_time() - started
        target.write_text("evil\n", encoding="utf-8")
        started = time.process_time()
        report = proof.after(call, judges)
        taken.append(before + time.process_time() - started)
        if len(report.findings) != 1 or target.read_bytes() != held:
            raise BenchError(f"it was not put back: {report}")
    proof.close()
    return median(taken)


def _tree(root: Path, size: int) -> Path:
    for number in range(max(_TOUCHED, size // _IN_ONE)):
        folder = root / f"d{number}"
        folder.mkdir(parents=True)
        for name in range(_IN_ONE):
            text = f"{number} {name}\n" * 40
            (folder / f"f{name}.txt").write_text(text, encoding="utf-8")
    # Settled: what was written this very moment is read again.
    time.sleep(0.1)
    return root
