"""What the analysis of a call says that it writes: the evidence for whose a change is."""

import os
import re
from collections.abc import Mapping
from typing import Any

from pointsman.hooks.edits import FILE_TOOLS, edited_paths
from pointsman.hooks.shell_writes import SHELL_TOOLS, is_directory
from pointsman.model.errors import PayloadError
from pointsman.model.event import Identity
from pointsman.model.proof import Foretold
from pointsman.model.tools import runs_apart
from pointsman.shell.analyse import analyse
from pointsman.shell.effects import UNKNOWN, Analysis, Effect, Invocation, Kind
from pointsman.shell.programs import git_command, options

READING = frozenset(
    {"Read", "Glob", "Grep", "LS", "NotebookRead", "WebFetch", "WebSearch", "TodoRead",
     "TodoWrite", "Agent", "Task", "TaskCreate", "TaskGet", "TaskList", "TaskOutput", "TaskStop",
     "TaskUpdate", "BashOutput", "KillBash", "KillShell", "AskUserQuestion", "EnterPlanMode",
     "ExitPlanMode", "ToolSearch", "Skill", "ListMcpResourcesTool", "ReadMcpResourceTool",
     "SendMessage"}
)  # fmt: skip
"""Tools of a host that change no file themselves. Whoever they start has calls of its own."""

_KNOWN = frozenset(
    {"cat", "head", "tail", "wc", "ls", "pwd", "echo", "printf", "true", "false", ":", "test",
     "[", "[[", "grep", "egrep", "fgrep", "cut", "tr", "uniq", "comm", "join", "paste", "nl", "od",
     "diff", "cmp", "stat", "file", "basename", "dirname", "realpath", "readlink", "sleep", "date",
     "whoami", "id", "uname", "which", "seq", "sha256sum", "md5sum", "touch", "mkdir", "rm",
     "rmdir", "cp", "mv", "chmod", "tee", "truncate", "unlink", "mkfifo", "export", "unset",
     "set", "wait", "exit", "sort"}
)  # fmt: skip
"""Programs that do what the analysis says and nothing else. Of every other one it names what it
can, and anything may follow. ``cd`` and ``ln`` change what later names mean: they are not here."""
_RENAMES = re.compile(r"\b(?:PATH|LD_\w+|alias|hash|enable|function)\b|\(\s*\)")
"""What makes another program of a name than the one that it is known by."""
_KNOWN_GIT = frozenset({"status", "log", "show", "rev-parse", "ls-files", "blame", "describe"})
_PLAIN_COPY = frozenset({"-f", "-i", "-n", "-p", "-u", "-v"})
"""Options with which ``cp`` writes what it names: no trees, links, backups, other directories."""
_WRITES = frozenset({"write", "delete", "delete tree", "move", "chmod"})
_LASTING = frozenset(
    {"nohup", "setsid", "disown", "daemon", "daemonize", "at", "batch", "crontab", "tmux", "screen",
     "systemd-run", "start-stop-daemon"}
)  # fmt: skip
_BACKGROUND = re.compile(r"(?<![&>|\\<])&(?![&>])")
_SPECIAL = re.compile(rf"[*?\[{UNKNOWN}]")


def foretold(tool: str, given: Mapping[str, Any], who: Identity) -> tuple[Foretold, bool]:
    """Return what a call is known to write, and whether it may leave something running."""
    command = given.get("command")
    if tool in SHELL_TOOLS and isinstance(command, str):
        writes, lasting = _of_command(command, who)
        return writes, lasting or runs_apart(tool, given)
    if tool in FILE_TOOLS:
        try:
            paths = edited_paths(tool, given) or ()
        except PayloadError:
            return Foretold(), False
        return Foretold(tuple(_absolute(each, who.cwd) for each in paths), opaque=False), False
    # A tool of a server may do anything, whatever its name says.
    return Foretold(), False


def _of_command(command: str, who: Identity) -> tuple[Foretold, bool]:
    analysis = analyse(command, cwd=who.cwd or "/", home=os.environ.get("HOME", "/"))
    effects = [each for each in analysis.effects if each.kind.value in _WRITES]
    known = all(_is_known(each) for each in analysis.invocations)
    opaque = bool(analysis.unverified) or not known
    opaque = opaque or any(each.kind in {Kind.OPAQUE, Kind.EXECUTE} for each in analysis.effects)
    opaque = opaque or _leads_elsewhere(analysis, effects) or bool(_RENAMES.search(command))
    return Foretold(_places(effects), opaque=opaque), _lasts(command, analysis)


def _leads_elsewhere(analysis: Analysis, effects: list[Effect]) -> bool:
    """Whether a write may land where no name of the command leads when it is looked up."""
    if any(UNKNOWN in each.path for each in effects):
        return True
    # Of several files that a pattern stands for, one may be a link; deleting takes the link.
    if any(_SPECIAL.search(each.path) for each in effects if not each.kind.value.startswith("del")):
        return True
    # A link that is moved makes another name of what it leads to, for what follows.
    moves = any(each.kind.value == "move" for each in effects)
    return moves and len(analysis.invocations) > 1


def _places(effects: list[Effect]) -> tuple[str, ...]:
    paths = {_fixed(each.path) for each in effects}
    # A directory that files are put into is not written to as a whole: the files are named.
    into = {path.rpartition("/")[0] for path in paths}
    whole = {_fixed(each.path) for each in effects if each.kind.value != "write"}
    holders = {path for path in into - whole if is_directory(path)}
    return tuple(sorted(path for path in paths if path and path not in holders))


def _fixed(path: str) -> str:
    """Return a path, or the directory below which it must lie where it is not known in full."""
    found = _SPECIAL.search(path)
    if found is not None:
        path = path[: found.start()].rpartition("/")[0]
    return os.path.normpath(path) if path.startswith("/") and path != "/" else ""


def _is_known(each: Invocation) -> bool:
    # By its name alone: `./cat` is any program that somebody has put there.
    if each.argv and "/" in each.argv[0]:
        return False
    if each.program == "git":
        told = git_command(each).argv
        return bool(told) and told[0] in _KNOWN_GIT and "-c" not in each.argv
    if each.program == "cp" and not options(each) <= _PLAIN_COPY:
        return False
    return not each.argv or each.program in _KNOWN


def _lasts(command: str, analysis: Analysis) -> bool:
    if _BACKGROUND.search(command):
        return True
    return any(
        each.program in _LASTING or not _LASTING.isdisjoint(each.via)
        for each in analysis.invocations
    )


def _absolute(path: str, cwd: str) -> str:
    return os.path.normpath(path if path.startswith("/") else f"{cwd}/{path}")
