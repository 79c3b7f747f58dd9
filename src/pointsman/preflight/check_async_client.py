"""A client is opened in a coroutine and closed by nobody."""

import ast
from collections.abc import Iterator

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, Project
from pointsman.preflight.async_code import Function
from pointsman.preflight.async_kinds import Kind, Kinds, Scope, kinds_of
from pointsman.preflight.async_tables import CLIENTS, Client


def _run(project: Project) -> Iterator[Finding]:
    kinds = kinds_of(project.files)
    for function, callees in kinds.callees.items():
        for call, kind in callees:
            client = _client(kind)
            use = _wrong(kinds, call, client, function) if client is not None else ""
            if use:
                name = str(kind)
                yield Finding(
                    id=CHECK.id, level=Level.NOTE if use.startswith("kept in self") else
                    CHECK.level, file=function.module.file, line=call.lineno,
                    what=f"{function.name}: {name.replace('()', '')} is {use}",
                    why=CHECK.why, fix=f"async with {name.replace('()', '')}(...) as client:",
                )  # fmt: skip


def _client(kind: Kind) -> Client | None:
    made = f"{kind}()" if isinstance(kind, str) else ""
    return next((each for each in CLIENTS if each.made.match(made)), None)


def _wrong(  # noqa: PLR0911 - one way of using it after the other
    kinds: Kinds, call: ast.Call, client: Client | None, function: Function
) -> str:
    if client is None:
        return ""
    node: ast.AST = call
    parent = function.parents.get(node)
    if isinstance(parent, ast.Await):
        node, parent = parent, function.parents.get(parent)
    if isinstance(parent, ast.Attribute):
        grand = function.parents.get(parent)
        if parent.attr in {"__aenter__", *client.close}:
            return "" if parent.attr != "__aenter__" else _entered(function)
        return "used without async with" if isinstance(grand, ast.Call) else ""
    if isinstance(parent, ast.withitem):
        outer = function.parents.get(parent)
        return "entered by with, which it does not have" if isinstance(outer, ast.With) else ""
    if isinstance(parent, ast.Expr):
        return "made and never closed"
    if isinstance(parent, (ast.Assign, ast.AnnAssign)):
        target = parent.targets[0] if isinstance(parent, ast.Assign) else parent.target
        if isinstance(target, ast.Name):
            return _kept(kinds, target.id, client, function)
        if isinstance(target, ast.Attribute) and function.owner is not None:
            return _held(target.attr, client, function)
    return ""


def _entered(function: Function) -> str:
    if function.node.name == "__aenter__":
        return ""
    return "entered by hand: whether and in which task it is left is not said"


def _kept(kinds: Kinds, name: str, client: Client, function: Function) -> str:
    """Return what is wrong with a client in a local name; empty where somebody may close it."""
    inner = [node for other in function.inner.values() for node in other.own]
    if any(isinstance(each, ast.Name) and each.id == name for each in inner):
        return ""
    if any(isinstance(each, (ast.Global, ast.Nonlocal)) and name in each.names
           for each in function.own):  # fmt: skip
        return ""
    for node in function.own:
        if not (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)):
            continue
        if _may_close(kinds, node, client, function):
            return ""
    return "never closed"


def _may_close(kinds: Kinds, node: ast.Name, client: Client, function: Function) -> bool:
    parent = function.parents.get(node)
    if isinstance(parent, ast.Attribute):
        called = isinstance(function.parents.get(parent), ast.Call)
        return parent.attr in {*client.close, "__aexit__", "__aenter__"} or not called
    if isinstance(parent, ast.keyword):
        parent = function.parents.get(parent)
    if isinstance(parent, ast.Call) and parent.func is not node:
        # Lent to a coroutine of the project it comes back; a constructor may keep it.
        kind = kinds.of(parent.func, Scope(function.module, function))
        return not (isinstance(kind, Function) and kind.is_async)
    return not isinstance(parent, ast.Expr)


def _held(name: str, client: Client, function: Function) -> str:
    owner = function.owner
    if owner is None:
        return ""
    text = [node for method in owner.methods.values() for node in method.own]
    for method in owner.methods.values():
        for node in method.own:
            if not (isinstance(node, ast.Attribute) and node.attr == name):
                continue
            parent = method.parents.get(node)
            if isinstance(parent, ast.Attribute) and parent.attr in {*client.close, "__aexit__"}:
                return ""
            if isinstance(node.ctx, ast.Load) and not isinstance(parent, ast.Attribute):
                return ""
    exits = any(isinstance(each, ast.Name) and each.id == "AsyncExitStack" for each in text)
    return "" if exits else f"kept in self.{name}, and nothing in the class closes it"


CHECK = Check(
    id="async-client",
    level=Level.WARNING,
    why="Its connections stay open until the process ends, and a client with a task group has to "
    "be left in the task that entered it.",
    source="httpx, 'Async Support'; aiohttp, 'Client Quickstart'; "
    "modelcontextprotocol/python-sdk#79; google/adk-python#2196",
    fix="async with client: ...",
    run=_run,
)
