"""Which script a command starts, and in which language it is written."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pointsman.shell.arguments import option_value, plain_words
from pointsman.shell.carried import SHELLS, is_interpreter
from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.files import Files
from pointsman.shell.state import resolve

_SHELL_VALUES = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"})
_CODE = re.compile(r"-[a-zA-Z]*[ceErpm]|--eval|--print|-Command|--module")
_FIRST_LINE = re.compile(r"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(?:\S*/)?([\w.+-]+)")
_SYSTEM = ("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/")
_MOST_RECIPES = 256


@dataclass(frozen=True, slots=True)
class Started:
    """A script that is run: its path, its text if known, its language (empty: shell)."""

    path: str
    text: str | None
    language: str
    arguments: tuple[str, ...] = ()


def started(each: Invocation, files: Files) -> Started | None:
    """Return the script that a command starts, ``None`` where it starts none."""
    found = _place(each)
    if found is None or UNKNOWN in found[0]:
        return None
    path, language, arguments = found
    text = files.text(path)
    if language is None:
        first = _FIRST_LINE.match(text or "")
        name = first[1] if first is not None else "sh"
        language = "" if name in SHELLS or not is_interpreter(name) else name
    return Started(path, text, language, arguments)


def _place(each: Invocation) -> tuple[str, str | None, tuple[str, ...]] | None:
    """Return path, language (``None``: its first line says) and arguments of a script."""
    program, first = each.program, each.argv[0] if each.argv else ""
    if program in SHELLS:
        return _of_shell(each)
    if program in {"source", "."}:
        return (resolve(each.argv[1], each.cwd), "", each.argv[2:]) if each.argv[1:] else None
    if is_interpreter(program):
        coded = any(_CODE.fullmatch(word) for word in each.argv[1:])
        words = plain_words(each, frozenset({"-W", "-X", "-I", "-M", "--require", "-r"}))
        if coded or not words or words[0] == "-":
            return None
        return resolve(words[0], each.cwd), program, tuple(words[1:])
    runs = "/" in first and not first.startswith(_SYSTEM)
    return (resolve(first, each.cwd), None, each.argv[1:]) if runs else None


def _of_shell(each: Invocation) -> tuple[str, str | None, tuple[str, ...]] | None:
    for word in each.argv[1:]:
        if word.startswith("-") and not word.startswith("--") and ("c" in word or "s" in word[1:]):
            return None
    words = plain_words(each, _SHELL_VALUES)
    if words and words[0] not in {"-", "/dev/stdin"}:
        return resolve(words[0], each.cwd), "", tuple(words[1:])
    for redirect in each.redirects:
        if redirect.operator == "<" and each.stdin is None:
            return redirect.target, "", ()
    return None


def recipes(each: Invocation, texts: Callable[[str], str | None]) -> Iterator[str]:
    """Yield the commands of a makefile that was written here and is made from."""
    if each.program not in {"make", "gmake", "bmake"}:
        return
    given = option_value(each, "-f", "--file", "--makefile")
    base = resolve(option_value(each, "-C", "--directory") or ".", each.cwd)
    if given in {"-", "/dev/stdin"}:
        text = each.stdin
    else:
        names = [given] if given else ["GNUmakefile", "makefile", "Makefile"]
        text = next((found for name in names if (found := texts(resolve(name, base)))), None)
    if text is None:
        if given:
            yield ""
        return
    for line in text.replace("\\\n", " ").splitlines()[:_MOST_RECIPES]:
        recipe = re.match(r"(?:\t|[^\s#:=]+\s*:[^=;]*;)\s*[@+-]*(.+)", line)
        if recipe is not None:
            yield re.sub(r"\$\((\w+)\)", r"${\1}", recipe[1]).replace("$$", "$")
        yield from re.findall(r"\$\(shell ([^)]*)\)", line)
