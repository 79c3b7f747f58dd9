"""What becomes of a Python program where a variable that it reads is not set."""

import ast
from collections.abc import Mapping

from pointsman.model.preflight import Need
from pointsman.preflight.python_names import Imports

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_ABSENT = frozenset({"os.getenv", "os.environ.get"})
"""Readers that answer ``None``; the others raise an error."""
_ENDS = frozenset({"sys.exit", "exit", "quit", "os._exit"})


class Needs:
    """Of each expression of a module that reads a variable: what happens without it."""

    def __init__(
        self, tree: ast.Module, imports: Imports, constants: Mapping[str, ast.expr]
    ) -> None:
        self._imports = imports
        self._constants = constants
        self._late: set[int] = set()
        """Nodes inside functions."""
        self._else: dict[int, ast.expr] = {}
        """Left sides of ``or``, with what stands to their right."""
        self._caught: set[int] = set()
        """Nodes in a ``try`` that expects the failure."""
        self._kept: dict[int, str] = {}
        """Values of assignments, by the name that they are given."""
        self._insisted = _insisted(tree, imports)
        self._walk(tree)

    def of(self, node: ast.expr | None) -> tuple[Need, str]:
        """Return the need of an expression that reads, and the text that is used instead."""
        if node is None or isinstance(node, ast.Compare):
            return (Need.MAYBE if node is None else Need.ASKED), ""
        given = _default(node) if isinstance(node, ast.Call) else None
        nothing = isinstance(given, ast.Constant) and given.value is None
        instead = self._else.get(id(node), None if nothing else given)
        if instead is not None or id(node) in self._caught:
            return Need.DEFAULT, self._text(instead)
        absent = isinstance(node, ast.Call) and (
            given is not None or self._imports.name(node.func) in _ABSENT
        )
        if absent and self._kept.get(id(node)) not in self._insisted:
            return Need.MAYBE, ""
        return (Need.REQUEST if id(node) in self._late else Need.START), ""

    def _text(self, node: ast.expr | None) -> str:
        if isinstance(node, ast.Name):
            node = self._constants.get(node.id)
        return text_of(node) if node is not None else ""

    def _walk(self, tree: ast.Module) -> None:
        waiting: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)]
        while waiting:
            node, late, caught = waiting.pop()
            if late:
                self._late.add(id(node))
            if caught:
                self._caught.add(id(node))
            if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
                self._else[id(node.values[0])] = node.values[1]
            elif isinstance(node, ast.Assign | ast.NamedExpr | ast.AnnAssign):
                self._assigned(node)
            inside = late or isinstance(node, _FUNCTIONS)
            body = node.body if isinstance(node, ast.Try) and _expects(node) else ()
            expects = set(map(id, body))
            waiting.extend(
                (each, inside, caught or id(each) in expects) for each in ast.iter_child_nodes(node)
            )

    def _assigned(self, node: ast.Assign | ast.NamedExpr | ast.AnnAssign) -> None:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if node.value is not None:
            self._kept[id(node.value)] = ast.unparse(target)


def field_need(value: ast.expr | None) -> tuple[Need, str]:
    """Return the need of a field of a settings class: one without a default is read at once."""
    given = value
    if isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] == "Field":
        given = value.args[0] if value.args else _named(value, "default", "default_factory")
    if given is None or (isinstance(given, ast.Constant) and given.value is ...):
        return Need.START, ""
    return Need.DEFAULT, text_of(given)


def text_of(node: ast.expr) -> str:
    """Return the text of a literal, empty for anything else."""
    return str(node.value) if isinstance(node, ast.Constant) and node.value is not None else ""


def _default(node: ast.Call) -> ast.expr | None:
    return node.args[1] if len(node.args) > 1 else _named(node, "default", "fallback")


def _named(node: ast.Call, *names: str) -> ast.expr | None:
    return next((each.value for each in node.keywords if each.arg in names), None)


def _expects(node: ast.Try) -> bool:
    """Whether a ``try`` goes on after a ``KeyError`` or whatever happens."""
    for handler in node.handlers:
        named = ast.unparse(handler.type) if handler.type is not None else "Exception"
        if not any(word in named for word in ("KeyError", "Exception", "LookupError")):
            continue
        if not any(isinstance(each, ast.Raise) for each in ast.walk(handler)):
            return True
    return False


def _insisted(tree: ast.Module, imports: Imports) -> set[str]:
    """Return names that a module refuses to go on without: ``if not x: raise``, ``assert x``."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            found.add(ast.unparse(node.test).removesuffix(" is not None"))
        elif isinstance(node, ast.If) and any(_ends(each, imports) for each in node.body):
            parts = node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]
            for part in parts:
                words = ast.unparse(part)
                if words.startswith("not ") or words.endswith(" is None"):
                    found.add(words.removeprefix("not ").removesuffix(" is None"))
    return found


def _ends(node: ast.stmt, imports: Imports) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return imports.name(node.value.func) in _ENDS
    return isinstance(node, ast.Raise)
