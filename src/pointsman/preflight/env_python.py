"""Variables of the environment in Python: by its own syntax tree.

Known are ``os.environ`` and ``os.getenv`` by whatever name they were imported, constants of the
module that hold a name, ``click``'s and ``typer``'s ``envvar``, ``monkeypatch.setenv``, the readers
of *environs*, *python-decouple* and Starlette, and settings classes of pydantic.
"""

import ast
import re
from collections.abc import Iterator

from pointsman.model.preflight import How, Use
from pointsman.preflight.env_settings import settings_uses
from pointsman.preflight.python_names import Imports
from pointsman.preflight.python_needs import Needs
from pointsman.preflight.python_text import Text

_READS = frozenset({"os.getenv", "os.environ.get", "os.environ.pop", "os.environ.__getitem__",
                    "decouple.config", "decouple.AutoConfig"})  # fmt: skip
_SETS = frozenset({"os.putenv", "os.environ.setdefault", "os.environ.__setitem__", "os.unsetenv"})
_TABLE = "os.environ"
_READERS = frozenset({"environs.Env", "starlette.config.Config", "decouple.Config", "environ.Env"})
_HANDED = frozenset({"env_vars", "environment_variables"})
"""What Agent Engine's and other deploying calls are given: a mapping, or a list of names."""
_SIGN = re.compile(
    rb"env(?:iron|var|_vars|_prefix)|getenv|setenv|putenv|BaseSettings|decouple|starlette"
)
"""A module without any of these reads nothing by the ways that are known here."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def uses(data: bytes, file: str) -> Iterator[Use]:
    """Yield every use in a module.

    Raises:
        SyntaxError: it is no Python of this version.
        ValueError: it holds a null byte.
        RecursionError: it is nested too deeply.
    """
    tree = ast.parse(data)
    if not _SIGN.search(data):
        return
    yield from _Reader(tree, Text(data), file).all()


class _Reader:
    def __init__(self, tree: ast.Module, text: Text, file: str) -> None:
        self._tree = tree
        self._text = text
        self._file = file
        self._imports = Imports(tree)
        self._constants = _constants(tree)
        self._needs: Needs | None = None
        self._readers = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and self._imports.name(node.value.func) in _READERS
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def all(self) -> Iterator[Use]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Subscript):
                yield from self._subscript(node)
            elif isinstance(node, ast.Call):
                yield from self._call(node)
            elif isinstance(node, ast.Compare):
                yield from self._compare(node)
            elif isinstance(node, ast.ClassDef):
                yield from settings_uses(node, self._imports, self._text, self._file)

    def _subscript(self, node: ast.Subscript) -> Iterator[Use]:
        if self._imports.name(node.value) in {_TABLE, "os.environb"}:
            how = How.READ if isinstance(node.ctx, ast.Load) else How.SET
            yield from self._named(node.slice, how, node)

    def _compare(self, node: ast.Compare) -> Iterator[Use]:
        if isinstance(node.ops[0], ast.In | ast.NotIn) and (
            self._imports.name(node.comparators[0]) == _TABLE
        ):
            yield from self._named(node.left, How.READ, node)

    def _call(self, node: ast.Call) -> Iterator[Use]:
        name = self._imports.name(node.func)
        first = node.args[0] if node.args else _keyword(node, "key", "name")
        if name in _READS or self._is_reader(node.func):
            yield from self._named(first, How.READ, node)
        elif name in _SETS or name.endswith("monkeypatch.setenv"):
            yield from self._named(first, How.SET)
        elif name == "os.environ.update":
            yield from self._updated(node)
        for given in node.keywords:
            if given.arg == "envvar":
                yield from self._several(given.value, How.READ)
            elif given.arg in _HANDED:
                yield from self._several(given.value, How.DEPLOYED)

    def _several(self, node: ast.expr, how: How) -> Iterator[Use]:
        items: list[ast.expr | None] = [node]
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            items = list(node.elts)
        elif isinstance(node, ast.Dict):
            items = list(node.keys)
        for item in items:
            yield from self._named(item, how)

    def _updated(self, node: ast.Call) -> Iterator[Use]:
        for given in node.keywords:
            if given.arg is not None:
                at = self._text.place(given.lineno, given.col_offset)
                yield Use(name=given.arg, file=self._file, line=given.lineno, how=How.SET,
                          start=at, end=at + len(given.arg.encode()))  # fmt: skip
        for given_dict in node.args:
            if isinstance(given_dict, ast.Dict):
                for key in given_dict.keys:
                    yield from self._named(key, How.SET)

    def _is_reader(self, func: ast.expr) -> bool:
        # `env("X")`, `env.str("X")`: by the name that the reader was given here.
        base = func.value if isinstance(func, ast.Attribute) else func
        return isinstance(base, ast.Name) and base.id in self._readers

    def _named(
        self, node: ast.expr | None, how: How, reading: ast.expr | None = None
    ) -> Iterator[Use]:
        if isinstance(node, ast.Name):
            node = self._constants.get(node.id)
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str | bytes):
            return
        value = node.value if isinstance(node.value, str) else node.value.decode("ascii", "replace")
        if not _NAME.match(value):
            return
        span = self._text.literal(node, value)
        why = "" if span else "the name is not written in one piece"
        start, end = span or (0, 0)
        if self._needs is None:  # only now: most modules read nothing
            self._needs = Needs(self._tree, self._imports, self._constants)
        need, fallback = self._needs.of(reading)
        yield Use(name=value, file=self._file, line=node.lineno, how=how, start=start, end=end,
                  form="{}" if span else "", why_not=why, need=need,
                  fallback=fallback)  # fmt: skip


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the names of the module that are given one text, once."""
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name):
                if target.id in found:
                    twice.add(target.id)
                value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
                found[target.id] = value or target
    return {name: value for name, value in found.items() if name not in twice}


def _keyword(node: ast.Call, *names: str) -> ast.expr | None:
    return next((each.value for each in node.keywords if each.arg in names), None)
