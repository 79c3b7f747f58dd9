"""What an expression stands for: a function or class of the project, or a path into a library."""

import ast
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

from pointsman.model.preflight import Files
from pointsman.preflight.async_code import Binding, Class, Code, Function, Module, code_of

_DEEPEST = 12
_WRAPPERS = frozenset({"Optional", "Annotated", "Final", "ClassVar"})
_PASSED_ON = frozenset(
    {"staticmethod", "classmethod", "wraps", "cache", "lru_cache", "override", "abstractmethod",
     "retry", "tool", "resource", "prompt", "get", "post", "put", "patch", "delete", "route",
     "websocket", "on_event", "middleware", "exception_handler", "final", "deprecated", "overload"}
)  # fmt: skip
"""Decorators, by their last word, that leave a function callable as what it is."""


@dataclass(frozen=True)
class Instance:
    """An object of a class of the project."""

    of: Class


Kind: TypeAlias = str | Function | Class | Instance
"""A path is text: ``sqlite3.connect()`` is what calling ``sqlite3.connect`` gave."""


@dataclass(frozen=True)
class Scope:
    """Where a name is looked up."""

    module: Module
    function: Function | None = None


class Kinds:
    """Answers what expressions stand for, each binding once."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self._bound: dict[int, Kind | None] = {}
        self._returned: dict[Function, Kind | None] = {}

    @cached_property
    def callees(self) -> dict[Function, list[tuple[ast.Call, Kind]]]:
        """What every function calls, as far as it is known."""
        found: dict[Function, list[tuple[ast.Call, Kind]]] = {}
        for function in self.code.functions:
            scope = Scope(function.module, function)
            found[function] = [
                (call, kind)
                for call in function.calls
                if (kind := self.of(call.func, scope)) is not None
            ]
        return found

    def of(  # noqa: PLR0911 - a table of node types
        self, node: ast.expr | None, scope: Scope, depth: int = 0
    ) -> Kind | None:
        """Return what an expression stands for, ``None`` where that is not known."""
        if depth > _DEEPEST:
            return None
        match node:
            case ast.Name(id=name):
                return self._name(name, scope, depth + 1)
            case ast.Attribute(value=value, attr=attribute):
                return self._attribute(self.of(value, scope, depth + 1), attribute, scope, depth)
            case ast.Call(func=function):
                return self._called(self.of(function, scope, depth + 1), depth)
            case ast.Await(value=value):
                return self.of(value, scope, depth + 1)
            case ast.Subscript(value=value):
                base = self.of(value, scope, depth + 1)
                return base if isinstance(base, str) and "()" in base else None
            case ast.NamedExpr(value=value):
                return self.of(value, scope, depth + 1)
            case ast.BoolOp(values=values):
                kinds = (self.of(each, scope, depth + 1) for each in values)
                return next((each for each in kinds if each is not None), None)
            case ast.IfExp(body=body, orelse=other):
                return self.of(body, scope, depth + 1) or self.of(other, scope, depth + 1)
            case ast.BinOp(left=left, op=ast.Div()):
                base = self.of(left, scope, depth + 1)
                return base if isinstance(base, str) and base.startswith("pathlib.") else None
        return None

    def said(  # noqa: PLR0911 - a table of node types
        self, node: ast.expr | None, scope: Scope, depth: int = 0
    ) -> Kind | None:
        """Return what an annotation says that a value is."""
        match node:
            case ast.Constant(value=str(text)) if depth < _DEEPEST and len(text) < 200:
                try:
                    return self.said(ast.parse(text, mode="eval").body, scope, depth + 1)
                except (SyntaxError, ValueError):
                    return None
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.said(left, scope, depth + 1) or self.said(right, scope, depth + 1)
            case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
                if name not in _WRAPPERS:
                    return None
                first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
                return self.said(first, scope, depth + 1)
            case ast.Name() | ast.Attribute():
                found = self.of(node, scope, depth + 1)
                if isinstance(found, Class):
                    return Instance(found)
                return f"{found}()" if isinstance(found, str) and "." in found else None
        return None

    def method(self, of: Class, name: str, depth: int = 0) -> Function | None:
        """Return a method of a class, or of the project's classes that it is made from."""
        if name in of.methods:
            return of.methods[name]
        for base in of.node.bases if depth < _DEEPEST else ():
            kind = self.of(base, Scope(of.module), depth + 1)
            found = self.method(kind, name, depth + 1) if isinstance(kind, Class) else None
            if found is not None:
                return found
        return None

    def overridden(self, of: Class, name: str) -> list[Function]:
        """Return the methods of this name in classes that are made from this one."""
        return [each.methods[name] for each in self._below(of) if name in each.methods]

    def _below(self, of: Class) -> list[Class]:
        return [each for module in self.code.modules for each in module.classes.values()
                if each is not of and self._is_from(each, of)]  # fmt: skip

    def _is_from(self, one: Class, other: Class, depth: int = 0) -> bool:
        if depth > _DEEPEST:
            return False
        for base in one.node.bases:
            kind = self.of(base, Scope(one.module), depth + 1)
            if isinstance(kind, Class) and (kind is other or self._is_from(kind, other, depth + 1)):
                return True
        return False

    def returned(self, function: Function, depth: int = 0) -> Kind | None:
        """Return what a function's result stands for, awaited where it is a coroutine."""
        if function in self._returned:
            return self._returned[function]
        self._returned[function] = None
        scope = Scope(function.module, function)
        kind = self.said(function.node.returns, scope, depth + 1)
        if kind is None and function.node.returns is None:
            wanted = ast.Yield if function.is_generator else ast.Return
            for node in function.own:
                if isinstance(node, wanted) and node.value is not None:
                    kind = self.of(node.value, scope, depth + 1)
                    break
        elif kind is None and function.is_generator:
            kind = self._yielded(function, scope, depth)
        self._returned[function] = kind
        return kind

    def _yielded(self, function: Function, scope: Scope, depth: int) -> Kind | None:
        for node in function.own:
            if isinstance(node, ast.Yield):
                return self.of(node.value, scope, depth + 1)
        return None

    def _name(self, name: str, scope: Scope, depth: int) -> Kind | None:
        function = scope.function
        while function is not None:
            if name in function.inner:
                return function.inner[name]
            if name in function.bindings:
                return self._values(function.bindings[name], function, depth)
            function = function.parent
        return self.in_module(scope.module, name, depth)

    def in_module(self, module: Module, name: str, depth: int = 0) -> Kind | None:
        """Return what a name of a module stands for."""
        if depth > _DEEPEST:
            return None
        if name in module.functions:
            return module.functions[name]
        if name in module.classes:
            return module.classes[name]
        if name in module.bindings:
            scope = Scope(module)
            return self._each(module.bindings[name], scope, depth)
        if name in module.imports:
            return self._dotted(module.imports[name], module, depth + 1)
        return name if name in {"open", "input"} else None

    def _dotted(self, path: str, module: Module, depth: int) -> Kind | None:
        """Follow an imported name into the project; it is a library's where it leads nowhere."""
        if self.code.module(path, module.file) is not None:
            return path
        base, _, name = path.rpartition(".")
        found = self.code.module(base, module.file) if base else None
        if found is None or found is module:
            return path
        return self.in_module(found, name, depth + 1)

    def _values(self, bindings: list[Binding], function: Function, depth: int) -> Kind | None:
        first = bindings[0]
        arguments = function.node.args.args
        is_first = isinstance(first.node, ast.arg) and arguments and first.node is arguments[0]
        if function.owner is not None and is_first:
            return self._self(function)
        return self._each(bindings, Scope(function.module, function), depth)

    def _self(self, function: Function) -> Kind | None:
        if function.owner is None:
            return None
        words = {word_of(each) for each in function.node.decorator_list}
        if "staticmethod" in words:
            return None
        return function.owner if "classmethod" in words else Instance(function.owner)

    def _each(self, bindings: list[Binding], scope: Scope, depth: int) -> Kind | None:
        kinds: list[Kind] = []
        for binding in bindings:
            if isinstance(binding.value, ast.Constant) and binding.says is None:
                continue
            kind = self._binding(binding, scope, depth)
            if kind is None:
                return None
            kinds.append(kind)
        return kinds[0] if kinds and all(each == kinds[0] for each in kinds) else None

    def _binding(self, binding: Binding, scope: Scope, depth: int) -> Kind | None:
        key = id(binding)
        if key not in self._bound:
            self._bound[key] = None
            said = self.said(binding.says, scope, depth) if binding.says is not None else None
            value = binding.value
            found = self.of(value, scope, depth + 1) if value is not None else None
            if binding.entered and isinstance(found, Instance):
                enter = self.method(found.of, "__aenter__") or self.method(found.of, "__enter__")
                found = (self.returned(enter, depth + 1) or found) if enter else found
            self._bound[key] = found if said is None or isinstance(found, str) else said
        return self._bound[key]

    def _attribute(self, base: Kind | None, name: str, scope: Scope, depth: int) -> Kind | None:
        if isinstance(base, str):
            module = self.code.module(base, scope.module.file) if "()" not in base else None
            if module is None:
                return self._dotted(f"{base}.{name}", scope.module, depth + 1)
            inner = self.code.module(f"{base}.{name}", scope.module.file)
            return f"{base}.{name}" if inner else self.in_module(module, name, depth + 1)
        of = base.of if isinstance(base, Instance) else base
        if not isinstance(of, Class):
            return None
        method = self.method(of, name)
        if method is not None:
            if {"property", "cached_property"} & {word_of(e) for e in method.node.decorator_list}:
                return self.returned(method, depth + 1)
            return method
        return self._held(of, name, depth)

    def _held(self, of: Class, name: str, depth: int) -> Kind | None:
        kinds: list[Kind] = []
        for function, binding in of.attributes.get(name, ()):
            if isinstance(binding.value, ast.Constant) and binding.says is None:
                continue
            kind = self._binding(binding, Scope(of.module, function), depth + 1)
            if kind is not None:
                kinds.append(kind)
        if kinds:
            return kinds[0] if all(each == kinds[0] for each in kinds) else None
        for base in of.node.bases if depth < _DEEPEST else ():
            above = self.of(base, Scope(of.module), depth + 1)
            if isinstance(above, Class):
                return self._held(above, name, depth + 1)
        return None

    def _called(self, kind: Kind | None, depth: int) -> Kind | None:
        if isinstance(kind, str):
            return f"{kind}()" if len(kind) < 300 else None
        if isinstance(kind, Class):
            return Instance(kind)
        if isinstance(kind, Function):
            return self.returned(kind, depth + 1)
        return None


@lru_cache(maxsize=1)
def kinds_of(files: Files) -> Kinds:
    """Return the kinds of a project's expressions; they are found once for all checks."""
    return Kinds(code_of(files))


def word_of(decorator: ast.expr) -> str:
    """Return the last word of a decorator: ``tool`` of ``@mcp.tool(name="x")``."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def is_plain(function: Function) -> bool:
    """Whether no decorator makes something else of a function, as far as their names tell."""
    return all(word_of(each) in _PASSED_ON for each in function.node.decorator_list)
