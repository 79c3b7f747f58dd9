"""What a command prints, where that is constant: what is piped into a shell is a command too."""

import base64
import binascii
import re
from collections.abc import Callable

from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.words import unescape

_HOLE = re.compile(r"%[-0-9.]*[sbqd]")
_ENVIRONMENT = frozenset(
    {
        "ssh-agent",
        "gpg-agent",
        "keychain",
        "direnv",
        "pyenv",
        "rbenv",
        "nodenv",
        "goenv",
        "jenv",
        "asdf",
        "mise",
        "fnm",
        "starship",
        "zoxide",
        "dircolors",
        "brew",
        "conda",
        "opam",
        "lesspipe",
        "thefuck",
        "atuin",
        "locale",
        "fzf",
        "register-python-argcomplete",
        "minikube",
        "docker-machine",
        "luarocks",
        "pipenv",
        "rustup",
    }
)
"""Programs whose output is meant to be evaluated: it sets variables and completions."""
_WHERE = frozenset({"-v", "-V", "-p", "-P"})
_PRINTERS = frozenset({"echo", "printf"})


def feeding(invocations: list[Invocation]) -> tuple[tuple[str, ...], str | None]:
    """Return the words of the command that feeds a pipe, and what it prints if that is constant."""
    if not invocations:
        return (), None
    text = printed(invocations)
    return invocations[-1].argv, None if UNKNOWN in text else text


def printed(invocations: list[Invocation]) -> str:
    """Return what commands print, where each of them only prints words or what it is fed."""
    out = []
    for each in invocations:
        if each.program == "cat" and len(each.argv) == 1 and each.stdin is not None:
            out.append(each.stdin)
        elif each.program in _PRINTERS:
            out.append(_print(each))
        elif each.program in _DECODERS and each.stdin is not None:
            out = [_DECODERS[each.program](each)]
        elif each.program == "pwd" and UNKNOWN not in each.cwd:
            out.append(each.cwd)
        elif each.program in _ENVIRONMENT:
            out.append("")
        elif _names_program(each):
            out.append(each.argv[-1])
        else:
            return UNKNOWN
    return "".join(out) if out else UNKNOWN


def _names_program(each: Invocation) -> bool:
    """Whether this prints where a program is: by its name it is still known."""
    asks = each.program == "which" or (each.program in {"command", "type"} and len(each.argv) == 3)
    return asks and len(each.argv) > 1 and (each.program == "which" or each.argv[1] in _WHERE)


def _print(each: Invocation) -> str:
    words = list(each.argv[1:])
    flags = ""
    while (
        words and words[0].startswith("-") and set(words[0][1:]) <= set("neE") and words[0] != "-"
    ):
        flags += words.pop(0)
    if each.program == "printf":
        form, *values = words or [""]
        text = _formatted(form, values)
        return _backslashes(text)
    text = " ".join(words) + "\n"
    return _backslashes(text) if "e" in flags else text


def _formatted(form: str, values: list[str]) -> str:
    """Put values in for ``%s``, ``%b`` and ``%q``, one after the other, as often as it takes."""
    holes = len(_HOLE.findall(form))
    if not holes:
        return form
    pieces = _HOLE.split(form)
    out = []
    for start in range(0, max(len(values), 1), holes):
        given = [*values[start : start + holes], *[""] * holes]
        out.append(pieces[0] + "".join(map(str.__add__, given, pieces[1:])))
    return "".join(out)


def _backslashes(text: str) -> str:
    return unescape(text) if "\\" in text else text


def _base64(each: Invocation) -> str:
    if not {"-d", "-D", "--decode"} & set(each.argv):
        return UNKNOWN
    try:
        return base64.b64decode(each.stdin or "", validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return UNKNOWN


def _hex(each: Invocation) -> str:
    if not {"-r", "-p"} <= {flag for word in each.argv for flag in _flags(word)}:
        return UNKNOWN
    try:
        return bytes.fromhex("".join((each.stdin or "").split())).decode("utf-8", "replace")
    except ValueError:
        return UNKNOWN


def _flags(word: str) -> list[str]:
    return [f"-{char}" for char in word[1:]] if word.startswith("-") else []


def _reverse(each: Invocation) -> str:
    return "\n".join(line[::-1] for line in (each.stdin or "").split("\n"))


_DECODERS: dict[str, Callable[[Invocation], str]] = {
    "base64": _base64,
    "xxd": _hex,
    "rev": _reverse,
}
