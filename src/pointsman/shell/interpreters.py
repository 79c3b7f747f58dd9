"""Shell commands that stand as text in the code of another language."""

import re
from collections.abc import Iterator

from pointsman.shell.carried import is_interpreter
from pointsman.shell.effects import UNKNOWN, Effect, Invocation
from pointsman.shell.python_code import is_python, python_effects, python_texts
from pointsman.shell.state import resolve

_AWK = re.compile(r'system\("([^"]+)"\)|"([^"]+)"\s*\|\s*getline|\|\s*"([^"]+)"')
_MOST_CODE = 64 * 1024
_QUOTED = re.compile(r"""(?:system|exec|execSync|spawnSync|popen|qx|`)\s*\(?\s*(["'`])(.+?)\1""")
_CODE_OPTION = re.compile(r"-[a-zA-Z]*[ceErp]")
_CODE_WORDS = frozenset({"--eval", "--print", "-Command", "-Com", "-command", "-EncodedCommand"})
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
    for found in _QUOTED.finditer(code):
        yield found[2]
    for found in _PERL.finditer(code):
        yield found[1] or found[2] or ""


def code_effects(each: Invocation) -> Iterator[Effect]:
    """Yield what Python code does to files by calls whose paths are literals."""
    code = code_of(each)
    if code is None or not _is_python(each.program):
        return
    for kind, path, call in python_effects(code):
        yield Effect(kind, resolve(path or UNKNOWN, each.cwd), f"{each.program}: {call}")


def _is_python(program: str) -> bool:
    return program.startswith(("python", "pypy", "ipython")) or program == "py"
