"""Awaits that do not need one another run one after another."""

import ast
import re
from collections.abc import Iterator

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, Project
from pointsman.preflight.async_code import Function, code_of

_READS = re.compile(r"_*(?:a?get|fetch|load|query|search|download|lookup|look_up|describe|embed"
                    r"|complete|generate|translate|summari[sz]e|classify|scrape|crawl|resolve"
                    r"|probe|check)(?:_|\Z)")  # fmt: skip
_ONE_AT_A_TIME = re.compile(
    r"(?i:.*(?:conn|connection|cursor|cur|db|tx|transaction|queue|stream|reader|ws|websocket|page"
    r"|lock|browser|pipe|pubsub|session_db|uow|repo|iterator|gen)|q)\Z"
)
"""What answers one question after another, or has an order: last words of a receiver."""
_BREAKS = (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom, ast.Try, ast.If, ast.While,
           ast.AsyncFor, ast.AsyncWith, ast.With, ast.Continue, ast.AugAssign)  # fmt: skip


def _run(project: Project) -> Iterator[Finding]:
    for function in code_of(project.files).functions:
        if not function.is_async:
            continue
        for node in function.own:
            if isinstance(node, ast.For) and _could(node):
                yield _finding(function, node.lineno, "each turn of this loop awaits the last")
        yield from _pairs(function)


def _finding(function: Function, line: int, words: str) -> Finding:
    return Finding(
        id=CHECK.id, level=CHECK.level, file=function.module.file, line=line,
        what=f"{function.name}: {words}, and needs nothing of it", why=CHECK.why, fix=CHECK.fix,
    )  # fmt: skip


def _could(loop: ast.For) -> bool:
    """Whether the turns of a loop only ask, and keep the answers."""
    nodes = [each for line in loop.body for each in ast.walk(line)]
    if loop.orelse or any(isinstance(each, _BREAKS) for each in nodes):
        return False
    awaits = [each for each in nodes if isinstance(each, ast.Await)]
    if len(awaits) != 1 or not _asks(awaits[0]):
        return False
    if any(isinstance(line, ast.Expr) and line.value is awaits[0] for line in loop.body):
        return False
    given = {each.id for each in nodes
             if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}  # fmt: skip
    kept = {name for each in nodes if isinstance(each, ast.Subscript)
            and isinstance(each.ctx, ast.Store) for name in _names(each.value)}  # fmt: skip
    kept |= {name for each in nodes if isinstance(each, ast.Call)
             and isinstance(each.func, ast.Attribute)
             and each.func.attr in {"append", "extend", "add"}
             for name in _names(each.func.value)}  # fmt: skip
    return bool(kept) and not (_names(awaits[0]) & (given | kept))


def _asks(node: ast.Await) -> bool:
    call = node.value
    if not isinstance(call, ast.Call):
        return False
    if isinstance(call.func, ast.Name):
        return bool(_READS.match(call.func.id))
    if not isinstance(call.func, ast.Attribute) or not _READS.match(call.func.attr):
        return False
    receiver = call.func.value
    word = receiver.attr if isinstance(receiver, ast.Attribute) else getattr(receiver, "id", "")
    return bool(word) and not _ONE_AT_A_TIME.match(word)


def _pairs(function: Function) -> Iterator[Finding]:
    for node in (function.node, *function.own):
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if not isinstance(body, list):
                continue
            last: tuple[str, ast.Await] | None = None
            for line in body:
                this = _asked(line)
                if last and this and last[0] not in _names(this[1]):
                    yield _finding(function, line.lineno, "this await waits for the one before")
                    last = None
                else:
                    last = this


def _asked(line: ast.stmt) -> tuple[str, ast.Await] | None:
    match line:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Await() as value) if _asks(value):
            return name, value
    return None


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


CHECK = Check(
    id="async-gather",
    level=Level.NOTE,
    why="The times of the calls add up, where together they would take as long as the longest.",
    source="asyncio, 'Task Groups' and 'asyncio.gather'",
    fix="run them in an asyncio.TaskGroup or asyncio.gather, with a semaphore where there are many",
    run=_run,
)
