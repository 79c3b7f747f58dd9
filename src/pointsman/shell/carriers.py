"""Programs that run another command: what they carry, so that it is seen for what it is."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

from pointsman.shell.arguments import option_value, plain_words
from pointsman.shell.batches import parallel, xargs
from pointsman.shell.carried import (
    RUN_BY_OTHERS,
    SHELLS,
    Carried,
    Prefix,
    after_options,
    text_of,
    these,
)
from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.finding import find_commands, find_places
from pointsman.shell.prefixes import CALLS, PREFIXES
from pointsman.shell.run_options import git, rsync, scp, ssh, tar
from pointsman.shell.state import resolve

_PLACES = ("--chdir", "--working-directory")


def carried(each: Invocation) -> list[Carried]:
    """Return what this invocation runs beside itself; nothing for an ordinary program."""
    if not each.argv:
        return []
    special = _SPECIAL.get(each.program)
    if special is not None:
        return special(each)
    if each.program in SHELLS:
        return _shell(each)
    prefix = PREFIXES.get(each.program)
    return _prefixed(each, prefix) if prefix is not None else []


def _prefixed(each: Invocation, prefix: Prefix) -> list[Carried]:
    words = list(each.argv[1:])
    text = _text_of_option(each.program, words)
    if text is not None:
        return [text_of(text, f"what {each.program} runs")]
    if prefix.first:
        words = after_options(words, Prefix(prefix.with_value))
        if not words or words.pop(0) not in prefix.first.split():
            return []
    rest = after_options(words, prefix)
    if each.program == "command" and {"-v", "-V"} & set(words[:1]):
        return []
    if each.program == "watch" and rest:
        return [Carried(script=" ".join(rest))]
    if rest[1:] and rest[0] in {"-c", "--command"}:  # `flock FILE -c TEXT`
        return [text_of(rest[1], f"what {each.program} runs")]
    return _with_surroundings(each, prefix, words, rest)


def _with_surroundings(
    each: Invocation, prefix: Prefix, words: list[str], rest: list[str]
) -> list[Carried]:
    """Return the command with the variables and the directory that its carrier gives it."""
    given = tuple(
        (word.partition("=")[0], word.partition("=")[2])
        for word in (words[: len(words) - len(rest)] if prefix.assignments else ())
        if word.partition("=")[0].isidentifier() and "=" in word
    )
    place = option_value(
        replace(each, argv=each.argv[: len(words) - len(rest) + 1]),
        *_PLACES,
        *(("-C",) if each.program == "env" else ("-D",) if each.program == "sudo" else ()),
    )
    cwd = resolve(place, each.cwd) if place else ""
    carrying = [Carried(argv=tuple(rest), environment=given, cwd=cwd)] if rest else []
    if each.program == "env":
        carrying += [
            Carried(script=word.partition("=")[2])
            for word in words
            if word.partition("=")[0] in RUN_BY_OTHERS and "=" in word
        ]
    return carrying


def _text_of_option(program: str, words: list[str]) -> str | None:
    """Return the text that ``env -S TEXT``, ``npx -c TEXT`` or ``--call=TEXT`` has run."""
    if program == "env":
        return _split_string(words)
    if program not in CALLS:
        return None
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word in {"-c", "--call", "--command", "--run"}:
            return words[index + 1] if index + 1 < len(words) else None
        if equals and name in {"--call", "--command", "--run"}:
            return value
        if word == "--":
            return None
    return None


def _split_string(words: list[str]) -> str | None:
    for index, word in enumerate(words):
        if word == "--split-string" or re.fullmatch(r"-[a-z0]*S", word):
            return " ".join(words[index + 1 :])
        glued = re.fullmatch(r"-[v0i]*S(.+)", word, re.DOTALL)
        if glued is not None:
            return " ".join([glued[1], *words[index + 1 :]])
        if word.startswith("--split-string="):
            return " ".join([word.partition("=")[2], *words[index + 1 :]])
        if not word.startswith("-"):
            return None
    return None


def _shell(each: Invocation) -> list[Carried]:
    """``sh -c TEXT``, a script, or whatever comes in on stdin."""
    words = each.argv[1:]
    if re.fullmatch(r"-[a-z]*n", words[0]) if words else False:
        return []  # it only reads what it is given
    for index, word in enumerate(words):
        if word.startswith("-") and not word.startswith("--") and "c" in word[1:]:
            rest = words[index + 1 :]
            while rest and (rest[0] == "--" or re.fullmatch(r"[-+][a-z]+", rest[0])):
                rest = rest[1:]
            if not rest:
                return []
            return [replace(text_of(rest[0], "the text of sh -c"), arguments=tuple(rest[2:]))]
        if re.fullmatch(r"-[a-z]*s", word):
            return _from_stdin(each)
        if not word.startswith(("-", "+")):
            return _source(replace(each, argv=(each.program, *words[index:])))
    return _from_stdin(each)


def _from_stdin(each: Invocation) -> list[Carried]:
    if each.stdin is not None:
        return [Carried(script=each.stdin)]
    files = [redirect.target for redirect in each.redirects if redirect.operator == "<"]
    if each.fed_by or any(UNKNOWN in target for target in files):
        return [Carried(unverified="a shell runs what is piped into it")]
    return []


def _source(each: Invocation) -> list[Carried]:
    """``source <(…)``: the text where it is known."""
    words = each.argv[1:2]
    if not words or (UNKNOWN not in words[0] and words[0] != "/dev/stdin"):
        return []
    if each.stdin is not None:
        return [Carried(script=each.stdin)]
    return [Carried(unverified="a script that is not known is run")]


def _schedule(each: Invocation) -> list[Carried]:
    """``at`` and ``batch`` run their stdin later."""
    return [Carried(script=each.stdin)] if each.stdin is not None else []


def _crontab(each: Invocation) -> list[Carried]:
    out = []
    for line in (each.stdin or "").splitlines()[:256]:
        fields = line.split(None, 1 if line.startswith("@") else 5)
        if len(fields) == (2 if line.startswith("@") else 6) and "=" not in fields[0]:
            out.append(Carried(script=fields[-1]))
    return out


def _eval(each: Invocation) -> list[Carried]:
    return [text_of(" ".join(each.argv[1:]), "what is evaluated")] if len(each.argv) > 1 else []


def _trap(each: Invocation) -> list[Carried]:
    words = [word for word in each.argv[1:] if not word.startswith("-")]
    return [text_of(words[0], "the text of a trap")] if len(words) > 1 else []


def _find(each: Invocation) -> list[Carried]:
    out = []
    places = find_places(each.argv)
    for command in find_commands(each.argv):
        parts = (places if part == "{}" else [part] for part in command)
        out.append(Carried(argv=tuple(word for part in parts for word in part)))
    return out


_FD_VALUES = these(
    "-e", "-E", "-t", "-d", "-g", "-S", "-o", "-j", "--extension", "--exclude", "--type",
    "--max-depth", "--min-depth", "--size", "--threads", "--base-directory", "--search-path",
)  # fmt: skip


def _fd(each: Invocation) -> list[Carried]:
    """``fd pattern dir -x cmd``: the command, for anything below the directories."""
    flags = {"-x", "--exec", "-X", "--exec-batch"}
    at = next((index for index, word in enumerate(each.argv) if word in flags), None)
    if at is None:
        return []
    words = plain_words(replace(each, argv=each.argv[:at]), _FD_VALUES)
    places = [f"{root.rstrip('/')}/**" for root in words[1:]] or ["./**"]
    end = next((index for index in range(at, len(each.argv)) if each.argv[index] == ";"), None)
    command = list(each.argv[at + 1 : end])
    if not any(word in {"{}", "{/}", "{//}", "{.}", "{/.}"} for word in command):
        command.append("{}")
    parts = (places if word in {"{}", "{.}"} else [word] for word in command)
    return [Carried(argv=tuple(word for part in parts for word in part))] if command[1:] else []


def _after_flag(*flags: str) -> Callable[[Invocation], list[Carried]]:
    def read(each: Invocation) -> list[Carried]:
        what = f"what {each.program} runs"
        for word, after in pairwise((*each.argv[1:], "")):
            if word in flags or re.fullmatch(r"-[a-z]*c", word):
                return [text_of(after, what)] if after else []
            for flag in flags:
                value = word.removeprefix(f"{flag}=" if flag.startswith("--") else flag)
                if value != word and not value.startswith("-"):
                    return [text_of(value, what)]
        return []

    return read


_TMUX_RUNS = these(
    "new-session", "new", "new-window", "neww", "split-window", "splitw", "respawn-pane",
    "respawnp", "respawn-window", "respawnw", "run-shell", "run", "if-shell", "if", "send-keys",
    "send", "pipe-pane", "pipep", "display-popup", "popup", "set-hook", "bind-key", "bind",
)  # fmt: skip
"""What of tmux runs a text of the shell."""
_KEYS = {"Enter": "\n", "C-m": "\n", "C-j": "\n", "KPEnter": "\n", "Space": " "}
_TERMINAL_VALUES = these(
    "-s", "-t", "-n", "-c", "-x", "-y", "-S", "-L", "-F", "-f", "-e", "-p", "-T"
)


def _tmux(each: Invocation) -> list[Carried]:
    """``tmux new -d 'text'``, ``tmux send-keys 'text' Enter``, one after the other by ``;``."""
    out: list[Carried] = []
    words: list[str] = []
    for word in (*each.argv[1:], ";"):
        if word != ";":
            words.append(word)
            continue
        out += _of_tmux(after_options(words, Prefix(_TERMINAL_VALUES)))
        words = []
    return out


def _of_tmux(words: list[str]) -> list[Carried]:
    if not words or words[0] not in _TMUX_RUNS:
        return []
    rest = after_options(words[1:], Prefix(_TERMINAL_VALUES))
    if words[0] in {"send-keys", "send"}:
        return [Carried(script="".join(_KEYS.get(word, word) for word in rest))] if rest else []
    if words[0] in {"if-shell", "if"}:
        texts = [part for word in rest for part in (word, *_inner(word))]
        return [Carried(script=text) for text in texts]
    if words[0] in {"set-hook", "bind-key", "bind"}:
        return _of_tmux(shlex.split(rest[1]) if len(rest) == 2 else rest[1:])
    if len(rest) > 1:
        return [Carried(argv=tuple(rest)), Carried(script=" ".join(rest))]
    return [Carried(script=rest[0])] if rest else []


def _inner(text: str) -> list[str]:
    """Return what a command of tmux runs that stands as one word."""
    try:
        found = _of_tmux(shlex.split(text))
    except ValueError:
        return []
    return [each.script for each in found if each.script is not None]


def _screen(each: Invocation) -> list[Carried]:
    """``screen -dm cmd``; ``screen -X stuff 'text'`` types into one that runs."""
    if "-X" in each.argv:
        words = each.argv[each.argv.index("-X") + 1 :]
        if words[:1] == ("stuff",):
            return [Carried(script=" ".join(words[1:]).replace("\\n", "\n").replace("^M", "\n"))]
        return [Carried(argv=words[1:])] if words[:1] in {("exec",), ("screen",)} else []
    rest = after_options(list(each.argv[1:]), Prefix(_SCREEN_VALUES))
    return [Carried(argv=tuple(rest))] if rest else []


_SCREEN_VALUES = these("-S", "-t", "-c", "-e", "-h", "-p", "-s", "-T", "-r", "-L", "-Logfile")


_SED_RUNS = re.compile(r"(?:^|[;{}\n]|[0-9$]|/)\s*e\s+([^;}\n]+)")


def _sed(each: Invocation) -> list[Carried]:
    """``sed '1e cmd'`` runs a command."""
    words = (word[:65536] for word in each.argv[1:] if not word.startswith("--"))
    return [Carried(script=found[1]) for word in words for found in _SED_RUNS.finditer(word)][:64]


def _editor(each: Invocation) -> list[Carried]:
    """``vim -c '!cmd'``, and ``!cmd`` on the stdin of ``ed`` or ``ex``."""
    out = []
    for word, after in zip(each.argv[1:], (*each.argv[2:], ""), strict=True):
        text = (
            after if word in {"-c", "--cmd"} else word.removeprefix("+") if word[:1] == "+" else ""
        )
        found = re.match(r"\s*:?\s*(?:silent!?\s+)?(?:[%\d,$]*)!\s*(.+)", text)
        if found is not None:
            out.append(text_of(found[1], f"what {each.program} runs"))
    lines = [line.lstrip(": ") for line in (each.stdin or "").splitlines()[:256]]
    return out + [Carried(script=line[1:]) for line in lines if line.startswith("!")]


def _debugger(each: Invocation) -> list[Carried]:
    """``gdb -ex 'shell cmd'``, ``-ex '!cmd'``; behind ``--args`` stands what is looked at."""
    out = []
    for word, after in pairwise((*each.argv[1:], "")):
        name, equals, value = word.partition("=")
        if name in {"-ex", "--ex", "-iex", "--eval-command", "-o", "-O", "--one-line"}:
            found = re.match(
                r"\s*(?:shell\s|!|platform\s+shell\s)\s*(.+)", value if equals else after
            )
            out += [text_of(found[1], f"what {each.program} runs")] if found is not None else []
    if "--args" in each.argv:
        out.append(Carried(argv=each.argv[each.argv.index("--args") + 1 :]))
    return out


def _texts(each: Invocation) -> list[Carried]:
    """A program each of whose plain words is a command."""
    values = these("-n", "--names", "-c", "-w", "-r", "-m", "-M", "--warmup", "--runs", "-k")
    words = plain_words(each, values)[:64]
    prepared = [option_value(each, flag) for flag in ("--prepare", "--setup", "--cleanup", "-p")]
    return [
        text_of(word, f"what {each.program} runs") for word in (*words, *filter(None, prepared))
    ]


def _daemon(each: Invocation) -> list[Carried]:
    program = option_value(each, "--exec", "-x", "--startas", "-a")
    given = each.argv[each.argv.index("--") + 1 :] if "--" in each.argv else ()
    return [Carried(argv=(program, *given))] if program else []


def _su(each: Invocation) -> list[Carried]:
    return _after_flag("-c", "--command")(each)


_SPECIAL: Mapping[str, Callable[[Invocation], list[Carried]]] = {
    "eval": _eval,
    "source": _source,
    ".": _source,
    "trap": _trap,
    "at": _schedule,
    "batch": _schedule,
    "crontab": _crontab,
    "find": _find,
    "fd": _fd,
    "fdfind": _fd,
    "script": _after_flag("-c", "--command"),
    "su": _su,
    **dict.fromkeys(("sed", "gsed"), _sed),
    **dict.fromkeys(("vim", "vi", "nvim", "ex", "ed", "view"), _editor),
    "runuser": _su,
    "tmux": _tmux,
    "screen": _screen,
    "gdb": _debugger,
    "lldb": _debugger,
    "concurrently": _texts,
    "hyperfine": _texts,
    "start-stop-daemon": _daemon,
    "ssh": ssh,
    "scp": scp,
    "sftp": scp,
    "rsync": rsync,
    "tar": tar,
    "git": git,
    "xargs": xargs,
    "parallel": parallel,
}
