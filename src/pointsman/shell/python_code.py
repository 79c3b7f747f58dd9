"""What a piece of Python does: the commands it runs and the files it changes, by its literals."""

import ast
import base64
import binascii
from collections.abc import Callable, Iterator
from functools import lru_cache

from pointsman.shell.arguments import names
from pointsman.shell.effects import UNKNOWN, Kind

_RUNNERS = frozenset(
    {"system", "popen", "run", "call", "check_call", "check_output", "Popen", "getoutput"}
    | {"getstatusoutput", "create_subprocess_shell", "create_subprocess_exec", "spawn"}
)
_REPLACES = {
    **dict.fromkeys(
        ("execv", "execve", "execvp", "execvpe", "execl", "execle", "execlp", "execlpe"), 0
    ),
    **dict.fromkeys(("posix_spawn", "posix_spawnp"), 0),
    **dict.fromkeys(("spawnv", "spawnve", "spawnvp", "spawnvpe", "spawnl", "spawnlp"), 1),
}
"""Calls that name a program and then its words, and how many arguments stand before these."""
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
_KNOWN = names(
    """
    __future__ os sys re json math time datetime pathlib shutil subprocess string random hashlib
    base64 binascii codecs collections itertools functools operator typing dataclasses enum glob
    fnmatch tempfile textwrap stat io csv struct platform uuid argparse shlex copy abc contextlib
    statistics fractions decimal bisect heapq pprint inspect ast getpass socket ssl urllib http
    """
)
"""Modules that do nothing to files but by the calls that are looked for."""
_MOST_TEXTS = 16
_MODULES = frozenset({"os", "shutil", "subprocess", "sys", "pathlib"})
_JOINS = frozenset({"join", "Path", "PurePath", "PosixPath"})


def is_python(code: str) -> bool:
    """Whether it can be parsed, as Python of the version that runs here."""
    return _parsed(code) is not None


def python_texts(code: str) -> Iterator[str]:
    """Yield the shell commands that Python code runs; ``UNKNOWN`` for one that it builds."""
    reading = _Reading(code)
    for node in reading.calls():
        name = reading.name(node)
        given = [*node.args, *(each.value for each in node.keywords if each.arg == "args")]
        if name in _REPLACES:
            yield _program(reading, given[_REPLACES[name] :])
            continue
        if name not in _RUNNERS or not given:
            continue
        first = given[0]
        words = reading.words(first)
        if words is not None:
            yield " ".join(map(_quoted, words))
        elif name == "create_subprocess_exec":
            yield " ".join(_quoted(reading.text(each)) for each in given)
        elif text := reading.text(first):
            yield text
        elif any(word.arg == "shell" for word in node.keywords):
            yield UNKNOWN


def _program(reading: "_Reading", given: list[ast.expr]) -> str:
    """Return the command of ``os.execvp(file, [name, …])`` or ``os.execl(file, name, …)``."""
    if not given:
        return UNKNOWN
    listed = reading.words(given[1]) if len(given) > 1 else []
    rest = [reading.text(each) for each in given[2:]] if listed is None else listed[1:]
    return " ".join(_quoted(each) for each in (reading.text(given[0]) or UNKNOWN, *rest))


def python_effects(code: str) -> Iterator[tuple[Kind, str, str]]:
    """Yield what Python code does to files: kind, path (empty where unknown), the call."""
    reading = _Reading(code)
    if reading.opaque:
        yield Kind.OPAQUE, "", reading.opaque
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
        self._names: dict[str, ast.expr] = {}
        self._calls: list[ast.Call] = []
        self._renamed: dict[str, str] = {}
        self.opaque = ""
        """Why this is not all that the code does, empty where it is."""
        todo = [code]
        for _ in range(_MOST_TEXTS):
            if not todo:
                break
            todo += self._read(todo.pop())
        if todo:
            self.opaque = "exec()"

    def _read(self, code: str) -> list[str]:
        """Take one text in; return the constants that it carries out as code."""
        tree, inner = _parsed(code), []
        if tree is None:
            self.opaque = "code"
            return []
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._names.setdefault(node.targets[0].id, node.value)
            if isinstance(node, ast.ImportFrom):
                renamed = {each.asname: each.name for each in node.names if each.asname}
                self._renamed.update(renamed)
        for node in nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                first = getattr(node, "module", None) or node.names[0].name
                if first.partition(".")[0] not in _KNOWN:
                    self.opaque = f"import {first}"
            if not isinstance(node, ast.Call):
                continue
            self._calls.append(node)
            if self.name(node) in {"exec", "eval", "compile"} and node.args:
                text = self.text(node.args[0])
                inner.append(text if UNKNOWN not in text else "")
                if not inner[-1]:
                    self.opaque = f"{self.name(node)}()"
        return [text for text in inner if text]

    def calls(self) -> Iterator[ast.Call]:
        yield from self._calls

    def name(self, node: ast.Call) -> str:
        function = node.func
        if isinstance(function, ast.Attribute):
            return function.attr
        if isinstance(function, ast.Call) and self.name(function) == "getattr":
            return self.text(function.args[1]) if len(function.args) > 1 else ""
        name = getattr(function, "id", "")
        bound = self._names.get(name)
        if isinstance(bound, ast.Attribute):  # `r = shutil.rmtree`
            return bound.attr
        return self._renamed.get(name, name)

    def words(self, node: ast.expr) -> list[str] | None:
        """Return the texts of a list, also of one that has a name; ``None`` for what is none."""
        if isinstance(node, ast.Name):
            node = self._names.get(node.id, node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.words(node.left), self.words(node.right)
            return None if left is None or right is None else [*left, *right]
        if not isinstance(node, (ast.List, ast.Tuple)):
            return None
        return [self.text(item) for item in node.elts[:256]]

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
        if isinstance(node.value, bytes):
            return node.value.decode("utf-8", "replace")
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

    def _decoded(self, node: ast.Call, name: str, depth: int) -> str:
        """Return what a constant text becomes that is decoded, or put together."""
        owner = getattr(node.func, "value", None)
        if name in _DECODERS and node.args:
            return _DECODERS[name](self.text(node.args[0], depth))
        if name == "split" and node.args and getattr(owner, "id", "") == "shlex":
            return self.text(node.args[0], depth)
        if name in {"decode", "encode", "strip", "lower", "split"} and owner is not None:
            return self.text(owner, depth)
        if name == "join" and isinstance(owner, ast.Constant) and len(node.args) == 1:
            glue = owner.value if isinstance(owner.value, str) else ""
            items = getattr(node.args[0], "elts", ())
            return glue.join(self.text(each, depth) for each in items)
        return ""

    def _call_text(self, node: ast.Call, depth: int) -> str:
        name = self.name(node)
        if name == "home":
            return "~"
        if name in {"expanduser", "resolve", "absolute", "str", "fspath"}:
            inner = node.args[0] if node.args else getattr(node.func, "value", None)
            return self.text(inner, depth) if inner is not None else ""
        decoded = self._decoded(node, name, depth)
        if decoded:
            return decoded
        if name in _JOINS:
            return "/".join(part for each in node.args if (part := self.text(each, depth)))
        return ""


def _base64(text: str) -> str:
    try:
        return base64.b64decode(text).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return UNKNOWN


def _hex(text: str) -> str:
    try:
        return bytes.fromhex(text).decode("utf-8", "replace")
    except ValueError:
        return UNKNOWN


_DECODERS: dict[str, Callable[[str], str]] = {
    "b64decode": _base64,
    "urlsafe_b64decode": _base64,
    "fromhex": _hex,
    "unhexlify": _hex,
    "bytes": str,
}
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
