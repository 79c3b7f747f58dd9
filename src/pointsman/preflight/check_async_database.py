"""A database is asked by a driver that waits, in a coroutine."""

from collections.abc import Iterator

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, Project
from pointsman.preflight.async_blocking import What, blocking_of


def _run(project: Project) -> Iterator[Finding]:
    for function, steps in blocking_of(project.files).direct.items():
        asked = [each for each in steps if each.what is What.DATABASE]
        if not function.is_async or not asked:
            continue
        first = asked[0]
        more = f" (and {len(asked) - 1} more here)" if len(asked) > 1 else ""
        yield Finding(
            id=CHECK.id, level=CHECK.level, file=function.module.file, line=first.line,
            what=f"async {function.name} calls {first.word}{more}, which waits for the database",
            why=CHECK.why, fix=f"use {first.instead}, or await asyncio.to_thread(...)",
        )  # fmt: skip


CHECK = Check(
    id="async-database",
    level=Level.WARNING,
    why="Nothing else of the event loop runs while a synchronous driver waits: no other request, "
    "no heartbeat, no timeout.",
    source="asyncio, 'Running Blocking Code'; google/adk-python#7160",
    fix="use the driver's asynchronous twin, or await asyncio.to_thread(...)",
    run=_run,
)
