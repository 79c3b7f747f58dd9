"""Options and settings of other programs whose value is a command."""

import re

from pointsman.shell.carried import Carried, Prefix, after_options, text_of, these
from pointsman.shell.effects import Invocation

_SSH_COMMANDS = frozenset({"proxycommand", "localcommand", "knownhostscommand"})
_SSH_OPTION = re.compile(r"-[a-zA-Z0-9]*?o\s*(\w+)[= ](.*)", re.DOTALL)


def _ssh_options(words: tuple[str, ...]) -> list[Carried]:
    out = []
    for index, word in enumerate(words):
        text = f"-o{words[index + 1]}" if word == "-o" and index + 1 < len(words) else word
        found = _SSH_OPTION.fullmatch(text)
        if found is not None and found[1].lower() in _SSH_COMMANDS:
            out.append(text_of(found[2], found[1]))
    return out


def ssh(each: Invocation) -> list[Carried]:
    """What runs on this machine, by ``ssh localhost`` or an option."""
    values = these("-p", "-i", "-l", "-o", "-F", "-J", "-L", "-R", "-D", "-b", "-c", "-E", "-W")
    rest = after_options(list(each.argv[1:]), Prefix(values))
    # On another machine no file of ours is written; that text is judged by the packs alone.
    local = rest and rest[0].rpartition("@")[2] in {"localhost", "127.0.0.1", "::1"}
    here = [Carried(script=" ".join(rest[1:]))] if local and rest[1:] else []
    return [*here, *_ssh_options(each.argv[1:])]


def scp(each: Invocation) -> list[Carried]:
    """``-o ProxyCommand=…``."""
    return _ssh_options(each.argv[1:])


def rsync(each: Invocation) -> list[Carried]:
    """``--rsh``."""
    out = []
    for index, word in enumerate(each.argv[1:-1], 1):
        if word == "--rsh" or re.fullmatch(r"-[a-zA-Z]*e", word):
            out.append(text_of(each.argv[index + 1], "--rsh"))
    out += [text_of(word[6:], "--rsh") for word in each.argv if word.startswith("--rsh=")]
    return out


_TAR_COMMANDS = re.compile(
    r"--(?:info-script|new-volume-script|to-command|use-compress-program|rsh-command"
    r"|checkpoint-action=exec)=(.*)",
    re.DOTALL,
)


def tar(each: Invocation) -> list[Carried]:
    """``--to-command`` and its like."""
    found = (_TAR_COMMANDS.fullmatch(word) for word in each.argv[1:])
    out = [text_of(match[1], "an option of tar") for match in found if match]
    for index, word in enumerate(each.argv[1:-1], 1):
        if word in {"-I", "-F", "--to-command", "--info-script", "--use-compress-program"}:
            out.append(text_of(each.argv[index + 1], word))
    return out


_GIT_RUNS = re.compile(
    r"(core\.(sshcommand|pager|editor|fsmonitor|askpass)|sequence\.editor|diff\.external|pager\.\w+"
    r"|gpg\.program|credential\.helper|[\w.-]+\.(textconv|command|driver|clean|smudge))=",
    re.IGNORECASE,
)


def git(each: Invocation) -> list[Carried]:
    """``git -c alias.x='!cmd' x`` runs a command; so do submodule foreach and rebase --exec."""
    words, out = each.argv, []
    for index, word in enumerate(words[:-1]):
        setting = words[index + 1]
        if word == "-c" and setting.startswith("alias.") and "=" in setting:
            value = setting.partition("=")[2]
            if value.startswith("!"):
                out.append(text_of(value[1:], "a git alias"))
            else:
                # An alias of plain git stands for its words, and what follows is handed on.
                out.append(Carried(argv=("git", *value.split(), *words[index + 3 :])))
        elif word in {"-c", "--config"} and _GIT_RUNS.match(setting):
            out.append(text_of(setting.partition("=")[2].removeprefix("!"), "a git setting"))
        if word == "foreach" and "submodule" in words:
            rest = after_options(list(words[index + 1 :]), Prefix())
            out.append(text_of(" ".join(rest), word))
        elif word == "-u" and "clone" in words:
            out.append(text_of(setting, word))
        elif word == "run" and words[index - 1] == "bisect":
            out.append(Carried(argv=words[index + 1 :]))
        elif word in _GIT_TEXTS:
            out.append(text_of(setting, word))
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in _GIT_TEXTS:
            out.append(text_of(value, name))
        elif word.startswith("-O") and "grep" in words and len(word) > 2:
            out.append(text_of(word[2:], "-O"))
    return out


_GIT_TEXTS = these(
    "--exec", "-x", "--extcmd", "--upload-pack", "--receive-pack", "--open-files-in-pager",
    "--sendmail-cmd", "--to-cmd", "--cc-cmd", "--upload-archive",
)  # fmt: skip
"""Options of git whose value is a command."""
