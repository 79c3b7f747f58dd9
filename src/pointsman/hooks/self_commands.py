"""How a shell command would reach what is kept: by its effects, its programs, its code."""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pointsman.hooks.kept import OURS, WHY, Keep, absolute, mentions
from pointsman.model.decision import Action, Cause, Decision
from pointsman.paths.canonical import real_path
from pointsman.shell.analyse import analyse
from pointsman.shell.carried import SHELLS, is_interpreter
from pointsman.shell.effects import CHANGES, UNKNOWN, Analysis, Effect, Invocation
from pointsman.shell.interpreters import code_of
from pointsman.shell.programs import changes_by_words, options, plain_words

# What a person types: commands of ours, and what stands behind others of them.
_ENDING = frozenset({"down", "uninstall", "trust", "init", "daemon", "up", "dashboard"})
_ANSWERING = frozenset({
    "approve", "deny", "modify", "ack", "resolve", "stop", "resume", "purge", "new", "confirm",
    "reject", "forget",
})  # fmt: skip
_ANSWERED = frozenset({"approvals", "alerts", "ledger", "expertise", "conventions"})
_READERS = frozenset({
    "ls", "cat", "stat", "file", "head", "tail", "less", "more", "wc", "du", "echo", "grep",
    "egrep", "fgrep", "rg", "ag", "find", "fd", "realpath", "readlink", "basename", "dirname",
    "test", "[", "[[", "diff", "cmp", "pwd", "cd", "pushd", "popd", "printf", "pointsman",
    "jq", "bat", "nl", "tac", "rev", "cut", "paste", "sort", "uniq", "awk", "gawk", "mawk",
    "nawk", "sed", "tree", "od", "xxd", "hexdump", "strings", "base64", "sha1sum",
    "sha256sum", "sha512sum", "md5sum", "shasum", "cksum", "column", "fold", "tr", "comm",
    "join", "xargs", "tar", "zip", "gzip", "cp", "git", "export", "local", "declare",
    "typeset", "read", "source", ".", "exec", "gh", "type", "which", "command", "hash",
    "lsof", "lsattr", "getfacl", "namei", "md5", "sum", "open", "code", "exa", "eza",
    "batcat", "delta", "mkdir", "touch", "set", "for", "time", "true", "false", ":",
    "pointsman-hook", "yes", "seq",
})  # fmt: skip
"""Programs whose words are looked at for what they change by their own rules, or change nothing."""
_VERBS = re.compile(
    r"open\w*\s*\([^)]*,\s*(mode\s*=\s*)?['\"][^'\"]*[wax+>]|['\"]\s*[>+]{1,2}\s*['\"]?|write|unlink"
    r"|remove|rename|rm(tree|dir|Sync|\b)|rmdir|truncate|chmod|chown|\blinks?\b|symlink|os\.replace"
    r"|copy|\bmv\b|move|touch|mkdir|mkfifo|system|exec|popen|subprocess|spawn|eval|compile|getattr"
    r"|__import__|put_contents|fopen|`|qx|delete|File\.(send|new)|file\.|writeLines|Set-Content|Clear-Content"
    r"|Remove-Item|Out-File|sysopen|O_WRONLY|O_RDWR|dump\(|save|patch|sed\b|tee\b|(?<![.\w])load\s*\("
)
"""What code that changes something says somewhere."""
_HOST_OPTIONS = frozenset({"--settings", "--setting-sources", "--bare", "--safe-mode"})
_HOST_CHANGES = frozenset({"set", "add", "remove", "rm", "reset", "unset"})
_INSTALLERS = frozenset(
    {"pip", "pip3", "pipx", "uv", "conda", "poetry", "pdm", "brew", "apt", "apt-get"}
)
_SERVICES = frozenset({"systemctl", "service", "launchctl", "rc-service", "sv", "supervisorctl"})
_SERVICE_CHANGES = frozenset(
    [
        "stop",
        "kill",
        "restart",
        "try-restart",
        "disable",
        "mask",
        "edit",
        "revert",
        "set-property",
        "reload-or-restart",
        "unload",
        "bootout",
        "remove",
        "down",
        "force-stop",
        "clean",
    ]
)
_MOST_EFFECTS, _MOST_WORDS = 4000, 20_000
"""Changes; words of all invocations: each carrier has those of what it carries once more."""
_PATCHES = frozenset({"patch", "git"})


def judge_command(command: str, keep: Keep) -> Decision | None:
    """Return a denial where a command reaches what is kept, a question where it may."""
    analysis = analyse(command, cwd=keep.cwd, home=keep.home)
    if any(each.program == "shopt" and "dotglob" in each.argv for each in analysis.invocations):
        keep = replace(keep, hidden=True)
    links = _links(analysis.invocations)
    effects = dict.fromkeys(effect for effect in analysis.effects if effect.kind in CHANGES)
    if len(effects) > _MOST_EFFECTS:
        return questioned("self.unverified", f"it changes more than {_MOST_EFFECTS} files")
    if sum(len(each.argv) for each in analysis.invocations) > _MOST_WORDS:
        return questioned("self.unverified", f"it has more than {_MOST_WORDS} words to look at")
    for effect in effects:
        for each in _through(effect, links):
            rule = keep.rule_of_effect(each)
            if rule:
                return denied(rule, f"{effect.construct} would change {_shown(each.path)}")
    found = _first(_invocation(each, analysis, keep) for each in analysis.invocations)
    return found or _unknown_target(command, effects) or _unread(command, analysis)


def denied(rule: str, what: str, cause: Cause = Cause.VIOLATION) -> Decision:
    """Stop what would change something that is kept."""
    text = f"{what}. {WHY.get(rule, OURS)}"
    return Decision(action=Action.DENY, reason=text, rule=rule, cause=cause)


def questioned(rule: str, what: str) -> Decision:
    """Ask about what may change something that is kept."""
    text = (
        f"{what}; whether it changes settings, contracts, hooks, the record or the daemon of "
        "Pointsman could not be established. If it is meant, a person runs it."
    )
    return Decision(action=Action.ASK, reason=text, rule=rule, cause=Cause.UNVERIFIED)


def _links(invocations: Iterable[Invocation]) -> dict[str, str]:
    """Return the links that the command itself makes: where they stand, where they lead."""
    links: dict[str, str] = {}
    for each in invocations:
        words = plain_words(each) if each.program in {"ln", "mount"} else []
        if len(words) > 1 and len(links) < 64:
            target, name = absolute(words[-2], each.cwd), absolute(words[-1], each.cwd)
            links[name] = target
            links[f"{name}/{posixpath.basename(target)}"] = target
    return links


def _through(effect: Effect, links: Mapping[str, str]) -> Iterator[Effect]:
    yield effect
    for name, target in links.items():
        if effect.path == name or effect.path.startswith(f"{name}/"):
            yield replace(effect, path=f"{target}{effect.path[len(name) :]}")


def _invocation(each: Invocation, analysis: Analysis, keep: Keep) -> Decision | None:
    for find in _FINDERS:
        decision = find(each, analysis, keep)
        if decision is not None:
            return decision
    return None


def _own_command(each: Invocation, _analysis: Analysis, _keep: Keep) -> Decision | None:
    """``pointsman down``, also as ``python -m pointsman`` and by another name for the program."""
    words = _words_of_ours(each)
    if words is None or {"-h", "--help"} & set(words):
        return None
    command, then = [*(word for word in words if not word.startswith("-")), "", ""][:2]
    answers = then in _ANSWERING or UNKNOWN in then
    answers &= command in _ANSWERED
    # `--write` into whatever file is named, `--hand-over` the ledger's key: no file that is seen.
    writes = {"agents": "--w", "ledger": "--h"}.get(command)
    answers |= any(word[:3] == writes or (writes == "--w" and UNKNOWN in word) for word in words)
    if command in _ENDING or UNKNOWN in command or answers or "restore-aside" in words:
        return denied("self.daemon", f"`{_line(each)}` is for a person to type")
    return None


def _words_of_ours(each: Invocation) -> tuple[str, ...] | None:
    """Return the words that our own command is given, ``None`` for any other command."""
    argv = each.argv
    if each.program == "pointsman":
        return argv[1:]
    if is_interpreter(each.program):
        return _after_module(argv)
    first = argv[0] if argv else ""
    linked = "/" in first and UNKNOWN not in first
    if linked and real_path(absolute(first, each.cwd)).endswith("/pointsman"):
        return argv[1:]
    return argv[1:] if UNKNOWN in first and "pointsman" in each.text else None


def _after_module(argv: tuple[str, ...]) -> tuple[str, ...] | None:
    for index, word in enumerate(argv[1:], 1):
        following = argv[index + 1] if index + 1 < len(argv) else ""
        if word == "-m" and following in {"pointsman", "pointsman.__main__"}:
            return argv[index + 2 :]
        if word == "-mpointsman" or word.rsplit("/", 1)[-1] == "pointsman":
            return argv[index + 1 :]
    return None


def _kill(each: Invocation, analysis: Analysis, keep: Keep) -> Decision | None:
    if each.program not in {"kill", "pkill", "killall", "fuser", "skill", "xkill"}:
        return None
    ends = _ends_daemon(each, analysis, keep)
    return denied("self.daemon", f"`{_line(each)}` would end the daemon") if ends else None


def _ends_daemon(each: Invocation, analysis: Analysis, keep: Keep) -> bool:
    words = each.argv[1:]
    if any("pointsman" in word for word in words):
        return True
    pid = _daemon_pid(keep)
    if pid and any(word.lstrip("-") == pid for word in words):
        return True
    if pid and each.program in {"pkill", "killall"} and _is_named(each, pid):
        return True
    state = str(keep.places.state)
    unknown = any(UNKNOWN in word for word in words) or not words
    return unknown and any(
        state in word or "pointsman" in word
        for other in analysis.invocations
        for word in (*other.argv, *(redirect.target for redirect in other.redirects))
    )


def _daemon_pid(keep: Keep) -> str:
    try:
        text = keep.places.lock.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return text if text.isdigit() else ""


def _is_named(each: Invocation, pid: str) -> bool:
    """Whether the daemon, as it runs now, is what a name or a pattern of ``pkill`` means."""
    name, line = _process(pid)
    whole = bool({"-f", "--full"} & options(each))
    for word in plain_words(each, frozenset({"-s", "--signal", "-u", "-U", "-t", "-P", "-g"})):
        if each.program == "killall":
            if name and word[:15] == name:
                return True
            continue
        try:
            if re.search(word.replace(UNKNOWN, ".*"), line if whole else name):
                return True
        except re.error:
            continue
    return False


def _process(pid: str) -> tuple[str, str]:
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except (OSError, ValueError):
        return "", ""
    return name, line.decode("utf-8", "replace").strip()


def _service(each: Invocation, _analysis: Analysis, _keep: Keep) -> Decision | None:
    words = set(each.argv[1:])
    ours = any("pointsman" in word for word in words)
    if ours and each.program in _SERVICES and words & _SERVICE_CHANGES:
        return denied("self.daemon", f"`{_line(each)}` would end the daemon")
    return None


def _installer(each: Invocation, _analysis: Analysis, _keep: Keep) -> Decision | None:
    words = list(each.argv)
    if is_interpreter(each.program) and words[1:3] == ["-m", "pip"]:
        words = words[2:]
    if not words or words[0].rsplit("/", 1)[-1] not in _INSTALLERS:
        return None
    ours = [word for word in words[1:] if re.match(r"pointsman(\b|\Z)", word)]
    removes = {"uninstall", "remove", "rm", "purge"} & set(words)
    replaces = "install" in words and (
        "--force-reinstall" in words or any(len(word) > len("pointsman") for word in ours)
    )
    if ours and (removes or replaces):
        return denied("self.state", f"`{_line(each)}` would take Pointsman away")
    return None


def _host(each: Invocation, _analysis: Analysis, _keep: Keep) -> Decision | None:
    """``claude config set``, and a client that is started without the hooks."""
    if each.program != "claude":
        return None
    words = plain_words(each)
    changes = words[:1] == ["config"] and set(words) & _HOST_CHANGES
    if changes or options(each) & _HOST_OPTIONS:
        return denied("self.settings", f"`{_line(each)}` would leave the hooks out")
    return None


def _code(each: Invocation, _analysis: Analysis, keep: Keep) -> Decision | None:
    """Code of another language that speaks of what is kept, and changes something."""
    code = code_of(each)
    if code is None:
        return None
    read = _decoded(code)
    pid = _daemon_pid(keep)
    named = re.search(rf"\b{pid}\b", read) if pid else None
    if "kill" in read and (named or "pointsman" in read):
        return denied("self.daemon", f"code for {each.program} would end the daemon")
    if re.search(r"pointsman", read) and any(
        re.search(rf"['\"\s]{word}['\"\s]", read) for word in (_ENDING | _ANSWERING) - {"up"}
    ):
        return denied("self.daemon", f"code for {each.program} would end the daemon, or answer")
    spoken = mentions(read) or str(keep.places.state) in read
    if (spoken or (keep.host_config and keep.host_config in read)) and _VERBS.search(read):
        what = f"code for {each.program} speaks of files that are kept, and changes something"
        return denied("self.settings", what, Cause.UNVERIFIED)
    return None


def _decoded(code: str) -> str:
    """Return code with escapes carried out and with texts that are added up made one."""
    text = re.sub(r"\\x([0-9a-fA-F]{2})|\\u\{?([0-9a-fA-F]{2,4})\}?", _character, code)
    text = re.sub(r"\\0?([0-7]{2,3})", lambda found: chr(int(found[1], 8)), text)
    return re.sub(r"""['"]\s*[+.,]?\s*['"]""", "", text) + "\n" + text


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1] or found[2], 16))


def _copy(each: Invocation, _analysis: Analysis, keep: Keep) -> Decision | None:
    """A copy of our own program would be another name for it."""
    for word in plain_words(each)[:-1] if each.program in {"cp", "install"} else ():
        path = absolute(word, each.cwd)
        if path.endswith(("/pointsman", "/pointsman-hook")) and keep.rule_of(path):
            return denied("self.daemon", f"`{_line(each)}` makes another name for Pointsman")
    return None


def _patch(each: Invocation, _analysis: Analysis, _keep: Keep) -> Decision | None:
    applies = each.program == "patch" or (
        each.program == "git" and {"apply", "am"} & set(each.argv[1:3])
    )
    if (
        applies
        and each.stdin
        and re.search(r"^(\+\+\+|---|rename \w+) .*", each.stdin, re.MULTILINE)
    ):
        for line in each.stdin.splitlines():
            if line.startswith(("+++", "---", "rename ")) and mentions(line.replace("\t", " ")):
                return denied("self.settings", f"the patch changes {line.split()[-1][:120]}")
    return None


def _stash(each: Invocation, _analysis: Analysis, keep: Keep) -> Decision | None:
    """``git stash -u`` takes away what git does not know, and with it settings of ours."""
    stashes = each.program == "git" and "stash" in each.argv[1:4]
    whole = options(each) & {"-u", "-a", "--include-untracked", "--all"}
    if stashes and whole and keep.inside(each.cwd):
        return questioned("self.unverified", f"`{_line(each)}` puts untracked files away")
    return None


def _unknown_program(each: Invocation, _analysis: Analysis, keep: Keep) -> Decision | None:
    """Ask about a kept file in the hands of a program that we know nothing about."""
    if each.program in _READERS or changes_by_words(each.program) or each.program in SHELLS:
        return None
    for word in each.argv[1:]:
        path = word.rpartition("=")[2] if word.startswith("-") else word
        if not path or len(path) > 4096 or any(char.isspace() for char in path):
            continue
        rule = keep.rule_of_word(path, each.cwd)
        if rule and not _reads_only(each):
            text = f"{each.program} is given {_shown(path)}, which is kept"
            return denied(rule, text) if rule == "self.state" else questioned(rule, text)
    return None


def _reads_only(each: Invocation) -> bool:
    words = set(each.argv[1:])
    if each.program == "sqlite3":
        return "-readonly" in words
    tool = each.argv[2:3] == ("json.tool",) and len(plain_words(each)) <= 2
    return is_interpreter(each.program) and (tool or code_of(each) is not None)


_FINDERS: tuple[Callable[[Invocation, Analysis, Keep], Decision | None], ...] = (
    _own_command, _kill, _service, _installer, _host, _code, _copy, _patch, _stash,
    _unknown_program,
)  # fmt: skip


def _unknown_target(command: str, effects: Iterable[Effect]) -> Decision | None:
    """Ask where a change goes to an unknown place in a command that speaks of what is kept."""
    for effect in effects:
        if effect.kind not in CHANGES or UNKNOWN not in effect.path:
            continue
        name = effect.path.rsplit("/", 1)[-1]
        named = name in {"settings.json", "settings.local.json"}
        if named or (not effect.path.strip(UNKNOWN + "/") and mentions(command)):
            text = f"{effect.construct} changes {_shown(effect.path)}, which is not known"
            return questioned("self.unverified", text)
    return None


def _unread(command: str, analysis: Analysis) -> Decision | None:
    """Ask where a text that speaks of what is kept could not be read to its end."""
    ours = "pointsman" in command and re.search(r"\bpointsman\b", command)
    if analysis.unverified and (ours or mentions(command)):
        return questioned(
            "self.unverified", f"the command speaks of it, and {analysis.unverified[0]}"
        )
    return None


def _line(each: Invocation) -> str:
    return _shown(" ".join(each.argv))[:120]


def _first(decisions: Iterable[Decision | None]) -> Decision | None:
    return next((decision for decision in decisions if decision is not None), None)


def _shown(path: str) -> str:
    return path.replace(UNKNOWN, "…")
