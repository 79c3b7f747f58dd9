"""What the kernel's hold adds to a command, by mechanism and by program."""

import sys
from pathlib import Path

from bench.figures import Figure, median, ratio, rounded
from bench.rig import Effort, Rig, rig
from bench.spawn import Program, alternately
from pointsman.client import exec as twin
from pointsman.model.contract import Contract
from pointsman.paths.client_command import client_command
from pointsman.sandbox.confine import confine
from pointsman.sandbox.probe import probe
from pointsman.sandbox.reach import confinement_of

_SHELL = ("/bin/sh", "-c", ":")
_MECHANISMS = ("bubblewrap", "landlock")


def holding(effort: Effort) -> list[Figure]:
    """Measure a shell that does nothing, held, against the same shell."""
    with rig() as made:
        return [
            _one(made, effort, program, mechanism)
            for program in _programs()
            for mechanism in _MECHANISMS
        ]


def _programs() -> list[tuple[str, tuple[str, ...]]]:
    found: list[tuple[str, tuple[str, ...]]] = [
        ("python", (sys.executable, "-I", "-S", str(twin.__file__)))
    ]
    command = client_command()
    if command.native:
        native = Path(command.argv[0]).with_name("pointsman-exec")
        return [("native", (str(native),)), *found]
    return found


def _one(made: Rig, effort: Effort, program: tuple[str, tuple[str, ...]], mechanism: str) -> Figure:
    name, client = program
    label = f"{mechanism} / sh, p50 ({name})"
    what = "a shell that does nothing, held, against the same shell"
    seam = probe(client, mechanism)
    if seam.mechanism == "none":
        reason = "; ".join(f"{each}: {why}" for each, why in seam.refused)
        return Figure(name=label, what=what, unit="x", reason=reason)
    root = str(made.repository)
    contract = Contract(agent="builder", source="bench", root=root, allowed=("src/**",))
    words = confine(confinement_of([contract], root, root, made.environ), seam).words
    nothing = Path("/dev/null")
    held = Program((*words, *_SHELL), nothing, made.environ)
    free = Program(_SHELL, nothing, made.environ)
    alternately([held, free], 3)
    ours, theirs = alternately([held, free], effort.of(200, 10))
    detail: dict[str, float | int | str] = {
        "added_us": rounded(median(ours) - median(theirs)),
        "held_us": rounded(median(ours)),
        "shell_us": rounded(median(theirs)),
        "runs": len(ours),
    }
    value = ratio(median(ours), median(theirs))
    return Figure(name=label, what=what, unit="x", value=value, detail=detail)
