"""Hooks written in Python, found without running them: the decorators are read, not obeyed."""

import ast
from collections.abc import Iterator
from pathlib import Path

from pointsman.config.schema import EVENT_NAMES
from pointsman.model.budget import LONGEST
from pointsman.model.hook import Role
from pointsman.model.policy import DeclaredHook, Problem

MOST_BYTES = 256 * 1024
_ROLES = {role.value: role for role in Role}


def find_hooks(folder: Path, base: Path) -> tuple[list[DeclaredHook], list[Problem]]:
    """Return the hooks that the Python files of a folder declare, and what is wrong with them.

    Files whose names begin with an underscore are for the others to import.
    """
    hooks: list[DeclaredHook] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith("_"):
            continue
        try:
            tree = _parse(path)
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            line = getattr(error, "lineno", None) or 1
            problems.append(_problem(path, line, "file", f"it cannot be read: {error}"))
            continue
        hooks += _declared(tree, path, base, problems)
    return hooks, problems


def _parse(path: Path) -> ast.Module:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    return ast.parse(path.read_bytes(), str(path))


def _declared(
    tree: ast.Module, path: Path, base: Path, problems: list[Problem]
) -> Iterator[DeclaredHook]:
    for node in tree.body:
        if not isinstance(node, (ast.AsyncFunctionDef, ast.FunctionDef)):
            continue
        for decorator in node.decorator_list:
            role = _role(decorator)
            if role is None:
                continue
            try:
                yield _hook(decorator, node.name, role, path, base)
            except (ValueError, SyntaxError) as error:
                problems.append(_problem(path, decorator.lineno, node.name, str(error)))


def _role(decorator: ast.expr) -> Role | None:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    return _ROLES.get(name)


def _hook(decorator: ast.expr, function: str, role: Role, path: Path, base: Path) -> DeclaredHook:
    call = decorator if isinstance(decorator, ast.Call) else ast.Call(decorator, [], [])
    events = tuple(_literal(argument) for argument in call.args)
    options = {str(each.arg): _literal(each.value) for each in call.keywords}
    for event in events:
        if event not in EVENT_NAMES and event != "*":
            raise ValueError(f"there is no event {event!r}")
    unknown = set(options) - {"tools", "budget", "name"}
    if unknown or not events:
        raise ValueError(
            f"the decorator takes events, tools, budget and name, not {unknown or '()'}"
        )
    tools = options.get("tools", ())
    return DeclaredHook(
        name=function,
        role=role,
        events=tuple(map(str, events)),
        tools=(tools,) if isinstance(tools, str) else _texts(tools),
        budget=_budget(options.get("budget")),
        file=str(path),
        base=str(base),
    )


def _literal(node: ast.expr) -> object:
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("the decorator's arguments must be literals") from None
    return value


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError(f"tools = {value!r} is neither a pattern nor a list of patterns")


def _budget(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= LONGEST:
        return float(value)
    raise ValueError(f"budget = {value!r} is no number of seconds up to {LONGEST:g}")


def _problem(path: Path, line: int, key: str, message: str) -> Problem:
    return Problem(
        file=str(path), line=line, key=key, value=path.name, message=message, fix="mend the file"
    )
