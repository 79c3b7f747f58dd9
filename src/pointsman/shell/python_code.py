"""What a piece of Python does: the commands it runs and the files it changes, by its literals."""

import ast
from collections.abc import Callable, Iterator
from functools import lru_cache

from pointsman.shell.effects import UNKNOWN, Kind

_RUNNERS = frozenset(
    {"system", "popen", "run", "call", "check_call", "check_output", "Popen", "getoutput"}
    | {"getstatusoutput", "create_subprocess_shell", "create_subprocess_exec", "spawn"}
)
_ON_FIRST = {
    "rmtree": Kind.DELETE_TREE,
    "removedirs": Kind.DELETE_TREE,
    "remove": Kind.DELETE,
    "unlink": Kind.DELETE,
    "rmdir": Kind.DELETE,
    "rename": Kind.MOVE,
    "renames": Kind.MOVE,
    "move": Kind.MOVE,
    "truncate": Kind.WRITE,
    "chmod": Kind.CHMOD,
    "lchmod": Kind.CHMOD,
    "chown": Kind.CHMOD,
    "write_text": Kind.WRITE,
    "write_bytes": Kind.WRITE,
    "touch": Kind.WRITE,
    "symlink_to": Kind.WRITE,
    "hardlink_to": Kind.WRITE,
}
_ON_SECOND = frozenset(
    {"copy", "copy2", "copyfile", "copytree", "move", "rename", "renames", "link", "symlink"}
)
_MODULES = frozenset({"os", "shutil", "subprocess", "sys", "pathlib"})
_JOINS = frozenset({"join", "Path", "PurePath", "PosixPath"})


def is_python(code: str) -> bool:
    """Whether it can be parsed, as Python of the version that runs here."""
    return _parsed(code) is not None


def python_texts(code: str) -> Iterator[str]:
    """Yield the shell commands that Python code runs; ``UNKNOWN`` for one that it builds."""
    reading = _Reading(code)
    for node in reading.calls():
        if reading.name(node) not in _RUNNERS or not node.args:
            continue
        first = node.args[0]
        if isinstance(first, (ast.List, ast.Tuple)):
            yield " ".join(_quoted(reading.text(item)) for item in first.elts)
        elif text := reading.text(first):
            yield text
        elif any(word.arg == "shell" for word in node.keywords):
            yield UNKNOWN


def python_effects(code: str) -> Iterator[tuple[Kind, str, str]]:
    """Yield what Python code does to files: kind, path (empty where unknown), the call."""
    reading = _Reading(code)
    for node in reading.calls():
        name = reading.name(node)
        subject, rest = reading.subject(node)
        if name == "open":
            mode = reading.text(rest[0]) if rest else reading.keyword(node, "mode")
            if set(mode) & set("wax+"):
                yield Kind.WRITE, subject, "open()"
        elif name in _ON_FIRST:
            yield _ON_FIRST[name], subject, f"{name}()"
        if name in _ON_SECOND and rest:
            yield Kind.WRITE, reading.text(rest[0]), f"{name}()"


class _Reading:
    """One piece of code and the constants in it."""

    def __init__(self, code: str) -> None:
        self._tree = _parsed(code)
        self._names: dict[str, ast.expr] = {}
        for node in ast.walk(self._tree) if self._tree is not None else ():
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._names.setdefault(node.targets[0].id, node.value)

    def calls(self) -> Iterator[ast.Call]:
        for node in ast.walk(self._tree) if self._tree is not None else ():
            if isinstance(node, ast.Call):
                yield node

    def name(self, node: ast.Call) -> str:
        function = node.func
        if isinstance(function, ast.Attribute):
            return function.attr
        if isinstance(function, ast.Call) and self.name(function) == "getattr":
            return self.text(function.args[1]) if len(function.args) > 1 else ""
        return getattr(function, "id", "")

    def subject(self, node: ast.Call) -> tuple[str, list[ast.expr]]:
        """Return the path that a call is about, and its other arguments."""
        function = node.func
        if isinstance(function, ast.Attribute):
            owner = function.value
            is_module = isinstance(owner, ast.Name) and owner.id in _MODULES
            path = "" if is_module else self.text(owner)
            if path:
                return path, list(node.args)
        return (self.text(node.args[0]) if node.args else ""), list(node.args[1:])

    def keyword(self, node: ast.Call, name: str) -> str:
        return next((self.text(each.value) for each in node.keywords if each.arg == name), "")

    def text(self, node: ast.expr, depth: int = 0) -> str:
        """Return the text that an expression is, or the empty string."""
        for kind, read in _EXPRESSIONS:
            if isinstance(node, kind) and depth < _MOST_NESTING:
                return read(self, node, depth + 1)
        return ""

    def _constant(self, node: ast.Constant, _depth: int) -> str:
        return node.value if isinstance(node.value, str) else ""

    def _name(self, node: ast.Name, depth: int) -> str:
        value = self._names.get(node.id)
        return self.text(value, depth) if value is not None else ""

    def _sum(self, node: ast.BinOp, depth: int) -> str:
        left, right = self.text(node.left, depth), self.text(node.right, depth)
        return f"{left}/{right}" if isinstance(node.op, ast.Div) else left + right

    def _joined(self, node: ast.JoinedStr, depth: int) -> str:
        return "".join(self.text(each, depth) for each in node.values)

    def _formatted(self, node: ast.FormattedValue, depth: int) -> str:
        return self.text(node.value, depth) or UNKNOWN

    def _item(self, node: ast.Subscript, _depth: int) -> str:
        """Return ``~`` for ``os.environ["HOME"]``."""
        key = node.slice
        return "~" if isinstance(key, ast.Constant) and key.value == "HOME" else ""

    def _call_text(self, node: ast.Call, depth: int) -> str:
        name = self.name(node)
        if name == "home":
            return "~"
        if name in {"expanduser", "resolve", "absolute", "str", "fspath"}:
            inner = node.args[0] if node.args else getattr(node.func, "value", None)
            return self.text(inner, depth) if inner is not None else ""
        if name in _JOINS:
            return "/".join(part for each in node.args if (part := self.text(each, depth)))
        return ""


_MOST_NESTING = 16
_EXPRESSIONS: tuple[tuple[type[ast.expr], Callable[..., str]], ...] = (
    (ast.Constant, _Reading._constant),
    (ast.Name, _Reading._name),
    (ast.BinOp, _Reading._sum),
    (ast.JoinedStr, _Reading._joined),
    (ast.FormattedValue, _Reading._formatted),
    (ast.Subscript, _Reading._item),
    (ast.Call, _Reading._call_text),
)


@lru_cache(maxsize=16)
def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
