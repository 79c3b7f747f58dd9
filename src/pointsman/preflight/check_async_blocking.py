"""A coroutine holds the event loop, by itself or through the functions that it calls."""

from collections.abc import Iterator

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, Project
from pointsman.preflight.async_blocking import Blocking, What, blocking_of
from pointsman.preflight.async_code import Function


def _run(project: Project) -> Iterator[Finding]:
    blocking = blocking_of(project.files)
    for function in blocking.direct:
        if function.is_async:
            yield from _own(blocking, function)
            yield from _through(blocking, function)


def _own(blocking: Blocking, function: Function) -> Iterator[Finding]:
    for step in blocking.direct[function]:
        if step.what is not What.DATABASE:
            yield _finding(function, step.line, f"calls {step.word}", step.what)


def _through(blocking: Blocking, function: Function) -> Iterator[Finding]:
    seen: set[Function] = set()
    for call, callee in blocking.calls[function]:
        if callee in seen or callee not in blocking.through:
            continue
        seen.add(callee)
        what = blocking.end(callee).what
        words = f"calls {callee.name}, and {blocking.chain(callee)}"
        yield _finding(function, call.lineno, words, what)


def _finding(function: Function, line: int, words: str, what: What) -> Finding:
    return Finding(
        id=CHECK.id, level=Level.NOTE if what is What.FILE else CHECK.level,
        file=function.module.file, line=line, what=f"async {function.name} {words}",
        why=CHECK.why, fix=CHECK.fix,
    )  # fmt: skip


CHECK = Check(
    id="async-blocking",
    level=Level.WARNING,
    why="The event loop stands still until the call returns, also where it is hidden in a helper.",
    source="asyncio, 'Running Blocking Code'",
    fix="await asyncio.to_thread(...) around the call, or use an asynchronous library",
    run=_run,
)
