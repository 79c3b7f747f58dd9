"""The program writes files where that is refused, or where they do not stay."""

from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.model.preflight import Check, Target
from pointsman.preflight.environments_habits import Kind
from pointsman.preflight.environments_model import Difference, Environment, Rank
from pointsman.preflight.environments_program import Program, fault, on_deployed

_FREE = ("/tmp", "/var/tmp", "/dev/", "/proc/", ":memory:", "file::memory:")  # noqa: S108 - compared
_WORDS = {Kind.WRITE: "is written", Kind.SQLITE: "is a database in a file"}


def faults(environment: Environment, program: Program) -> Iterator[Difference]:
    """Yield writes outside the directories that stay or may be written."""
    for habit in program.habits:
        if habit.kind in _WORDS and not habit.main and habit.text:
            yield from _judged(environment, habit.text, _WORDS[habit.kind],
                               (habit.file, habit.line), habit.kind is Kind.SQLITE)  # fmt: skip
    for each in environment.variables.values():
        if each.sqlite:
            yield from _judged(environment, each.sqlite, f"({each.name}) is a database in a file",
                               (each.file, each.line), True)  # fmt: skip
    for read in program.reads.values():
        path = read.fallback.partition(":///")[2] if read.fallback.startswith("sqlite") else ""
        if path and read.name not in environment.variables:
            yield from _judged(environment, path, f"({read.name}) is a database in a file",
                               (read.file, read.line), True)  # fmt: skip


def _judged(
    environment: Environment, path: str, words: str, place: tuple[str, int], lasting: bool
) -> Iterator[Difference]:
    if environment.mounted(path) or (path.startswith(_FREE) and not lasting) or ":memory:" in path:
        return
    target = environment.target
    fixed = environment.fact("read-only") == "true" or target is Target.LAMBDA
    if fixed and not path.startswith(_FREE):
        yield fault(CHECK, Rank.REQUEST, place,
                    f"{path} {words}, and the file system of {environment.label} is read-only",
                    "write below /tmp, or mount a volume there")  # fmt: skip
    else:
        where = "takes memory and is" if target is Target.CLOUD_RUN else "is"
        yield fault(CHECK, Rank.BEHAVIOUR, place,
                    f"{path} {words}; on {target or environment.label} it {where} gone with the "
                    f"instance, and another instance does not see it")  # fmt: skip


CHECK = Check(
    id="cloud-writes",
    level=Level.WARNING,
    why="Instances come and go, each with a file system of its own; Lambda's is read-only but for "
    "/tmp.",
    source="container contract of Cloud Run: file system access; AWS Lambda: ephemeral storage; "
    "Kubernetes: readOnlyRootFilesystem",
    fix="keep it in a bucket, a database or a mounted volume; /tmp for what may be lost",
    run=on_deployed(faults),
)
