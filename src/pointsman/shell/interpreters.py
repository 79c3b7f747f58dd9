"""Shell commands that stand as text in the code of another language."""

import ast
import re
from collections.abc import Iterator

from pointsman.shell.carried import is_interpreter
from pointsman.shell.effects import UNKNOWN, Effect, Invocation, Kind
from pointsman.shell.state import resolve

_AWK = re.compile(r'system\("([^"]+)"\)|"([^"]+)"\s*\|\s*getline|\|\s*"([^"]+)"')
_MOST_CODE = 64 * 1024
_CALLS = {"system", "popen", "run", "call", "check_call", "check_output", "Popen", "getoutput"}
_QUOTED = re.compile(r"""(?:system|exec|execSync|spawnSync|popen|qx|`)\s*\(?\s*(["'`])(.+?)\1""")
_CODE_OPTION = re.compile(r"-[a-zA-Z]*[ceErp]")
_CODE_WORDS = frozenset({"--eval", "--print", "-Command", "-Com", "-command", "-EncodedCommand"})
_GLUED = re.compile(r"(?:--eval=|--print=|-[IBEsSuO]*c(?=\S{4}))(.+)", re.DOTALL)
_PERL = re.compile(r"`([^`]+)`|qx\{([^}]*)\}")
_DELETERS = {
    "rmtree": Kind.DELETE_TREE,
    "remove": Kind.DELETE,
    "unlink": Kind.DELETE,
    "rmdir": Kind.DELETE,
}


def code_of(each: Invocation) -> str | None:
    """Return the code that an interpreter is given on its command line or on stdin."""
    if not is_interpreter(each.program):
        return None
    for index, word in enumerate(each.argv[1:], 1):
        following = each.argv[index + 1] if index + 1 < len(each.argv) else ""
        found = _GLUED.fullmatch(word)
        if found is not None:
            return found[1][:_MOST_CODE]
        if (word in _CODE_WORDS or _CODE_OPTION.fullmatch(word)) and following:
            return following[:_MOST_CODE]
    plain = [word for word in each.argv[1:] if not word.startswith("-")]
    reads = not plain or plain == ["-"]
    return each.stdin[:_MOST_CODE] if each.stdin is not None and reads else None


def shell_texts(each: Invocation) -> Iterator[str]:
    """Yield the shell commands that the code of an interpreter runs, where they are literals."""
    if each.program in {"awk", "gawk", "mawk", "nawk"}:
        for word in each.argv[1:]:
            for found in _AWK.finditer(word[:_MOST_CODE]):
                yield found[1] or found[2] or found[3]
        return
    code = code_of(each)
    if code is None:
        return
    if each.program.startswith("python"):
        yield from _python_texts(code)
        return
    for found in _QUOTED.finditer(code):
        yield found[2]
    for found in _PERL.finditer(code):
        yield found[1] or found[2] or ""


def code_effects(each: Invocation) -> Iterator[Effect]:
    """Yield what Python code does to files by calls with literal paths."""
    code = code_of(each)
    tree = _parsed(code) if code is not None and each.program.startswith("python") else None
    for node in ast.walk(tree) if tree is not None else ():
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name, path = _name(node), _literal(node.args[0])
        kind = _DELETERS.get(name)
        if name == "open" and len(node.args) > 1 and set(_literal(node.args[1])) & set("wax+"):
            kind = Kind.WRITE
        if kind is not None:
            yield Effect(kind, resolve(path or UNKNOWN, each.cwd), f"{each.program}: {name}()")


def _python_texts(code: str) -> Iterator[str]:
    tree = _parsed(code)
    for node in ast.walk(tree) if tree is not None else ():
        if not isinstance(node, ast.Call) or _name(node) not in _CALLS or not node.args:
            continue
        first = node.args[0]
        if isinstance(first, (ast.List, ast.Tuple)):
            yield " ".join(_quoted(_literal(item)) for item in first.elts)
        elif text := _literal(first):
            yield text


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _name(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _literal(node.left) + _literal(node.right)
    return ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
