"""Hooks written in Python, found without running them: the decorators are read, not obeyed.

What cannot be read and may be a guard becomes a hook that is ``broken``: it stops what it would
have guarded, because a guard that is left out without a word is one that approves.
"""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pointsman.config.schema import EVENT_NAMES
from pointsman.model.budget import LONGEST
from pointsman.model.hook import Role
from pointsman.model.policy import DeclaredHook, Problem
from pointsman.paths.content import read_regular

MOST_BYTES = 256 * 1024
_MOST_TOTAL = 1024 * 1024
"""Bytes that are parsed of one folder: nobody has looked at a repository that was just cloned."""
_MOST_FILES = 200
_ROLES = {role.value: role for role in Role}
_OURS = ("pointsman", "pointsman.model.declare")
_QUOTED = re.compile(r"""["'](\*|\w{1,40})["']""")
_STOPS = ("PreToolUse",)
"""What a guard is taken to guard where it cannot be read."""


def find_hooks(folder: Path, base: Path) -> tuple[list[DeclaredHook], list[Problem]]:
    """Return the hooks that the Python files of a folder declare, and what is wrong with them.

    Files whose names begin with an underscore are for the others to import. A name that two
    functions have is given with the name of its file.
    """
    hooks: list[DeclaredHook] = []
    problems: list[Problem] = []
    left = _MOST_TOTAL
    for number, path in enumerate(sorted(folder.glob("[!_]*.py"))):
        if number >= _MOST_FILES:
            text = f"it is one of more than {_MOST_FILES} files, which are not read"
            problems.append(_problem(path, 1, "file", text))
            break
        reading = _Reading(path, base, min(left, MOST_BYTES))
        hooks += reading.hooks()
        left -= reading.size
        problems += reading.problems
    return _distinct(hooks), problems


def _distinct(hooks: list[DeclaredHook]) -> list[DeclaredHook]:
    counts = Counter(hook.name for hook in hooks)
    return [
        replace(hook, name=f"{Path(hook.file).stem}.{hook.name}") if counts[hook.name] > 1 else hook
        for hook in hooks
    ]


@dataclass(slots=True)
class _Reading:
    """One file: the hooks that it declares, and what is wrong with it."""

    path: Path
    base: Path
    most: int
    size: int = 0
    problems: list[Problem] = field(default_factory=list)

    def hooks(self) -> list[DeclaredHook]:
        """Return what the file declares; what may be a guard and cannot be read is broken."""
        source: bytes | None = None
        try:
            source = read_regular(str(self.path), self.most)
            self.size = len(source)
            tree = _parse(source, self.path)
        # Python's parser gives up on deep nesting with either of the last two.
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
            text = f"it cannot be read: {getattr(error, 'msg', None) or error}"
            line = getattr(error, "lineno", None) or 1
            self.problems.append(_problem(self.path, line, "file", text))
            return self._unreadable(source, f"line {line}: {text}")
        return list(self._declared(tree))

    def _unreadable(self, source: bytes | None, reason: str) -> list[DeclaredHook]:
        text = "guard" if source is None else source.decode(errors="replace")
        # A guard's file has this word in it, whatever the decorator is called there.
        if "guard" not in text:
            return []
        named = set(_QUOTED.findall(text)) & {*EVENT_NAMES, "*"}
        return [self._broken(self.path.stem, Role.GUARD, tuple(sorted(named)), reason)]

    def _declared(self, tree: ast.Module) -> Iterator[DeclaredHook]:
        names = _Names(tree)
        seen: set[str] = set()
        proper: set[ast.expr] = set()
        for node in tree.body:
            if not isinstance(node, (ast.AsyncFunctionDef, ast.FunctionDef)):
                continue
            for decorator in node.decorator_list:
                role = names.role(decorator)
                if role is None:
                    continue
                proper.add(decorator)
                yield from self._hook(decorator, node.name, role, seen)
        # Elsewhere a decorator declares nothing, and looks as if it did.
        for stray in ast.walk(tree):
            if not isinstance(stray, ast.Call) or stray in proper:
                continue
            if role := names.role(stray):
                yield from self._wrong(
                    stray, role.value, role, "it must decorate a function at the file's top level"
                )

    def _hook(
        self, decorator: ast.expr, function: str, role: Role, seen: set[str]
    ) -> Iterator[DeclaredHook]:
        if function in seen:
            text = "it is declared twice; give each function one decorator and a name of its own"
            yield from self._wrong(decorator, function, role, text)
            return
        seen.add(function)
        try:
            name, given = _options(decorator, function)
        except (ValueError, SyntaxError) as error:
            yield from self._wrong(decorator, function, role, str(error))
        else:
            common = {"name": name, "role": role, "file": str(self.path), "function": function}
            yield DeclaredHook(**{**common, **given}, base=str(self.base))  # type: ignore[arg-type]

    def _wrong(
        self, node: ast.expr, function: str, role: Role, message: str
    ) -> Iterator[DeclaredHook]:
        self.problems.append(_problem(self.path, node.lineno, function, message))
        quoted = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
        events = tuple(sorted({*EVENT_NAMES, "*"} & {each for each in quoted if _is_text(each)}))
        # What names no event is put somewhere only if it guards; others stop nothing anyway.
        if role is Role.GUARD or events:
            yield self._broken(function, role, events, f"line {node.lineno}: {message}")

    def _broken(self, name: str, role: Role, events: tuple[str, ...], reason: str) -> DeclaredHook:
        return DeclaredHook(
            name=name,
            role=role,
            events=events or _STOPS,
            file=str(self.path),
            base=str(self.base),
            broken=f"{self.path}: {reason}",
        )


class _Names:
    """What the decorators are called in a file, whatever it imports them as."""

    def __init__(self, tree: ast.Module) -> None:
        # Taken for ours from the start, as `from pointsman import *` names none of them.
        self._roles: dict[str, Role] = dict(_ROLES)
        self._modules: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                self._take_names(node)
            elif isinstance(node, ast.Import):
                ours = (each for each in node.names if each.name in _OURS)
                self._modules |= {each.asname or each.name for each in ours}

    def _take_names(self, node: ast.ImportFrom) -> None:
        for each in node.names:
            local = each.asname or each.name
            if node.module in _OURS and each.name in _ROLES:
                self._roles[local] = _ROLES[each.name]
            elif local in _ROLES and node.module not in _OURS:
                self._roles.pop(local, None)

    def role(self, node: ast.expr) -> Role | None:
        """Return the role that a decorator gives, or ``None`` for one that is not ours."""
        target = node.func if isinstance(node, ast.Call) else node
        if isinstance(target, ast.Name):
            return self._roles.get(target.id)
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) in self._modules:
            return _ROLES.get(target.attr)
        return None


def _parse(source: bytes, path: Path) -> ast.Module:
    with warnings.catch_warnings():
        # An odd escape in somebody's file is no matter for our stderr.
        warnings.simplefilter("ignore")
        return ast.parse(source, str(path))


def _options(decorator: ast.expr, function: str) -> tuple[str, Mapping[str, object]]:
    call = decorator if isinstance(decorator, ast.Call) else ast.Call(decorator, [], [])
    events = tuple(_literal(argument) for argument in call.args)
    # `**more` has no name, becomes 'None', and is unknown.
    options = {str(each.arg): _literal(each.value) for each in call.keywords}
    for event in events:
        if event not in EVENT_NAMES and event != "*":
            raise ValueError(f"there is no event {event!r}")
    unknown = set(options) - {"tools", "budget", "name"}
    if unknown or not events:
        given = ", ".join(sorted(unknown)) or "no event"
        raise ValueError(f"the decorator takes events, tools, budget and name, not {given}")
    name = options.get("name") or function
    if not isinstance(name, str) or not name.isprintable() or len(name) > 100:
        raise ValueError(f"name = {name!r} is no short printable text")
    tools = options.get("tools", ())
    return name, {
        "events": tuple(map(str, events)),
        "tools": (tools,) if isinstance(tools, str) else _texts(tools),
        "budget": _budget(options.get("budget")),
    }


def _literal(node: ast.expr) -> object:
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("the decorator's arguments must be literals") from None
    return value


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(map(_is_text, value)):
        return tuple(value)
    raise ValueError(f"tools = {value!r} is neither a pattern nor a list of patterns")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _budget(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= LONGEST:
        return float(value)
    raise ValueError(f"budget = {value!r} is no number of seconds up to {LONGEST:g}")


def _problem(path: Path, line: int, key: str, message: str) -> Problem:
    return Problem(
        file=str(path), line=line, key=key, value=path.name, message=message,
        fix="mend the file; a person then types: pointsman trust",
    )  # fmt: skip
