"""The guard that keeps Pointsman itself out of an agent's reach.

Settings, contracts, hooks, the record and the daemon: an agent that could change these could
switch off whatever else stops it. What a person does in a terminal of their own is no matter.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pointsman.model.decision import Action, Cause, Decision, deny
from pointsman.model.event import Event
from pointsman.model.events import ConfigChange, PreToolUse
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.paths.canonical import canonical
from pointsman.paths.globs import Globs
from pointsman.shell.analyse import analyse
from pointsman.shell.effects import UNKNOWN, Analysis, Effect, Invocation, Kind
from pointsman.shell.interpreters import code_of

NAME = "self-protection"
Fault = Callable[[Event, str], str]
"""Returns what a change of the host's settings would do to our guards, or the empty string."""

_OURS = re.compile(
    r"(^|/)(\.claude/(settings[^/]*\.json|agents(/|$)|hooks(/|$)|managed-settings)|\.pointsman(/|$))"
)
"""In any repository: what says what an agent may do."""
_MENTION = re.compile(r"\.claude/settings|\.claude/agents|\.pointsman\b|managed-settings\.json")
_HOLDERS = (".claude", ".pointsman")
_CHANGES = frozenset({Kind.WRITE, Kind.DELETE, Kind.DELETE_TREE, Kind.MOVE, Kind.CHMOD})
_TREES = frozenset({Kind.DELETE_TREE, Kind.MOVE, Kind.DELETE})
_ENDING = frozenset({"down", "uninstall", "trust", "init", "daemon", "up"})
_READERS = frozenset(
    {"ls", "cat", "stat", "file", "head", "tail", "less", "more", "wc", "du", "echo", "grep", "rg"}
    | {
        "find",
        "realpath",
        "readlink",
        "test",
        "[",
        "diff",
        "cmp",
        "pwd",
        "cd",
        "printf",
        "pointsman",
    }
)


def hook(policy: Policy, places: Places, fault: Fault) -> Hook:
    """Return the guard; ``fault`` is how the host's settings are judged."""
    keep = _Keep(policy, places)

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        if isinstance(event, ConfigChange):
            return _veto(fault(event, keep.home))
        if isinstance(event, PreToolUse):
            return _command(event, keep)
        return _edit(event, keep)

    events = frozenset({"PreEdit", "PreToolUse", "ConfigChange"})
    return Hook(name=NAME, role=Role.GUARD, run=run, events=events)


@dataclass(slots=True)
class _Keep:
    """What is kept: directories that are ours alone, files by pattern, the daemon."""

    policy: Policy
    places: Places

    @property
    def home(self) -> str:
        """The home directory of the user whose daemon this is."""
        return os.environ.get("HOME", str(self.places.config.parent.parent))

    def roots(self) -> Iterator[str]:
        """Yield the directories in which everything is kept."""
        yield os.path.realpath(self.places.state)
        yield os.path.realpath(self.places.config)
        yield "/etc/claude-code"
        yield str(Path(__file__).resolve().parent.parent)

    def rule_of(self, path: str) -> str:
        """Return the id of the rule that keeps this path, or the empty string."""
        if _OURS.search(path):
            return "self.contract" if "/agents" in path or ".pointsman" in path else "self.settings"
        if any(path == root or path.startswith(f"{root}/") for root in self.roots()):
            return "self.state"
        if path in self.policy.files:
            return "self.contract"
        more = Globs(self.policy.guards.get(NAME, {}).get("paths", ()))
        relative = path.removeprefix(f"{self.policy.repository}/")
        return "self.declared" if more.match(relative) or more.match(path) else ""

    def inside(self, directory: str) -> bool:
        """Whether something that is kept lies in this directory."""
        if any(root.startswith(f"{directory}/") for root in self.roots()):
            return True
        return any(os.path.lexists(f"{directory}/{name}") for name in _HOLDERS)


def _veto(fault: str) -> Decision | None:
    if not fault:
        return None
    text = (
        f"the change of settings is not applied: {fault}. A person who means it ends the session "
        "and types: pointsman uninstall"
    )
    return deny(text, rule="self.veto")


def _edit(event: Event, keep: _Keep) -> Decision | None:
    for written in event.paths:
        where = canonical(written, event.identity.cwd)
        rule = keep.rule_of(where.path) or keep.rule_of(os.path.normpath(written))
        if not rule and where.links > 1 and _is_linked(where.identity, keep):
            rule = "self.settings"
        if rule:
            return _denied(rule, f"{event.tool} would change {where.path}")
    return None


def _is_linked(identity: tuple[int, int] | None, keep: _Keep) -> bool:
    """Whether a file with several names is one of those that are kept."""
    root = keep.policy.repository or ""
    known = [
        *keep.policy.files,
        f"{root}/.claude/settings.json",
        f"{root}/.claude/settings.local.json",
    ]
    for name in known:
        try:
            found = os.stat(name)  # noqa: PTH116 - a handful of stats, only for hard links
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == identity:
            return True
    return False


def _command(event: PreToolUse, keep: _Keep) -> Decision | None:
    command = event.tool_input.get("command")
    if event.tool_name != "Bash" or not isinstance(command, str):
        return None
    analysis = analyse(command, cwd=event.identity.cwd or "/", home=keep.home)
    for effect in analysis.effects:
        rule = _effect_rule(effect, keep) if effect.kind in _CHANGES else ""
        if rule:
            return _denied(rule, f"{effect.construct} would change {_shown(effect.path)}")
    return _first(_invocation(each, analysis, keep) for each in analysis.invocations)


def _effect_rule(effect: Effect, keep: _Keep) -> str:
    path = effect.path
    if any(mark in path for mark in "*?["):
        return _glob_rule(path, keep)
    real = path if UNKNOWN in path else canonical(path, "/").path
    rule = keep.rule_of(path) or keep.rule_of(real)
    if not rule and effect.kind in _TREES and UNKNOWN not in path and keep.inside(real):
        return "self.settings"
    return rule


def _glob_rule(pattern: str, keep: _Keep) -> str:
    """Judge a glob by what it would match now."""
    base, _, last = pattern.rpartition("/")
    if any(mark in base for mark in "*?["):
        return "self.settings" if _MENTION.search(pattern.replace("*", "")) else ""
    try:
        names = [entry.name for entry in os.scandir(base or "/")]
    except OSError:
        return ""
    for name in names:
        hidden = name.startswith(".") and not last.startswith(".")
        path = f"{base}/{name}"
        if not hidden and fnmatchcase(name, last) and (keep.rule_of(path) or name in _HOLDERS):
            return keep.rule_of(path) or "self.settings"
    return ""


def _invocation(each: Invocation, analysis: Analysis, keep: _Keep) -> Decision | None:
    words = each.argv
    ours = [index for index, word in enumerate(words) if word.rsplit("/", 1)[-1] == "pointsman"]
    if ours and any(word in _ENDING for word in words[ours[0] + 1 : ours[0] + 3]):
        return _denied("self.daemon", f"`{' '.join(words)[:120]}` is for a person to type")
    if each.program in {"kill", "pkill", "killall", "fuser"} and _ends_daemon(each, analysis, keep):
        return _denied("self.daemon", f"`{' '.join(words)[:120]}` would end the daemon")
    if each.program == "ln" and any(keep.rule_of(_absolute(word, each)) for word in words[1:]):
        return _denied("self.settings", "a link would be another name for what is kept")
    code = code_of(each)
    if code is not None and (_MENTION.search(code) or str(keep.places.state) in code):
        reason = f"code for {each.program} speaks of files that are kept"
        return _denied("self.settings", reason, Cause.UNVERIFIED)
    if each.program not in _READERS and any(
        keep.rule_of(_absolute(word, each)) == "self.state" for word in words[1:]
    ):
        return _denied("self.state", f"{each.program} is given a file of Pointsman's own")
    return None


def _ends_daemon(each: Invocation, analysis: Analysis, keep: _Keep) -> bool:
    if any("pointsman" in word for word in each.argv[1:]):
        return True
    pid = _daemon_pid(keep.places)
    if pid and pid in each.argv[1:]:
        return True
    state = str(keep.places.state)
    unknown = any(UNKNOWN in word for word in each.argv[1:]) or not each.argv[1:]
    return unknown and any(
        state in word or "pointsman" in word
        for other in analysis.invocations
        for word in other.argv
    )


def _daemon_pid(places: Places) -> str:
    try:
        return places.lock.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _absolute(word: str, each: Invocation) -> str:
    if word.startswith(("-", UNKNOWN)) or not word:
        return word
    return os.path.realpath(
        word if word.startswith("/") else f"{each.cwd}/{word}".replace("\0", "_")
    )


def _denied(rule: str, what: str, cause: Cause = Cause.VIOLATION) -> Decision:
    text = (
        f"{what}. Settings, contracts, hooks, the record and the daemon of Pointsman are not an "
        "agent's to change; a person does that in a terminal of their own."
    )
    return Decision(action=Action.DENY, reason=text, rule=rule, cause=cause)


def _first(decisions: Iterable[Decision | None]) -> Decision | None:
    return next((decision for decision in decisions if decision is not None), None)


def _shown(path: str) -> str:
    return path.replace(UNKNOWN, "…")
