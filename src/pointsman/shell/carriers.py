"""Programs that run another command: what they carry, so that it is seen for what it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pointsman.shell.effects import UNKNOWN, Invocation

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "mksh", "rbash", "fish"})
_INTERPRETERS = frozenset(
    {"python", "python2", "python3", "perl", "ruby", "node", "php", "lua", "deno", "bun"}
)


@dataclass(frozen=True, slots=True)
class Carried:
    """What a carrier runs: words (``argv``), shell text (``script``), or both unknown.

    ``unverified`` says why it cannot be known; ``appended`` that words of unknown number follow.
    """

    argv: tuple[str, ...] = ()
    script: str | None = None
    unverified: str = ""


@dataclass(frozen=True, slots=True)
class _Prefix:
    """A program whose command follows its own options.

    ``with_value`` are options that take the next word; ``skip`` is the number of words of its
    own before the command (the duration of ``timeout``); ``assignments`` says that words such as
    ``A=b`` may stand before it.
    """

    with_value: frozenset[str] = frozenset()
    skip: int = 0
    assignments: bool = False


def _options(*names: str) -> frozenset[str]:
    return frozenset(names)


_PREFIXES: Mapping[str, _Prefix] = {
    "sudo": _Prefix(
        _options("-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "-r", "-t"), assignments=True
    ),
    "doas": _Prefix(_options("-u", "-C")),
    "env": _Prefix(_options("-u", "--unset", "-C", "--chdir", "-S"), assignments=True),
    "nice": _Prefix(_options("-n", "--adjustment")),
    "ionice": _Prefix(_options("-c", "-n", "-p", "--class", "--classdata")),
    "timeout": _Prefix(_options("-s", "-k", "--signal", "--kill-after"), skip=1),
    "nohup": _Prefix(),
    "setsid": _Prefix(),
    "stdbuf": _Prefix(_options("-i", "-o", "-e")),
    "time": _Prefix(_options("-f", "-o")),
    "command": _Prefix(),
    "builtin": _Prefix(),
    "exec": _Prefix(_options("-a")),
    "xargs": _Prefix(
        _options(
            "-I",
            "-n",
            "-P",
            "-L",
            "-d",
            "-E",
            "-s",
            "-a",
            "-i",
            "--max-args",
            "--max-procs",
            "--delimiter",
        )
    ),
    "parallel": _Prefix(_options("-j", "--jobs", "-N", "-n", "-I", "--colsep")),
    "chroot": _Prefix(_options("--userspec", "--groups"), skip=1),
    "unshare": _Prefix(_options("--propagation")),
    "nsenter": _Prefix(_options("-t", "--target")),
    "busybox": _Prefix(),
    "toybox": _Prefix(),
    "strace": _Prefix(_options("-e", "-o", "-p", "-s", "-u")),
    "ltrace": _Prefix(_options("-e", "-o", "-p", "-s")),
    "coproc": _Prefix(),
    "then": _Prefix(),
    "do": _Prefix(),
    "!": _Prefix(),
    "caffeinate": _Prefix(_options("-t", "-w")),
    "flock": _Prefix(_options("-w", "-E", "--timeout"), skip=1),
    "chrt": _Prefix(skip=1),
    "taskset": _Prefix(skip=1),
    "fakeroot": _Prefix(),
    "rtk": _Prefix(),
    "proxychains": _Prefix(_options("-f")),
    "proxychains4": _Prefix(_options("-f")),
    "pkexec": _Prefix(_options("--user")),
    "runuser": _Prefix(_options("-u")),
    "dbus-run-session": _Prefix(),
    "xvfb-run": _Prefix(_options("-s", "-n")),
    "uv": _Prefix(skip=1),
    "poetry": _Prefix(skip=1),
    "pipenv": _Prefix(skip=1),
    "npx": _Prefix(_options("-p", "--package")),
    "bunx": _Prefix(),
    "direnv": _Prefix(skip=2),
    "watch": _Prefix(_options("-n", "--interval")),
}


def carried(each: Invocation) -> list[Carried]:
    """Return what this invocation runs beside itself; nothing for an ordinary program."""
    if not each.argv:
        return []
    special = _SPECIAL.get(each.program)
    if special is not None:
        return special(each)
    if each.program in SHELLS:
        return _shell(each)
    prefix = _PREFIXES.get(each.program)
    return _prefixed(each, prefix) if prefix is not None else []


def _prefixed(each: Invocation, prefix: _Prefix) -> list[Carried]:
    words = list(each.argv[1:])
    split = _split_string(words) if each.program == "env" else None
    if split is not None:
        return [Carried(script=split)]
    if each.program == "command" and words and words[0] in {"-v", "-V"}:
        return []
    rest = _after_options(words, prefix)
    if each.program == "xargs":
        rest = (
            [*rest, *(each.stdin.split()[:256] if each.stdin is not None else [UNKNOWN])]
            if rest
            else []
        )
    if each.program in {"uv", "poetry", "pipenv"} and words[:1] != ["run"]:
        return []
    if each.program in {"watch", "parallel"} and len(rest) >= 1:
        return [Carried(script=" ".join(rest))]
    return [Carried(argv=tuple(rest))] if rest else []


def _after_options(words: list[str], prefix: _Prefix) -> list[str]:
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            index += 1
            break
        if word.startswith("-") and len(word) > 1:
            index += 2 if word in prefix.with_value else 1
        elif prefix.assignments and "=" in word and word.partition("=")[0].isidentifier():
            index += 1
        else:
            break
    return words[index + prefix.skip :]


def _split_string(words: list[str]) -> str | None:
    for index, word in enumerate(words):
        if word in {"-S", "--split-string"}:
            return " ".join(words[index + 1 :])
        if word.startswith("--split-string="):
            return " ".join([word.partition("=")[2], *words[index + 1 :]])
        if not word.startswith("-"):
            return None
    return None


def _shell(each: Invocation) -> list[Carried]:
    """``sh -c TEXT``, a script, or whatever comes in on stdin."""
    words = each.argv[1:]
    for index, word in enumerate(words):
        if word.startswith("-") and not word.startswith("--") and "c" in word[1:]:
            rest = [after for after in words[index + 1 :] if after != "--"]
            return [_text(rest[0], "the text of sh -c")] if rest else []
        if not word.startswith(("-", "+")):
            return (
                []
                if UNKNOWN not in word
                else [Carried(unverified="a script that is not known is run")]
            )
    return _from_stdin(each)


def _from_stdin(each: Invocation) -> list[Carried]:
    if each.stdin is not None:
        return [Carried(script=each.stdin)]
    files = [redirect.target for redirect in each.redirects if redirect.operator == "<"]
    if each.fed_by or any(UNKNOWN in target for target in files):
        return [Carried(unverified="a shell runs what is piped into it")]
    return []


def _text(text: str, what: str) -> Carried:
    if UNKNOWN in text and not text.strip(UNKNOWN + " ;&|\n"):
        return Carried(unverified=f"{what} is not known")
    return Carried(script=text.replace(UNKNOWN, "__unknown__"))


def _eval(each: Invocation) -> list[Carried]:
    return [_text(" ".join(each.argv[1:]), "what is evaluated")] if len(each.argv) > 1 else []


def _trap(each: Invocation) -> list[Carried]:
    words = [word for word in each.argv[1:] if not word.startswith("-")]
    return [_text(words[0], "the text of a trap")] if len(words) > 1 else []


def _find(each: Invocation) -> list[Carried]:
    out, words = [], each.argv
    roots = find_roots(words)
    for index, word in enumerate(words):
        if word not in {"-exec", "-execdir", "-ok", "-okdir"}:
            continue
        command = []
        for part in words[index + 1 :]:
            if part in {";", "+"}:
                break
            command += [f"{root}/{UNKNOWN}" for root in roots] if part == "{}" else [part]
        if command:
            out.append(Carried(argv=tuple(command)))
    return out


def find_roots(words: tuple[str, ...]) -> list[str]:
    """Return where a ``find`` begins to search."""
    roots = []
    for word in words[1:]:
        if word.startswith(("-", "(", "!")):
            break
        roots.append(word)
    return roots or ["."]


def _after_flag(*flags: str) -> Callable[[Invocation], list[Carried]]:
    def read(each: Invocation) -> list[Carried]:
        for index, word in enumerate(each.argv[1:-1], 1):
            if word in flags:
                return [_text(each.argv[index + 1], f"what {each.program} runs")]
        return []

    return read


def _terminal(each: Invocation) -> list[Carried]:
    """``tmux new-session -d 'text'``, ``screen -dm cmd``: the words after the options."""
    words = list(each.argv[1:])
    if each.program == "tmux":
        words = words[1:] if words else []
        keys = each.argv[1:2] in {("send-keys",), ("send",)}
        words = [word for word in words if word not in {"Enter", "C-m"}] if keys else words
    rest = _after_options(
        words, _Prefix(_options("-s", "-t", "-n", "-c", "-x", "-y", "-S", "-L", "-F"))
    )
    return [Carried(script=" ".join(rest))] if rest else []


def _ssh(each: Invocation) -> list[Carried]:
    values = _options("-p", "-i", "-l", "-o", "-F", "-J", "-L", "-R", "-D", "-b", "-c", "-E", "-W")
    rest = _after_options(list(each.argv[1:]), _Prefix(values))
    local = rest and rest[0].rpartition("@")[2] in {"localhost", "127.0.0.1", "::1"}
    return [Carried(script=" ".join(rest[1:]))] if local and rest[1:] else []


def _su(each: Invocation) -> list[Carried]:
    return _after_flag("-c", "--command")(each)


def _git(each: Invocation) -> list[Carried]:
    """``git -c alias.x='!cmd' x`` runs a command; so do submodule foreach and rebase --exec."""
    words, out = each.argv, []
    for index, word in enumerate(words[:-1]):
        setting = words[index + 1]
        if word == "-c" and setting.startswith("alias.") and "=" in setting:
            value = setting.partition("=")[2]
            if value.startswith("!"):
                out.append(_text(value[1:], "a git alias"))
            else:
                out.append(Carried(argv=("git", *value.split(), *words[index + 3 :])))
        if word in {"--exec", "-x"} or (word == "foreach" and "submodule" in words):
            out.append(_text(" ".join(words[index + 1 :]) if word == "foreach" else setting, word))
    return out


_SPECIAL: Mapping[str, Callable[[Invocation], list[Carried]]] = {
    "eval": _eval,
    "trap": _trap,
    "find": _find,
    "fd": _after_flag("-x", "--exec", "-X", "--exec-batch"),
    "script": _after_flag("-c", "--command", "-qc"),
    "su": _su,
    "runuser": _su,
    "tmux": _terminal,
    "screen": _terminal,
    "ssh": _ssh,
    "git": _git,
}


def is_interpreter(program: str) -> bool:
    """Whether this program runs code of a language that is no shell's."""
    return program in _INTERPRETERS or program.rstrip("0123456789.") in _INTERPRETERS
