"""Which functions hold the thread that calls them, and by which chain of calls."""

import ast
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

from pointsman.model.preflight import Files
from pointsman.preflight.async_code import Class, Function
from pointsman.preflight.async_kinds import Kind, Kinds, kinds_of, word_of
from pointsman.preflight.async_tables import FILES, blocks, driver_of

_LONGEST = 8
_CONSUMERS = frozenset({"list", "tuple", "set", "dict", "sum", "sorted", "max", "min", "next",
                        "any", "all", "join", "extend", "update"})  # fmt: skip
_AWAY = ("thread", "async", "executor", "background", "celery", "task", "coro")
"""Words in a decorator's name that say: it does not run where it is called."""


class What(StrEnum):
    """What a function waits for."""

    CALL = "call"
    DATABASE = "database"
    FILE = "file"


@dataclass(frozen=True)
class Step:
    """One link: a line of a function that waits itself, or calls ``next`` which does."""

    what: What
    line: int
    word: str
    instead: str = ""
    next: Function | None = None


class Blocking:
    """For every function what it waits for: itself, or through the functions it calls."""

    def __init__(self, kinds: Kinds) -> None:
        self.kinds = kinds

    @cached_property
    def direct(self) -> dict[Function, list[Step]]:
        """What every function waits for itself, by its lines."""
        return {
            function: [step for call, kind in callees if (step := self._step(call, kind, function))]
            for function, callees in self.kinds.callees.items()
        }

    @cached_property
    def calls(self) -> dict[Function, list[tuple[ast.Call, Function]]]:
        """Which functions of the project every function runs where it stands."""
        return {
            function: [(call, callee) for call, kind in callees
                       if (callee := self._runs(function, call, kind)) is not None]
            for function, callees in self.kinds.callees.items()
        }  # fmt: skip

    @cached_property
    def through(self) -> dict[Function, Step]:
        """The first step of the way on which a synchronous function comes to wait."""
        callers: dict[Function, list[tuple[ast.Call, Function]]] = {}
        for function, made in self.calls.items():
            for call, callee in made:
                callers.setdefault(callee, []).append((call, function))
        found: dict[Function, Step] = {}
        for what in (What.CALL, What.DATABASE, What.FILE):
            waiting: deque[Function] = deque()
            for function, steps in self.direct.items():
                own = next((each for each in steps if each.what is what), None)
                if own is not None and not function.is_async and function not in found:
                    found[function] = own
                    waiting.append(function)
            while waiting:
                callee = waiting.popleft()
                for call, function in callers.get(callee, ()):
                    if not function.is_async and function not in found:
                        found[function] = Step(what, call.lineno, callee.name, "", callee)
                        waiting.append(function)
        return found

    def chain(self, function: Function) -> str:
        """Return how a function comes to wait: who calls whom, with the places."""
        told: list[str] = []
        step = self.through[function]
        while step.next is not None and len(told) < _LONGEST:
            told.append(f"{function.name} calls {step.word} ({function.module.file}:{step.line})")
            function, step = step.next, self.through[step.next]
        place = f"{function.module.file}:{step.line}"
        return ", ".join((*told, f"{function.name} calls {step.word} ({place})"))

    def end(self, function: Function) -> Step:
        """Return the last step of the chain: what is waited for."""
        step = self.through[function]
        for _ in range(1000):
            if step.next is None:
                break
            step = self.through[step.next]
        return step

    def _step(self, call: ast.Call, kind: Kind, function: Function) -> Step | None:
        if not isinstance(kind, str) or isinstance(function.parents.get(call), ast.Await):
            return None
        path = kind.replace("builtins.", "")
        driver = driver_of(path)
        if driver is not None:
            return Step(What.DATABASE, call.lineno, f"{driver[0]}'s {_last(path)}", driver[1])
        if blocks(path) and not _at_once(call):
            return Step(What.CALL, call.lineno, path.replace("()", ""))
        if FILES.match(path):
            return Step(What.FILE, call.lineno, path.replace("()", ""))
        return None

    def _runs(self, caller: Function, call: ast.Call, kind: Kind) -> Function | None:
        callee = self.kinds.method(kind, "__init__") if isinstance(kind, Class) else kind
        if not isinstance(callee, Function) or callee.is_async or callee is caller:
            return None
        for decorator in callee.node.decorator_list:
            word = word_of(decorator).lower()
            if any(each in word for each in _AWAY) or self._goes_async(decorator, callee):
                return None
        if callee.is_generator and not _is_consumed(call, caller):
            return None
        return None if isinstance(caller.parents.get(call), ast.Await) else callee

    def _goes_async(self, decorator: ast.expr, callee: Function) -> bool:
        """Whether a decorator of the project makes an ``async def`` of what it is given."""
        name = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not isinstance(name, ast.Name):
            return False
        made = self.kinds.in_module(callee.module, name.id)
        if not isinstance(made, Function):
            return False
        within = [*made.inner.values(), *(y for x in made.inner.values() for y in x.inner.values())]
        return any(each.is_async for each in within)


@lru_cache(maxsize=1)
def blocking_of(files: Files) -> Blocking:
    """Return what blocks in a project; it is found once for all checks."""
    return Blocking(kinds_of(files))


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _at_once(call: ast.Call) -> bool:
    """Whether the arguments say that nothing is waited for: ``get(block=False)``, ``sleep(0)``."""
    given = {each.arg: each.value for each in call.keywords}
    asked = [given[name] for name in ("block", "blocking", "timeout") if name in given]
    if len(call.args) == 1:
        asked.append(call.args[0])
    return any(isinstance(each, ast.Constant) and each.value in (0, 0.0, False) for each in asked)


def _is_consumed(call: ast.Call, caller: Function) -> bool:
    parent = caller.parents.get(call)
    if isinstance(parent, (ast.For, ast.comprehension)):
        return parent.iter is call
    if isinstance(parent, ast.Call):
        name = parent.func
        word = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
        return word in _CONSUMERS
    return isinstance(parent, (ast.withitem, ast.Starred, ast.YieldFrom))
