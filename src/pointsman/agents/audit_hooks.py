"""Checks of an audit: hooks that never run, run too long, or are not there."""

import difflib
import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from pointsman.agents.audit_input import HookEntry, Inputs, Spot
from pointsman.agents.audit_settings import bad_matchers
from pointsman.agents.claude_findings import LONGEST_TIMEOUT
from pointsman.agents.claude_settings import is_ours
from pointsman.model.audit import Level
from pointsman.model.events import HOST_EVENTS
from pointsman.model.guard_events import GUARD_EVENTS

TOOLS = (
    "Agent", "Task", "Bash", "BashOutput", "KillShell", "Monitor", "Glob", "Grep", "LS", "Read",
    "Edit", "MultiEdit", "Write", "NotebookRead", "NotebookEdit", "WebFetch", "WebSearch", "LSP",
    "TodoRead", "TodoWrite", "TaskCreate", "TaskGet", "TaskList", "TaskUpdate", "TaskOutput",
    "TaskStop", "SlashCommand", "Skill", "ToolSearch", "AskUserQuestion", "EnterPlanMode",
    "ExitPlanMode", "EnterWorktree", "ExitWorktree", "SendMessage", "ListMcpResourcesTool",
    "ReadMcpResourceTool", "StructuredOutput", "PowerShell", "CronCreate", "CronDelete", "CronList",
)  # fmt: skip
"""The client's own tools, up to version 2.1.330; a newer one may have more."""

_ABOUT_TOOLS = frozenset(
    {"PreToolUse", "PostToolUse", "PostToolUseFailure", "PermissionRequest", "PermissionDenied"}
)
_WORDS = {
    "SessionStart": ("startup", "resume", "clear", "compact", "fork"),
    "PreCompact": ("manual", "auto"),
    "PostCompact": ("manual", "auto"),
    "Setup": ("init", "maintenance"),
}
"""What else a matcher is held against, where that is a short list."""

_PLAIN = re.compile(r"[\w\s|,-]*")
_SAMPLE = "mcp__server__tool"
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_OWN_VARIABLES = frozenset({"CLAUDE_PROJECT_DIR", "CLAUDE_PLUGIN_ROOT", "HOME", "PWD", "USER"})
_INTERPRETERS = re.compile(r"(python[\d.]*|node|bash|sh|zsh|ruby|perl|bun|deno|tsx|php)\Z")
_RUNNERS = re.compile(r"(?:^|/)(?:uv|bun|deno|poetry|pdm|pipenv|hatch)\Z")
_SCRIPTS = frozenset({".py", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".sh"})
_WITH_VALUE = frozenset({"-W", "-X", "-O", "-o", "-r", "--require", "--import"})
_INLINE = frozenset({"-c", "-e", "-m", "-p", "--eval", "run"})
_SUSPECT_MS = 1000


def unknown_events(inputs: Inputs) -> Iterator[Spot]:
    """Names of events that the client does not have."""
    for file in inputs.settings:
        for event in file.items("hooks"):
            if str(event.key) not in HOST_EVENTS:
                fix = _nearest(str(event.key), tuple(HOST_EVENTS))
                what = f"there is no event {event.key!r}: its hooks never run"
                yield Spot(file.name, file.line(event), what, fix)


def flat_format(inputs: Inputs) -> Iterator[Spot]:
    """The old form: a command beside the matcher, and no list of hooks."""
    for file in inputs.settings:
        for event in file.items("hooks"):
            for group in event.value.elements:
                if group.value.member("command") is not None and not group.value.member("hooks"):
                    what = f"hooks.{event.key} has a command beside its matcher: it never runs"
                    fix = '{"matcher": …, "hooks": [{"type": "command", "command": …}]}'
                    yield Spot(file.name, file.line(group), what, fix)


def unmatched(inputs: Inputs) -> Iterator[Spot]:
    """Matchers that match the name of nothing, or that no client can read."""
    told = tuple(bad_matchers(inputs))
    yield from told
    seen: set[int] = set()
    for entry in inputs.hooks():
        matcher = entry.group.member("matcher")
        text = matcher.value.data if matcher else None
        if matcher is None or not isinstance(text, str) or id(entry.group) in seen:
            continue
        seen.add(id(entry.group))
        # Of one that the settings check has found, another word would only be noise.
        begin = f"hooks.{entry.event}.matcher = {json.dumps(text, ensure_ascii=False)}:"
        if any(each.file == entry.file.name and each.what.startswith(begin) for each in told):
            continue
        known = TOOLS if entry.event in _ABOUT_TOOLS else _WORDS.get(entry.event, ())
        for what, fix, level in _faults(text, known, entry.event):
            place = f"hooks.{entry.event}.matcher = {text!r}"
            yield Spot(entry.file.name, entry.file.line(matcher), f"{place}: {what}", fix, level)


def _faults(matcher: str, known: tuple[str, ...], event: str) -> Iterator[tuple[str, str, Level]]:
    if not known or matcher in {"", "*"}:
        return
    if not _PLAIN.fullmatch(matcher):
        yield from _expression_fault(matcher, known, event)
        return
    words = [word.strip() for word in re.split(r"[|,]", matcher) if word.strip()]
    for word in words:
        if word in known or word.startswith("mcp__"):
            continue
        # Another case is certainly no tool; another name may be one of a newer client.
        same = next((name for name in known if name.lower() == word.lower()), "")
        level = Level.ERROR if same or len(words) == 1 else Level.WARNING
        what = f"nothing is called {word!r}"
        yield what, f"write {same!r}" if same else _nearest(word, known), level


def _expression_fault(
    matcher: str, known: tuple[str, ...], event: str
) -> Iterator[tuple[str, str, Level]]:
    try:
        found = re.compile(matcher.replace("mcp__*", "mcp__.*"))
    except re.error:
        return  # A finding of the settings check.
    names = (*known, _SAMPLE) if event in _ABOUT_TOOLS else known
    if "mcp__" not in matcher and not any(found.search(name) for name in names):
        yield "it matches the name of nothing", _nearest(matcher, known), Level.ERROR


def wrong_unit(inputs: Inputs) -> Iterator[Spot]:
    """Timeouts that were meant in milliseconds."""
    for entry in inputs.hooks():
        timeout = entry.value.member("timeout")
        value = timeout.value.data if timeout else None
        if timeout is None or isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        rounded = value >= _SUSPECT_MS and value % 500 == 0
        if value > LONGEST_TIMEOUT or rounded:
            what = f"hooks.{entry.event}: a timeout of {value:g} seconds is {_span(value)}"
            level = Level.ERROR if value > LONGEST_TIMEOUT else Level.WARNING
            fix = f"timeouts are in seconds: write {value / 1000:g}"
            yield Spot(entry.file.name, entry.file.line(timeout), what, fix, level)


def dead_hooks(inputs: Inputs) -> Iterator[Spot]:
    """Hooks whose program, script or interpreter is not there; one program of a file once."""
    dead: dict[tuple[str, str], list[HookEntry]] = {}
    for entry in inputs.hooks():
        fault = _dead(entry, inputs)
        if fault:
            dead.setdefault((entry.file.name, fault), []).append(entry)
    for (name, fault), entries in dead.items():
        events = list(dict.fromkeys(entry.event for entry in entries))
        more = f" and {len(events) - 1} more events" if len(events) > 1 else ""
        what = f"hooks.{events[0]}{more}: {fault}"
        fix = "put it there, or take the hook out; on most clients a dead hook lets calls pass"
        level = Level.ERROR if GUARD_EVENTS & set(events) else Level.WARNING
        yield Spot(name, entries[0].file.line(entries[0].value), what, fix, level)


def open_guards(inputs: Inputs) -> Iterator[Spot]:
    """Hooks of others on a guard event that let the call pass when they fail."""
    for entry in inputs.hooks():
        kind = entry.data.get("type")
        # `is_ours` entries are held to what `init` writes, by a check of their own.
        if entry.event != "PreToolUse" or kind not in {"command", "http"} or is_ours(entry.data):
            continue
        if entry.data.get("async") is True:
            what = "hooks.PreToolUse: an asynchronous hook can stop nothing"
            fix = 'take "async" out, if it is meant to guard'
            yield Spot(entry.file.name, entry.file.line(entry.value), what, fix)
        elif entry.data.get("onFailure") != "block":
            what = "hooks.PreToolUse: when this hook crashes, hangs or is gone, the call passes"
            fix = '"onFailure": "block", if it is meant to guard'
            yield Spot(entry.file.name, entry.file.line(entry.value), what, fix, Level.NOTE)


def _dead(entry: HookEntry, inputs: Inputs) -> str:
    command, args = entry.data.get("command"), entry.data.get("args")
    if entry.data.get("type") != "command" or not isinstance(command, str):
        return ""
    if isinstance(args, list):
        return _program_fault(_filled(command, inputs), inputs)
    # A shell line: only one plain command can be followed.
    return "" if re.search(r"[;&|<>()`\n]", command) else _dead_line(command, inputs)


def _dead_line(command: str, inputs: Inputs) -> str:
    unset = [name for name in _VARIABLE.findall(command) if not _is_set(name, inputs)]
    if unset:
        return f"the variable {unset[0]} is set nowhere: {command}"
    try:
        words = [os.path.expanduser(word) for word in shlex.split(_filled(command, inputs))]  # noqa: PTH111
    except ValueError as error:
        return f"the shell cannot read it ({error}): {command}"
    while words and re.match(r"\w+=", words[0]):
        words.pop(0)
    words = words[1:] if words[:1] == ["exec"] else words
    if not words or _VARIABLE.search(words[0]):
        return ""
    return _program_fault(words[0], inputs) or _script_fault(words, inputs)


def _program_fault(program: str, inputs: Inputs) -> str:
    if _VARIABLE.search(program):
        return ""
    if "/" not in program:
        folders = inputs.environ.get("PATH", os.defpath).split(":")
        builtin = program in {"true", "false", "echo", "exit", ":", "printf", "cd", "test", "["}
        there = builtin or any(os.access(Path(folder, program), os.X_OK) for folder in folders)
        return "" if there else f"the program {program} is not on the PATH"
    path = Path(inputs.repository, program)
    if not path.exists():
        return f"{path} is not there"
    if not path.is_file() or not os.access(path, os.X_OK):
        return f"{path} is not executable (chmod +x {path})"
    return _interpreter_fault(path, inputs)


def _interpreter_fault(path: Path, inputs: Inputs) -> str:
    """Return what is wrong with the program that a script's first line names."""
    try:
        with path.open("rb") as file:
            first = file.readline(512)
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if not first.startswith(b"#!"):
        return ""
    words = first[2:].decode("utf-8", "replace").split()
    if words and words[0].endswith("/env"):
        words = [word for word in words[1:] if not word.startswith("-")]
    if not words:
        return f"{path} names no interpreter behind #!"
    fault = _program_fault(words[0], inputs) if words[0] != str(path) else ""
    return f"the interpreter of {path}: {fault}" if fault else ""


def _script_fault(words: list[str], inputs: Inputs) -> str:
    """Return what is wrong with the script that an interpreter is given."""
    if _RUNNERS.search(words[0]) and words[1:2] == ["run"]:
        # What has no suffix may be a program of the project's environment, or a named task.
        scripts = [word for word in words[2:] if Path(word).suffix in _SCRIPTS][:1]
        gone = [path for path in (Path(inputs.repository, word) for word in scripts)
                if not _VARIABLE.search(str(path)) and not path.exists()]  # fmt: skip
        return f"{gone[0]} is not there" if gone else ""
    if not _INTERPRETERS.search(words[0]) or _INLINE & set(words[1:]):
        return ""
    rest = iter(words[1:])
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            path = Path(inputs.repository, word)
            return "" if _VARIABLE.search(word) or path.exists() else f"{path} is not there"
    return ""


def _filled(text: str, inputs: Inputs) -> str:
    values = {"CLAUDE_PROJECT_DIR": str(inputs.repository), "HOME": str(inputs.home)}
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def _is_set(name: str, inputs: Inputs) -> bool:
    if name in _OWN_VARIABLES or name.startswith("CLAUDE_") or name in inputs.environ:
        return True
    return any(file.member("env", name) is not None for file in inputs.settings)


def _nearest(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"write {close[0]!r}" if close else f"take it out, or name one: {', '.join(known[:9])}"


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.0f} minutes"
