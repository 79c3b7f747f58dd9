"""Whatever is done to whatever tree: outside it is as it was, inside it is as the agent left it."""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.model.proof import Call, Outcome
from pointsman.proof.prover import Proof
from proof.world import State, judge_of, nobody, outcomes, read

_NAMES = st.sampled_from(["a", "b", "c.py", ".d", "e f"])
_PATHS = st.builds(
    lambda top, parts: "/".join((top, *parts)),
    st.sampled_from(["in", "out", "out/in"]),
    st.lists(_NAMES, min_size=1, max_size=3),
)
_OPERATIONS = st.tuples(
    st.sampled_from(
        ["write", "append", "delete", "tree", "directory", "move", "link", "hard", "mode", "pipe"]
    ),
    _PATHS,
    _PATHS,
    st.sampled_from([0o600, 0o644, 0o755, 0o700, 0o400]),
)


def _write(path: Path, other: Path, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{other}{mode}")


def _append(path: Path, other: Path, mode: int) -> None:
    del mode
    with path.open("a") as file:
        file.write(str(other))


def _delete(path: Path, other: Path, mode: int) -> None:
    del other, mode
    path.unlink()


def _tree(path: Path, other: Path, mode: int) -> None:
    del other, mode
    if path.is_dir():  # A pipe would be opened, and nobody writes to its other end.
        shutil.rmtree(path)


def _directory(path: Path, other: Path, mode: int) -> None:
    del other
    path.mkdir(parents=True)
    path.chmod(mode | 0o700)


def _move(path: Path, other: Path, mode: int) -> None:
    del mode
    path.rename(other)


def _link(path: Path, other: Path, mode: int) -> None:
    del mode
    path.symlink_to(os.path.relpath(other, path.parent))


def _hard(path: Path, other: Path, mode: int) -> None:
    del mode
    path.hardlink_to(other)


def _mode(path: Path, other: Path, mode: int) -> None:
    del other
    path.chmod(mode | (0o700 if path.is_dir() else 0))


def _pipe(path: Path, other: Path, mode: int) -> None:
    del other
    os.mkfifo(path, mode)


_ACTS: dict[str, Callable[[Path, Path, int], None]] = {
    "write": _write, "append": _append, "delete": _delete, "tree": _tree,
    "directory": _directory, "move": _move, "link": _link, "hard": _hard, "mode": _mode,
    "pipe": _pipe,
}  # fmt: skip


def act(root: Path, operation: tuple[str, str, str, int]) -> None:
    kind, one, other, mode = operation
    path = root / one
    # Nobody would ever write to the other end of a pipe.
    if kind in {"write", "append"} and path.is_fifo():
        return
    with suppress(OSError):
        _ACTS[kind](path, root / other, mode)


def part(state: State, *, inside: bool) -> State:
    return {path: each for path, each in state.items() if path.startswith("in/") is inside}


@settings(max_examples=150, deadline=None)
@given(
    begin=st.lists(_OPERATIONS, max_size=12), work=st.lists(_OPERATIONS, min_size=1, max_size=12)
)
def test_outside_is_as_it_was_and_inside_as_it_was_left(
    begin: list[tuple[str, str, str, int]], work: list[tuple[str, str, str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as made:
        base = Path(os.path.realpath(made))
        root = base / "tree"
        for folder in ("in", "out/in"):
            (root / folder).mkdir(parents=True)
        for each in begin:
            act(root, each)
        proof = Proof(base / "state", signs=nobody, running=lambda _session: False)
        judges = {"builder": judge_of(root, "in/**")}
        call = Call(root=str(root), session="s", agent="builder", id="c")
        before = read(root)
        assert proof.before(call, judges).problem == ""
        for each in work:
            act(root, each)
        left = read(root)
        report = proof.after(call, judges)
        now = read(root)
        assert part(now, inside=False) == part(before, inside=False), report
        assert part(now, inside=True) == part(left, inside=True), report
        assert set(outcomes(report).values()) <= {Outcome.RESTORED}, report
        changed = part(left, inside=False) != part(before, inside=False)
        assert bool(report.findings) == changed
        proof.close()
