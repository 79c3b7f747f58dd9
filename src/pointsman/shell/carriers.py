"""Programs that run another command: what they carry, so that it is seen for what it is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

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
from pointsman.shell.run_options import git, rsync, scp, ssh, tar

_PREFIXES: Mapping[str, Prefix] = {
    "sudo": Prefix(
        these("-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "-r", "-t"), assignments=True
    ),
    "doas": Prefix(these("-u", "-C")),
    "env": Prefix(these("-u", "--unset", "-C", "--chdir", "-S"), assignments=True),
    "nice": Prefix(these("-n", "--adjustment")),
    "ionice": Prefix(these("-c", "-n", "-p", "--class", "--classdata")),
    "timeout": Prefix(these("-s", "-k", "--signal", "--kill-after"), skip=1),
    "nohup": Prefix(),
    "setsid": Prefix(),
    "stdbuf": Prefix(these("-i", "-o", "-e")),
    "time": Prefix(these("-f", "-o")),
    "command": Prefix(),
    "builtin": Prefix(),
    "exec": Prefix(these("-a")),
    "chroot": Prefix(these("--userspec", "--groups"), skip=1),
    "unshare": Prefix(these("--propagation")),
    "nsenter": Prefix(these("-t", "--target")),
    "busybox": Prefix(),
    "toybox": Prefix(),
    "strace": Prefix(these("-e", "-o", "-p", "-s", "-u")),
    "ltrace": Prefix(these("-e", "-o", "-p", "-s")),
    "coproc": Prefix(),
    "then": Prefix(),
    "do": Prefix(),
    "!": Prefix(),
    "caffeinate": Prefix(these("-t", "-w")),
    "flock": Prefix(these("-w", "-E", "--timeout"), skip=1),
    "chrt": Prefix(skip=1),
    "taskset": Prefix(skip=1),
    "fakeroot": Prefix(),
    "rtk": Prefix(),
    "proxychains": Prefix(these("-f")),
    "proxychains4": Prefix(these("-f")),
    "pkexec": Prefix(these("--user")),
    "runuser": Prefix(these("-u")),
    "dbus-run-session": Prefix(),
    "xvfb-run": Prefix(these("-s", "-n")),
    "uv": Prefix(skip=1, first="run"),
    "uvx": Prefix(),
    "poetry": Prefix(skip=1, first="run"),
    "pipenv": Prefix(skip=1, first="run"),
    "pdm": Prefix(skip=1, first="run"),
    "hatch": Prefix(skip=1, first="run"),
    "pipx": Prefix(skip=1, first="run"),
    "pnpm": Prefix(skip=1, first="exec"),
    "npm": Prefix(skip=1, first="exec"),
    "yarn": Prefix(skip=1, first="exec"),
    "bundle": Prefix(skip=1, first="exec"),
    "lvm": Prefix(),
    "systemd-run": Prefix(these("-u", "--unit", "-p", "--property", "-M", "-H", "-E", "--slice")),
    "npx": Prefix(these("-p", "--package")),
    "bunx": Prefix(),
    "direnv": Prefix(skip=2),
    "watch": Prefix(these("-n", "--interval")),
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


def _prefixed(each: Invocation, prefix: Prefix) -> list[Carried]:
    words = list(each.argv[1:])
    split = _split_string(words) if each.program == "env" else None
    if split is not None:
        return [Carried(script=split)]
    if each.program == "command" and words and words[0] in {"-v", "-V"}:
        return []
    if prefix.first and words[:1] != [prefix.first]:
        return []
    rest = after_options(words, prefix)
    if each.program == "watch" and rest:
        return [Carried(script=" ".join(rest))]
    carrying = [Carried(argv=tuple(rest))] if rest else []
    if each.program == "env":
        carrying += [
            Carried(script=word.partition("=")[2])
            for word in words
            if word.partition("=")[0] in RUN_BY_OTHERS and "=" in word
        ]
    return carrying


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


def _after_flag(*flags: str) -> Callable[[Invocation], list[Carried]]:
    def read(each: Invocation) -> list[Carried]:
        for index, word in enumerate(each.argv[1:-1], 1):
            if word in flags:
                return [text_of(each.argv[index + 1], f"what {each.program} runs")]
        return []

    return read


def _terminal(each: Invocation) -> list[Carried]:
    """``tmux new-session -d 'text'``, ``screen -dm cmd``: the words after the options."""
    words = list(each.argv[1:])
    if each.program == "tmux":
        words = words[1:] if words else []
        keys = each.argv[1:2] in {("send-keys",), ("send",)}
        words = [word for word in words if word not in {"Enter", "C-m"}] if keys else words
    rest = after_options(words, Prefix(these("-s", "-t", "-n", "-c", "-x", "-y", "-S", "-L", "-F")))
    return [Carried(script=" ".join(rest))] if rest else []


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
    "fd": _after_flag("-x", "--exec", "-X", "--exec-batch"),
    "script": _after_flag("-c", "--command", "-qc"),
    "su": _su,
    "runuser": _su,
    "tmux": _terminal,
    "screen": _terminal,
    "ssh": ssh,
    "scp": scp,
    "sftp": scp,
    "rsync": rsync,
    "tar": tar,
    "git": git,
    "xargs": xargs,
    "parallel": parallel,
}
