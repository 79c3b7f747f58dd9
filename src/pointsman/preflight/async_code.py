"""A project's Python as asyncio sees it: modules, functions, who calls whom by name."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeAlias

from pointsman.model.preflight import Files

MOST_MODULES = 4_000
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.Lambda, ast.ClassDef)
_TESTS = frozenset({"test", "tests", "testing", "__tests__"})
Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False, slots=True)
class Class:
    """A class of the project, with the names of its methods and the values of its attributes."""

    name: str
    module: "Module"
    node: ast.ClassDef
    methods: dict[str, "Function"] = field(default_factory=dict)
    attributes: dict[str, list[tuple["Function | None", "Binding"]]] = field(default_factory=dict)


@dataclass(eq=False)
class Function:
    """A function of the project: ``own`` is what it does itself, without functions within."""

    name: str
    module: "Module"
    node: Definition
    owner: Class | None = None
    parent: "Function | None" = None
    inner: dict[str, "Function"] = field(default_factory=dict)

    @cached_property
    def own(self) -> tuple[ast.AST, ...]:
        """Every node of the body in its order, without what runs at another time."""
        return tuple(node for each in self.node.body for node in within(each))

    @cached_property
    def calls(self) -> tuple[ast.Call, ...]:
        """The calls that it makes itself."""
        return tuple(each for each in self.own if isinstance(each, ast.Call))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """For every node of the body the one that it stands in."""
        return {child: node for node in self.own for child in ast.iter_child_nodes(node)}

    @cached_property
    def bindings(self) -> dict[str, list["Binding"]]:
        """Every value that a local name is given."""
        found: dict[str, list[Binding]] = {}
        for binding in (*_parameters(self.node.args), *bound(self.own)):
            found.setdefault(binding.name, []).append(binding)
        return found

    @cached_property
    def is_generator(self) -> bool:
        """Whether calling it only makes a generator."""
        return any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in self.own)

    @property
    def is_async(self) -> bool:
        """Whether it is written with ``async def``."""
        return isinstance(self.node, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Binding:
    """A name and where its value comes from: an expression, or what it is said to be."""

    name: str
    node: ast.AST
    value: ast.expr | None = None
    says: ast.expr | None = None
    entered: bool = False
    """Whether the name is what ``with`` gives for the value."""


@dataclass(eq=False)
class Module:
    """A file of the project."""

    file: str
    package: str
    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    every: list[Function] = field(default_factory=list)

    @cached_property
    def own(self) -> tuple[ast.AST, ...]:
        """What runs when the module is imported."""
        return tuple(node for each in self.tree.body for node in within(each))

    @cached_property
    def bindings(self) -> dict[str, list[Binding]]:
        """Every value that a name of the module is given."""
        found: dict[str, list[Binding]] = {}
        for binding in bound(self.own):
            found.setdefault(binding.name, []).append(binding)
        return found


class Code:
    """All modules of a project, found by the names that they are imported by."""

    def __init__(self, files: Files) -> None:
        self.modules: list[Module] = []
        self.left_out = ""
        names = [each for each in files.names if each.endswith(".py") and not is_test(each)]
        if len(names) > MOST_MODULES:
            self.left_out = f"there are more than {MOST_MODULES} modules; the rest was not read"
        packages = {each.rpartition("/")[0] for each in files.names if _is_package(each)}
        self._by_name: dict[str, list[Module]] = {}
        for name in names[:MOST_MODULES]:
            try:
                tree = ast.parse(files.read(name))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue  # the check "unread" names it
            self._add(name, tree, packages)

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function, in the order of files and lines."""
        return tuple(each for module in self.modules for each in module.every)

    def module(self, name: str, near: str) -> Module | None:
        """Return the module of a dotted name; of several the one closest to the file ``near``."""
        found = self._by_name.get(name, ())
        return max(found, key=lambda each: _shared(each.file, near), default=None)

    def _add(self, file: str, tree: ast.Module, packages: set[str]) -> None:
        parts = file.removesuffix(".py").split("/")
        is_package = parts[-1] == "__init__"
        if is_package:
            parts.pop()
        top = len(file.split("/")) - 1
        while top and "/".join(file.split("/")[:top]) in packages:
            top -= 1
        for start in {0, top, 1 if parts[:1] == ["src"] else 0}:
            self._by_name.setdefault(".".join(parts[start:]), [])
        own = parts[top:]
        module = Module(file, ".".join(own if is_package else own[:-1]), tree)
        for start in {0, top, 1 if parts[:1] == ["src"] else 0}:
            self._by_name[".".join(parts[start:])].append(module)
        self.modules.append(module)
        module.imports.update(_imports(tree, module.package))
        _define(module, tree.body, None, None, "")


@lru_cache(maxsize=1)
def code_of(files: Files) -> Code:
    """Return the code among the files; it is read once for all checks."""
    return Code(files)


def is_test(file: str) -> bool:
    """Whether a file is a test, which is not deployed."""
    *folders, name = file.split("/")
    return (
        not _TESTS.isdisjoint(folders)
        or name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
    )


def within(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what stands in it, without the bodies of functions and classes in it."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        if not isinstance(each, _SCOPES):
            waiting.extend(reversed(list(ast.iter_child_nodes(each))))
        elif isinstance(each, _FUNCTIONS):
            waiting.extend(reversed(each.decorator_list))


def bound(nodes: tuple[ast.AST, ...]) -> Iterator[Binding]:
    """Yield the names that statements bind."""
    for node in nodes:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _targets(target, node, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=value, annotation=says):
                yield Binding(name, node, value, says)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                yield Binding(name, node, value)
            case ast.withitem(optional_vars=ast.expr() as target, context_expr=value):
                yield from _targets(target, node, value, entered=True)
            case ast.For(target=target) | ast.AsyncFor(target=target):
                yield from _targets(target, node, None)
            case ast.comprehension(target=target):
                yield from _targets(target, node, None)
            case ast.AugAssign(target=ast.Name(id=name)):
                yield Binding(name, node)
            case ast.ExceptHandler(name=str() as name):
                yield Binding(name, node)


def _targets(
    target: ast.expr, node: ast.AST, value: ast.expr | None, entered: bool = False
) -> Iterator[Binding]:
    if isinstance(target, ast.Name):
        yield Binding(target.id, node, value, entered=entered)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for each in ast.walk(target):
            if isinstance(each, ast.Name):
                yield Binding(each.id, node)


def _parameters(arguments: ast.arguments) -> Iterator[Binding]:
    for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        yield Binding(each.arg, each, None, each.annotation)
    for extra in (arguments.vararg, arguments.kwarg):
        if extra is not None:
            yield Binding(extra.arg, extra)


def _imports(tree: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                top = each.name.partition(".")[0]
                yield each.asname or top, each.name if each.asname else top
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                folders = package.split(".") if package else []
                kept = folders[: len(folders) - node.level + 1]
                base = ".".join((*kept, base) if base else kept)
            for each in node.names:
                yield each.asname or each.name, f"{base}.{each.name}" if base else each.name


def _define(
    module: Module,
    body: list[ast.stmt],
    owner: Class | None,
    parent: Function | None,
    prefix: str,
) -> None:
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, _FUNCTIONS):
            made = Function(f"{prefix}{node.name}", module, node, owner, parent)
            module.every.append(made)
            home = owner.methods if owner else parent.inner if parent else module.functions
            home[node.name] = made
            _define(module, node.body, None, made, f"{made.name}.")
            _attributes(made, owner)
        elif isinstance(node, ast.ClassDef):
            kind = Class(node.name, module, node)
            if owner is None:
                module.classes.setdefault(node.name, kind)
            _define(module, node.body, kind, parent, f"{prefix}{node.name}.")
            for binding in bound(tuple(each for line in node.body for each in within(line))):
                kind.attributes.setdefault(binding.name, []).append((None, binding))
        elif isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _attributes(method: Function, owner: Class | None) -> None:
    """Note what a method gives to ``self.name``."""
    arguments = method.node.args.args
    if owner is None or not arguments:
        return
    me = arguments[0].arg
    for node in method.own:
        target, value, says = None, None, None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign):
            target, value, says = node.target, node.value, node.annotation
        match target:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == me:
                binding = Binding(attribute, node, value, says)
                owner.attributes.setdefault(attribute, []).append((method, binding))


def _is_package(file: str) -> bool:
    return file == "__init__.py" or file.endswith("/__init__.py")


def _shared(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count
