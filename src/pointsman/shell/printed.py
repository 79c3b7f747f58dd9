"""What a command prints, where that is constant: what is piped into a shell is a command too."""

import posixpath
import re
from collections.abc import Callable, Mapping

from pointsman.shell.arguments import names, options, plain_words
from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.escapes import unescape
from pointsman.shell.filters import FILTERS
from pointsman.shell.state import resolve

_HOLE = re.compile(r"%(?:%|([-0-9.#+ ]*)([a-zA-Z]))")
_ENVIRONMENT = names("""
    ssh-agent gpg-agent keychain direnv pyenv rbenv nodenv goenv jenv asdf mise fnm starship
    zoxide dircolors brew conda opam lesspipe thefuck atuin locale fzf register-python-argcomplete
    minikube docker-machine luarocks pipenv rustup
""")
"""Programs whose output is meant to be evaluated: it sets variables and completions."""
_SILENT = names("""
    : true false test [ [[ cd pushd popd export unset set shopt alias unalias trap read mapfile
    readarray exec eval source . wait sleep local declare typeset readonly let shift return exit
    break continue rm rmdir unlink cp mv ln mkdir touch chmod chown chgrp truncate install umask
    hash ulimit kill builtin coproc sync rename shred mkfifo
""")
"""Programs that print nothing of their own where they do what they are told."""
_WHERE = frozenset({"-v", "-V", "-p", "-P"})
Texts = Callable[[str], str | None]
"""Returns the text of a file, where it was written here."""


def _nothing(_path: str) -> str | None:
    return None


def prints(each: Invocation, texts: Texts = _nothing) -> str:
    """Return what a call prints; ``UNKNOWN`` where that cannot be said, empty for nothing."""
    program = each.program
    if not program or program in _SILENT or program in _ENVIRONMENT:
        return ""
    reader = _PRINTERS.get(program)
    if reader is not None:
        return reader(each)
    if program in FILTERS:
        return FILTERS[program](each, texts)
    if {"completion", "completions"} & set(each.argv[1:3]) and "/" not in each.argv[0]:
        return ""  # as `kubectl completion bash`: for the shell, like the above
    return each.argv[-1] if _names_program(each) else UNKNOWN


def _names_program(each: Invocation) -> bool:
    """Whether this prints where a program is: by its name it is still known."""
    asks = each.program == "which" or (each.program in {"command", "type"} and len(each.argv) == 3)
    return asks and len(each.argv) > 1 and (each.program == "which" or each.argv[1] in _WHERE)


def _echo(each: Invocation) -> str:
    words = list(each.argv[1:])
    flags = ""
    while words and re.fullmatch(r"-[neE]+", words[0]):
        flags += words.pop(0)
    text = " ".join(words) + ("" if "n" in flags else "\n")
    return unescape(text) if flags.rfind("e") > flags.rfind("E") else text


def _printf(each: Invocation) -> str:
    words = list(each.argv[1:])
    if words[:1] == ["-v"]:
        return ""
    if words[:1] == ["--"]:
        words = words[1:]
    return formatted(words[0], words[1:]) if words else ""


def formatted(form: str, values: list[str]) -> str:
    """Put values into a format of ``printf``, as often as it takes to use them up."""
    pieces = _HOLE.split(unescape(form.replace("%%", "%\x08")))
    pieces = [piece.replace("%\x08", "%") if piece else piece for piece in pieces]
    holes = [(pieces[at], pieces[at + 1]) for at in range(1, len(pieces), 3)]
    if not holes:
        return pieces[0]
    out: list[str] = []
    for start in range(0, max(len(values), 1), len(holes)):
        out.append(pieces[0])
        for index, (flags, letter) in enumerate(holes):
            value = values[start + index] if start + index < len(values) else ""
            out += [_converted(flags or "", letter or "s", value), pieces[3 * index + 3]]
        if len(out) > 4096:
            return UNKNOWN
    return "".join(out)


def _converted(flags: str, letter: str, value: str) -> str:
    if UNKNOWN in value or "*" in flags:
        return UNKNOWN
    convert = _CONVERSIONS.get(letter)
    if convert is not None:
        return convert(value)
    try:
        if letter in "dixXou":
            number = ord(value[1:2] or "\0") if value[:1] in {"'", '"'} else int(value or "0", 0)
            return f"%{flags[:8]}{letter}" % number
        return f"%{flags[:8]}s" % value if letter == "s" else UNKNOWN
    except (ValueError, TypeError, OverflowError):
        return UNKNOWN


def _quoted(value: str) -> str:
    plain = re.fullmatch(r"[\w./=-]+", value)
    return value if plain else "'" + value.replace("'", "'\\''") + "'"


_CONVERSIONS: Mapping[str, Callable[[str], str]] = {
    "b": unescape,
    "q": _quoted,
    "c": lambda value: value[:1],
}


def _seq(each: Invocation) -> str:
    words = plain_words(each, frozenset({"-s", "-f"}))
    if options(each) or not all(re.fullmatch(r"-?\d{1,6}", word) for word in words) or not words:
        return UNKNOWN
    numbers = [int(word) for word in words]
    first = numbers[0] if len(numbers) > 1 else 1
    step = numbers[1] if len(numbers) > 2 else 1
    values = range(first, numbers[-1] + (1 if step > 0 else -1), step or 1)
    return "".join(f"{value}\n" for value in values[:512])


def _basename(each: Invocation) -> str:
    words = plain_words(each, frozenset({"-s"}))
    if not words or options(each):
        return UNKNOWN
    name = posixpath.basename(words[0].rstrip("/")) or "/"
    return (name.removesuffix(words[1]) if len(words) > 1 and words[1] != name else name) + "\n"


def _dirname(each: Invocation) -> str:
    words = plain_words(each)
    return "".join(f"{posixpath.dirname(word.rstrip('/') or '/') or '.'}\n" for word in words)


def _real(each: Invocation) -> str:
    words = plain_words(each)
    full = each.program == "realpath" or {"-f", "-m", "-e"} & options(each)
    return "".join(f"{resolve(word, each.cwd)}\n" for word in words) if full and words else UNKNOWN


def _pwd(each: Invocation) -> str:
    return f"{each.cwd}\n"


def _temporary(each: Invocation) -> str:
    """``mktemp``: a new name in the directory for such."""
    plain = plain_words(each, frozenset({"-p", "--suffix", "-t"}))
    if plain and plain[0].startswith("/"):
        return re.sub(r"X{3,}", UNKNOWN, plain[0]) + "\n"
    if {"-p", "--tmpdir"} & set(each.argv) or plain:
        return UNKNOWN
    return f"/tmp/tmp.{UNKNOWN}\n"  # noqa: S108 - named, not used


def _expr(each: Invocation) -> str:
    words = each.argv[1:]
    return f"{words[0]}\n" if len(words) == 1 else UNKNOWN


_PRINTERS: Mapping[str, Callable[[Invocation], str]] = {
    "echo": _echo,
    "printf": _printf,
    "seq": _seq,
    "basename": _basename,
    "dirname": _dirname,
    "realpath": _real,
    "readlink": _real,
    "pwd": _pwd,
    "mktemp": _temporary,
    "expr": _expr,
}
