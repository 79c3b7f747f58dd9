"""Shell commands that stand as text in the code of another language."""

import re
import shlex
from collections.abc import Iterator

from pointsman.shell.carried import is_interpreter
from pointsman.shell.effects import UNKNOWN, Effect, Invocation, Kind
from pointsman.shell.escapes import unescape
from pointsman.shell.python_code import is_python, python_effects, python_texts
from pointsman.shell.state import resolve, walked

_AWK = re.compile(r'system\("([^"]+)"\)|"([^"]+)"\s*\|\s*getline|\|\s*"([^"]+)"')
_MOST_CODE = 64 * 1024
_LITERAL = r"""(?:"(?:[^"\\\n]|\\.){0,400}"|'(?:[^'\\\n]|\\.){0,400}')"""
_RUNS = re.compile(
    r"(?:system|exec(?:[vl]p?e?|ute|(?:File)?(?:Sync)?)?|spawn(?:Sync)?|popen[23]?|open3|passthru"
    r"|proc_open|capture[23]e?|Command|Process\.run|qx)"
    rf"\s*\(?\s*\[?\s*({_LITERAL}(?:\s*,\s*(?:\{{\s*\w+\s*:\s*)?\[?\s*{_LITERAL}){{0,64}})"
)
"""A call of another language that runs a program, with the texts that it is given."""
_TEXT = re.compile(_LITERAL)
_QUOTED = re.compile(r"(?:system|exec|execSync|spawnSync|popen|qx)\s*\(?\s*`([^`]{1,4096})`")
_BARE = re.compile(r"(?:^|[;\[{\n])\s*(?:exec|spawn|system)\s+(?:--\s+)?([^\]};\n]+)")
"""How Tcl and Expect run a program: by bare words."""
_PERCENT = re.compile(r"%x[({\[|!]([^)}\]|!]+)")
_CODE_OPTION = re.compile(r"-[a-zA-Z]*[ceErp]")
_CODE_WORDS = frozenset(
    {"eval", "--eval", "--print", "-Command", "-Com", "-command", "-EncodedCommand"}
)
_GLUED = re.compile(r"(?:--eval=|--print=|-[IBEsSuO]*c(?=\S{4}))(.+)", re.DOTALL)
_PERL = re.compile(r"`([^`]+)`|qx\{([^}]*)\}")


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
            literal = [
                found[1] or found[2] or found[3] for found in _AWK.finditer(word[:_MOST_CODE])
            ]
            yield from literal
            if "system(" in word and not literal:
                yield UNKNOWN
        return
    code = code_of(each)
    if code is None:
        return
    if len(code) >= _MOST_CODE or not code.strip(UNKNOWN):
        yield UNKNOWN
    if _is_python(each.program) and is_python(code):
        yield from python_texts(code)
        return
    for found in _RUNS.finditer(code):
        yield _command_of([unescape(text[0][1:-1]) for text in _TEXT.finditer(found[1])])
    if each.program in {"tclsh", "expect", "wish"}:
        yield from (found[1] for found in _BARE.finditer(code))
    for found in _QUOTED.finditer(code):
        yield found[1]
    for found in _PERCENT.finditer(code) if each.program == "ruby" else ():
        yield found[1]
    for found in _PERL.finditer(code):
        yield found[1] or found[2] or ""


def _command_of(texts: list[str]) -> str:
    """Return the command that texts are: one for the shell, or a program and its words."""
    if len(texts) == 1 or " " in texts[0].strip():
        return texts[0]
    # `exec("x", "utf8")`: what a language takes beside a text may not be a word.
    return " ".join(map(shlex.quote, texts))


_CALLED = re.compile(
    r"\b(rmtree|remove_tree|rm_rf|rm_r|rmSync|rmdirSync|rmdir|unlinkSync|unlink|rm|delete|removeSync"
    r"|remove|remove_entry_secure|removeRecursively|emptyDirSync|rimraf|delTree"
    r"|writeFileSync|writeFile|appendFileSync|appendFile|file_put_contents|write|createWriteStream"
    r"|touch|mkdirSync|mkdir_p|renameSync|rename|truncateSync|truncate|chmodSync|chmod|copyFileSync"
    r"|cpSync|move|mv|cp|copy|open|openSync|fopen|symlinkSync|writeLines)\s*\(?\s*"
    r"(?:[\w$ ]{1,20},\s*['\"]?([<>+rwab]{1,3})['\"]?\s*,\s*)?"
    r"(['\"])([^'\"\n]{1,400})\3"
)
"""A call of another language whose first text is a path."""
_PLACE = re.compile(r"""(['"])([\w.~-]*/[^'"\s]{1,400}|[\w-]+\.\w{1,8})\1""")
_MOST_PLACES = 64
_TREES = frozenset({
    "rmtree", "remove_tree", "rm_rf", "rm_r", "remove_entry_secure", "removeRecursively",
    "emptyDirSync", "rimraf", "delTree",
})  # fmt: skip
_TAKES = frozenset(
    {"removeSync", "rmSync", "rmdirSync", "rmdir", "unlinkSync", "unlink", "rm", "delete", "remove"}
)
_MOVES = frozenset({"renameSync", "rename", "move", "mv"})
_OPENS = frozenset({"open", "openSync", "fopen"})


def _kind_of(call: str, rest: str) -> Kind | None:
    if call in _TREES or (call in _TAKES and "recursive" in rest):
        return Kind.DELETE_TREE
    if call in _TAKES:
        return Kind.DELETE
    if call in _MOVES:
        return Kind.MOVE
    if call.startswith("chmod"):
        return Kind.CHMOD
    if call in _OPENS and not re.match(r"""\s*,\s*['"][rwab+]*[wa+]""", rest):
        return None
    return Kind.WRITE


def _other_effects(each: Invocation, code: str) -> Iterator[Effect]:
    """Yield what code of another language does as far as its texts say: else it is opaque."""
    yield Effect(Kind.OPAQUE, UNKNOWN, each.program)
    for found in list(_CALLED.finditer(code))[:_MOST_PLACES]:
        kind, path = _kind_of(found[1], code[found.end() : found.end() + 80]), found[4]
        writes = path.startswith(">") or (found[2] and set(found[2]) & set(">wa+"))
        if found[1] in _OPENS and writes:
            kind, path = Kind.WRITE, path.lstrip("> ")
        if kind is not None:
            yield Effect(kind, resolve(path, each.cwd), f"{each.program}: {found[1]}()")
    for found in list(_PLACE.finditer(code))[:_MOST_PLACES]:
        yield Effect(Kind.OPAQUE, resolve(found[2], each.cwd), each.program)


def code_effects(each: Invocation) -> Iterator[Effect]:
    """Yield what code does to files by calls whose paths are literals."""
    code = code_of(each)
    if code is None:
        return
    if not _is_python(each.program):
        yield from _other_effects(each, code)
        return
    for kind, path, call in python_effects(code):
        place = UNKNOWN if not path else resolve(path, each.cwd)
        yield Effect(kind, place, f"{each.program}: {call}")
        raw = walked(path, each.cwd)
        if raw is not None:
            yield Effect(kind, raw, f"{each.program}: {call}")


def _is_python(program: str) -> bool:
    return program.startswith(("python", "pypy", "ipython")) or program == "py"
