"""What a hook costs as a process: the native client against cat, its twin against bare Python."""

import shutil
import sys
from pathlib import Path

from bench.figures import BenchError, Figure, median, percentile, ratio, rounded
from bench.rig import Effort, Rig, rig
from bench.spawn import Program, alternately, side_by_side
from pointsman.client import hook
from pointsman.paths.client_command import client_command

_ARGUMENTS = ("claude-code", "PreToolUse")
_WIDTH = 8


def native(effort: Effort) -> list[Figure]:
    """Measure the native client against cat with the same payload on stdin."""
    command = client_command()
    if not command.native:
        reason = "the native client is not compiled in this environment"
        return [
            Figure(name=name, what=what, unit="x", goal=goal, reason=reason)
            for name, what, goal in (_ALONE, _CROWDED)
        ]
    with rig() as made, made.daemon():
        payload = _payload(made)
        client = Program((*command.argv, *_ARGUMENTS), payload, made.environ)
        cat = Program((_which("cat"),), payload, made.environ)
        alternately([client, cat], 20)
        ours, theirs = alternately([client, cat], effort.of(1500, 100))
        crowd: tuple[list[float], list[float]] = ([], [])
        for _ in range(effort.of(12, 2)):
            for program, taken in zip((client, cat), crowd, strict=True):
                taken.extend(side_by_side(program, 200, _WIDTH))
        _check_recorded(made, 20 + len(ours) + len(crowd[0]))
    return [_figure(_ALONE, ours, theirs, 0.5), _figure(_CROWDED, *crowd, 0.99)]


_ALONE = ("client / cat, p50", "native client as a process against cat, one at a time", 1.3)
_CROWDED = ("client / cat, p99 of 8", "the same, 8 processes under way at a time", 3.0)


def twin(effort: Effort) -> list[Figure]:
    """Measure the client in Python against an interpreter that does nothing."""
    with rig() as made, made.daemon():
        payload = _payload(made)
        bare = [sys.executable, "-I", "-S"]
        client = Program((*bare, str(hook.__file__), *_ARGUMENTS), payload, made.environ)
        nothing = Program((*bare, "-c", "pass"), payload, made.environ)
        alternately([client, nothing], 3)
        ours, theirs = alternately([client, nothing], effort.of(250, 20))
        _check_recorded(made, 3 + len(ours))
    what = "client in Python against python -I -S -c pass"
    return [_figure(("Python client / python, p50", what, None), ours, theirs, 0.5)]


def _payload(made: Rig) -> Path:
    """Write down a payload that nobody objects to."""
    path = made.folder / "payload.json"
    calm = (each for each in made.payloads() if b'"PreToolUse"' in each and b"git status" in each)
    path.write_bytes(next(calm))
    return path


def _check_recorded(made: Rig, expected: int) -> None:
    found = made.recorded("SELECT count(*) FROM events WHERE event = 'PreToolUse'")[0][0]
    if found != expected:
        raise BenchError(f"{expected} clients ran, {found} of their events are on record")


def _figure(
    about: tuple[str, str, float | None], ours: list[float], theirs: list[float], share: float
) -> Figure:
    name, what, goal = about
    mine, other = percentile(ours, share), percentile(theirs, share)
    detail = {
        "ours_us": rounded(mine),
        "theirs_us": rounded(other),
        "ours_p50_us": rounded(median(ours)),
        "runs": len(ours),
    }
    return Figure(
        name=name, what=what, unit="x", value=ratio(mine, other), goal=goal, detail=detail
    )


def _which(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise BenchError(f"there is no {name} on PATH")
    return path
