"""A coroutine is used as if it were what it will return."""

import ast
from collections.abc import Iterator

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, Project
from pointsman.preflight.async_code import Function
from pointsman.preflight.async_kinds import Instance, Kind, Kinds, Scope, is_plain, kinds_of
from pointsman.preflight.async_tables import COROUTINES

_SINKS = frozenset({"str", "repr", "print", "len", "int", "float", "bool", "list", "dict", "sorted",
                    "sum", "json.dumps", "format", "tuple", "set", "min", "max"})  # fmt: skip
_OWN = frozenset(
    {"send", "throw", "close", "cr_frame", "cr_running", "cr_code", "cr_await", "__await__"}
)
_ALSO = ("Awaitable", "Coroutine", "Future", "Task", "Any", "object")


def _run(project: Project) -> Iterator[Finding]:
    kinds = kinds_of(project.files)
    for function, callees in kinds.callees.items():
        for call, kind in callees:
            name = _coroutine(kinds, call, kind, function)
            if not name:
                continue
            for node, use in _uses(call, function):
                yield Finding(
                    id=CHECK.id, level=CHECK.level, file=function.module.file,
                    line=getattr(node, "lineno", call.lineno),
                    what=f"{function.name}: the coroutine of {name} is {use} and not awaited",
                    why=CHECK.why, fix=f"await {name}(...)",
                )  # fmt: skip
                break


def _coroutine(kinds: Kinds, call: ast.Call, kind: Kind, function: Function) -> str:
    """Return the name of what makes a coroutine, empty where a call makes none."""
    if isinstance(kind, str):
        return kind.replace("()", "") if COROUTINES.match(kind) else ""
    if not isinstance(kind, Function) or not kind.is_async or kind.is_generator:
        return ""
    if not is_plain(kind):
        return ""
    if kind.owner is not None and isinstance(call.func, ast.Attribute):
        base = kinds.of(call.func.value, Scope(function.module, function))
        of = base.of if isinstance(base, Instance) else kind.owner
        if not all(each.is_async for each in kinds.overridden(of, kind.node.name)):
            return ""
    return kind.name


def _uses(call: ast.Call, function: Function) -> Iterator[tuple[ast.AST, str]]:
    """Yield the wrong uses of a coroutine: of the call itself, or of the name it is given."""
    parent = function.parents.get(call)
    if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
        target = parent.targets[0] if isinstance(parent, ast.Assign) else parent.target
        if isinstance(target, ast.Name) and len(function.bindings.get(target.id, ())) == 1:
            yield from _of_name(target.id, call, function)
        return
    use = _wrong(call, function)
    if use:
        yield call, use


def _of_name(name: str, call: ast.Call, function: Function) -> Iterator[tuple[ast.AST, str]]:
    uses = [
        each
        for each in function.own
        if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
    ]
    inner = [*function.inner.values()]
    if any(isinstance(each, ast.Name) and each.id == name for other in inner for each in other.own):
        return
    lambdas = (each for each in function.own if isinstance(each, ast.Lambda))
    if any(isinstance(n, ast.Name) and n.id == name for each in lambdas for n in ast.walk(each)):
        return
    if not uses:
        yield call, f"kept in {name}, never used"
        return
    told = [(each, _wrong(each, function)) for each in uses]
    right = any(isinstance(function.parents.get(each), ast.Await) for each in uses)
    if not right:
        yield from ((each, use) for each, use in told if use and "returned" not in use)


def _wrong(  # noqa: C901, PLR0911, PLR0912 - a table of what it may stand in
    node: ast.expr, function: Function
) -> str:
    parent = function.parents.get(node)
    match parent:
        case ast.FormattedValue():
            return "put into a text"
        case ast.Expr():
            return "thrown away"
        case ast.Attribute(attr=attribute) if attribute not in _OWN:
            return f"asked for .{attribute}"
        case ast.Subscript(value=value) if value is node:
            return "taken an element of"
        case ast.BinOp():
            return "reckoned with"
        case ast.Compare(ops=ops) if not any(isinstance(e, (ast.Is, ast.IsNot)) for e in ops):
            return "compared"
        case ast.UnaryOp(op=ast.Not()):
            return "asked whether it is true"
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if test is node:
            return "asked whether it is true"
        case ast.For(iter=each) | ast.comprehension(iter=each) if each is node:
            return "gone through"
        case ast.BoolOp(values=values) if values[-1] is not node and isinstance(node, ast.Call):
            return "asked whether it is true"
        case ast.Call(func=sink) if ast.unparse(sink) in _SINKS or _is_log(sink):
            return f"handed to {ast.unparse(sink)}"
        case ast.Call(func=ast.Attribute(attr="join" | "append" | "format", value=ast.Constant())):
            return "put into a text"
        case ast.Return() if function.is_async and not _may_return(function):
            return "returned"
        case ast.Return() if _says_value(function):
            return "returned"
        case ast.Dict() if isinstance(function.parents.get(parent), ast.Return):
            return "returned in a dict"
    return ""


def _is_log(sink: ast.expr) -> bool:
    words = {"debug", "info", "warning", "error", "exception", "critical"}
    return (
        isinstance(sink, ast.Attribute)
        and sink.attr in words
        and isinstance(sink.value, ast.Name)
        and "log" in sink.value.id.lower()
    )


def _may_return(function: Function) -> bool:
    said = function.node.returns
    return said is not None and any(each in ast.unparse(said) for each in _ALSO)


def _says_value(function: Function) -> bool:
    """Whether a synchronous function says that it returns a plain value."""
    said = function.node.returns
    words = ast.unparse(said).strip("'\"") if said is not None else ""
    return words.partition("[")[0] in {"str", "int", "float", "bool", "bytes", "dict", "list"}


CHECK = Check(
    id="async-coroutine",
    level=Level.ERROR,
    why="A coroutine that is not awaited does nothing: what is used is the object, '<coroutine "
    "object ...>' where it becomes text, and an agent reads that as its tool's result.",
    source="asyncio, 'Detect never-awaited coroutines'; databricks-solutions/ai-dev-kit#526",
    fix="await the call",
    run=_run,
)
