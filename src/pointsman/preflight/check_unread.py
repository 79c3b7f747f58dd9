"""A file that should have been checked could not be understood."""

from collections.abc import Iterator

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, Project


def _run(project: Project) -> Iterator[Finding]:
    for file, why in project.unread.items():
        yield Finding(
            id=CHECK.id, level=Level.NOTE, file=file, line=1,
            what=f"could not be read: {why}", why=CHECK.why, fix=CHECK.fix,
        )  # fmt: skip


CHECK = Check(
    id="unread",
    level=Level.NOTE,
    why="What could not be read was not checked, which is not the same as being in order.",
    source="this program",
    fix="look at the file; a template is checked once it has been rendered",
    run=_run,
)
