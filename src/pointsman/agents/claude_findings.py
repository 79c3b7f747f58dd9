"""What in Claude Code's settings turns our hooks off, or somebody else's.

Everything is a ``Problem`` with its file and line; nothing here refuses anything.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

from pointsman.agents import json_splice
from pointsman.agents.claude_events import (
    EVENTS,
    FAILURE_BLOCKS_SINCE,
    GUARDS,
    Version,
    fails_open,
    failure_blocks,
    version_text,
)
from pointsman.agents.claude_seam import VARIABLE, argv_of
from pointsman.agents.claude_settings import EVERY_CALL, event_of, is_ours
from pointsman.agents.json_splice import Element, Value
from pointsman.model.budget import HOST_TIMEOUT
from pointsman.model.events import HOST_EVENTS
from pointsman.model.policy import Problem

LONGEST_TIMEOUT = 3600
"""Seconds; more in a hook's ``timeout`` was most likely meant as milliseconds."""

_IGNORED = "the client ignores the whole file, hooks included"
_SILENT = "none of this event's hooks runs, ours included"
_OURS = "our hook "
_ELSEWHERE = "leads our hooks away from this user's own state, settings or program"
_UNGATED = "shell commands do not pass the second gate: another program stands before them"
_LEADING = re.compile(r"POINTSMAN_\w+|HOME|XDG_(STATE|CONFIG)_HOME|LD_\w+|DYLD_\w+|PYTHON\w*")
"""Variables that the client or the daemon that it starts would go by (measured: the host gives
what stands in ``env`` of any settings file to its hooks)."""
_NAMES_ONLY = re.compile(r"[\w\s|,*-]*")
_RULE_SYNTAX = re.compile(r"\w+\(.*\)")
_MCP_SERVER_ONLY = re.compile(r"mcp__(?:(?!__)\w)+")


def _is_text_list(data: object) -> bool:
    return isinstance(data, list) and all(isinstance(one, str) for one in data)


def _is_object(data: object) -> bool:
    return isinstance(data, Mapping)


def _is_list(data: object) -> bool:
    return isinstance(data, list)


def _is_text(data: object) -> bool:
    return isinstance(data, str)


def _is_boolean(data: object) -> bool:
    return isinstance(data, bool)


def _is_days(data: object) -> bool:
    return _is_seconds(data) and isinstance(data, int)


def _is_seconds(data: object) -> bool:
    return isinstance(data, (int, float)) and not isinstance(data, bool) and data > 0


def _is_mode(data: object) -> bool:
    return data in _MODES


_TYPES = ("command", "http", "mcp_tool", "prompt", "agent")
_NEEDS = {"command": "command", "http": "url", "prompt": "prompt"}
"""What a hook of this type cannot do without."""

_MODES = ("default", "manual", "acceptEdits", "plan", "auto", "dontAsk", "bypassPermissions")
_SCHEMA: tuple[tuple[tuple[str, ...], Callable[[object], bool], str], ...] = (
    (("permissions",), _is_object, "an object"),
    (("permissions", "allow"), _is_list, "a list of texts"),
    (("permissions", "ask"), _is_list, "a list of texts"),
    (("permissions", "deny"), _is_list, "a list of texts"),
    (("permissions", "additionalDirectories"), _is_list, "a list of texts"),
    (("permissions", "defaultMode"), _is_mode, f"one of {', '.join(_MODES)}"),
    (("env",), _is_object, "an object"),
    (("hooks",), _is_object, "an object"),
    (("disableAllHooks",), _is_boolean, "true or false"),
    (("allowManagedHooksOnly",), _is_boolean, "true or false"),
    (("includeCoAuthoredBy",), _is_boolean, "true or false"),
    (("model",), _is_text, "a text"),
    (("outputStyle",), _is_text, "a text"),
    (("language",), _is_text, "a text"),
    (("apiKeyHelper",), _is_text, "a text"),
    (("cleanupPeriodDays",), _is_days, "a number of days"),
    (("statusLine",), _is_object, "an object"),
    (("sandbox",), _is_object, "an object"),
    (("enabledPlugins",), _is_object, "an object"),
)
"""The part of the client's schema that settings get wrong in practice, measured with 2.1.330: a
value of another kind, live, and no hook of the file runs any more."""

_ENTRY_SHAPES: tuple[tuple[str, Callable[[object], bool], str], ...] = (
    ("type", lambda data: data in _TYPES, f"one of {', '.join(_TYPES)}"),
    ("command", _is_text, "a text"),
    ("args", _is_text_list, "a list of texts"),
    ("if", _is_text, "a text"),
    ("statusMessage", _is_text, "a text"),
    ("timeout", _is_seconds, "a positive number of seconds"),
    ("onFailure", lambda data: data in ("block", "continue"), "block or continue"),
    ("async", _is_boolean, "true or false"),
    ("asyncRewake", _is_boolean, "true or false"),
    ("once", _is_boolean, "true or false"),
)
"""What the client insists on in a hook, whoever's; a fault silences the event, and no other."""


@dataclass(frozen=True, slots=True)
class _File:
    """One settings file, read; makes the problems of its own."""

    name: str
    scope: str
    text: str
    root: Value

    def problem(self, at: Value | Element, key: str, message: str, fix: str) -> Problem:
        value = at.value if isinstance(at, Element) else at
        return Problem(
            file=self.name,
            line=self.text.count("\n", 0, at.start) + 1,
            key=key,
            value=_short(self.text[value.start : value.end]),
            message=message,
            fix=fix,
        )


def findings(
    texts: Mapping[str, tuple[str, bytes | None]], version: Version | None
) -> tuple[Problem, ...]:
    """Return what is wrong in the settings of every scope, and with the client's version.

    ``texts`` maps a scope to the file's name and its bytes (``None``: there is no such file).
    """
    problems = list(_version_problems(version))
    for scope, (name, data) in texts.items():
        if data is None:
            continue
        file = _read(name, scope, data)
        if isinstance(file, Problem):
            problems.append(file)
        else:
            problems += [found for check in _CHECKS for found in check(file)]
            problems += _weakened(file, version)
    return tuple(problems)


def ignores_file(problem: Problem) -> bool:
    """Whether the client takes no notice of the file at all because of this."""
    return _IGNORED in problem.message


def silences(problem: Problem) -> bool:
    """Whether no hook of the event in ``problem.key`` (``hooks.EVENT…``) runs because of this."""
    return _SILENT in problem.message


def weakens(problem: Problem) -> bool:
    """Whether this is a hook of ours that says less than ``init`` writes."""
    return problem.message.startswith(_OURS)


def leads_away(problem: Problem) -> bool:
    """Whether this makes our client look for its daemon, state or settings somewhere else."""
    return problem.message == _ELSEWHERE


def _version_problems(version: Version | None) -> Iterator[Problem]:
    if fails_open(version):
        yield Problem(
            file="claude",
            line=0,
            key="version",
            value=version_text(version),
            message="a guard that fails lets the call pass: " + "; ".join(fails_open(version)),
            fix=f"update it to {version_text(FAILURE_BLOCKS_SINCE)} or later: claude update",
        )


def _read(name: str, scope: str, data: bytes) -> _File | Problem:
    try:
        text = data.decode()
        root = json_splice.parse(text)
    except UnicodeDecodeError as error:
        line, what = data.count(b"\n", 0, error.start) + 1, f"not UTF-8: {error.reason}"
    except JSONDecodeError as error:
        line, what = error.lineno, f"not JSON: {error.msg}"
    else:
        file = _File(name, scope, text, root)
        if isinstance(root.data, dict):
            return file
        return file.problem(root, "", f"not an object; {_IGNORED}", "write one")
    return Problem(
        file=name,
        line=line,
        key="",
        value="",
        message=f"{what}; {_IGNORED}",
        fix="correct that line",
    )


def _switches(file: _File) -> Iterator[Problem]:
    off = file.root.member("disableAllHooks")
    if off is not None and off.value.data is True:
        reach = "every hook" if file.scope == "managed" else "every hook that is not managed"
        yield file.problem(off, "disableAllHooks", f"turns {reach} off, ours too", "take it out")
    managed = file.root.member("allowManagedHooksOnly")
    # The switch is the machine's alone: in any other file it switches nothing.
    if managed is not None and managed.value.data is True and file.scope == "managed":
        yield file.problem(
            managed,
            "allowManagedHooksOnly",
            "only hooks of the managed settings run",
            "sudo pointsman init --scope managed",
        )


def _environment(file: _File) -> Iterator[Problem]:
    env = file.root.member("env")
    for member in env.value.elements if env else ():
        if _LEADING.fullmatch(str(member.key)):
            yield file.problem(member, f"env.{member.key}", _ELSEWHERE, "take it out")
        elif member.key == VARIABLE and argv_of(member.value.data) is None:
            yield file.problem(member, f"env.{VARIABLE}", _UNGATED, "take it out, or live with it")


def _schema_errors(file: _File) -> Iterator[Problem]:
    for path, holds, wanted in _SCHEMA:
        found = _member(file.root, path)
        if found is not None and not holds(found.value.data):
            yield file.problem(
                found, ".".join(path), f"is not {wanted}; {_IGNORED}", f"make it {wanted}"
            )


def _shape_errors(file: _File) -> Iterator[Problem]:
    hooks = file.root.member("hooks")
    for member in hooks.value.elements if hooks else ():
        if member.key in HOST_EVENTS and not isinstance(member.value.data, list):
            yield file.problem(
                member, f"hooks.{member.key}", f"is not a list: {_SILENT}", "make it a list"
            )
    for event, group in _groups(file):
        entries = group.member("hooks")
        if entries is None or not isinstance(entries.value.data, list):
            yield file.problem(
                group, f"hooks.{event}", f"a group without a list 'hooks': {_SILENT}", "add one"
            )


def _member(root: Value, path: Iterable[str]) -> Element | None:
    found = None
    value = root
    for key in path:
        found = value.member(key)
        if found is None:
            return None
        value = found.value
    return found


def _groups(file: _File) -> Iterator[tuple[str, Value]]:
    hooks = file.root.member("hooks")
    for member in hooks.value.elements if hooks else ():
        if member.key in HOST_EVENTS:
            for element in member.value.elements:
                yield member.key, element.value


def _matchers(file: _File) -> Iterator[Problem]:
    for event, group in _groups(file):
        matcher = group.member("matcher")
        # FileChanged's matcher is a list of file names, not of tools.
        if matcher is None or event == "FileChanged":
            continue
        key = f"hooks.{event}.matcher"
        if not isinstance(matcher.value.data, str):
            yield file.problem(matcher, key, f"is not a text: {_SILENT}", "make it a text")
            continue
        wrong = _matcher_fault(matcher.value.data)
        if wrong is not None:
            yield file.problem(matcher, key, f"{wrong[0]}: its hooks never run", wrong[1])


def _matcher_fault(matcher: str) -> tuple[str, str] | None:
    # First these two: most of them compile as expressions, and match the name of no tool.
    if _RULE_SYNTAX.fullmatch(matcher):
        return "is a permission rule, not a tool's name", "put the name here, the rule into 'if'"
    if _MCP_SERVER_ONLY.fullmatch(matcher):
        return "names a server, and no tool is called that", f"write {matcher}__*"
    # Names and wildcards are no expressions: a lone `*` would not compile as one.
    if _NAMES_ONLY.fullmatch(matcher):
        return None
    try:
        # Named groups are the one construct in use that JavaScript spells in another way.
        re.compile(matcher.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!"))
    except re.error as error:
        return f"is not a valid regular expression ({error})", "correct it"
    return None


def _entries(file: _File) -> Iterator[Problem]:
    for event, group in _groups(file):
        entries = group.member("hooks")
        for element in entries.value.elements if entries else ():
            # Ours are held to what init writes, by _weakened.
            if not is_ours(element.value.data):
                yield from _entry_faults(file, event, element.value)


def _entry_faults(file: _File, event: str, entry: Value) -> Iterator[Problem]:
    data = entry.data
    key = f"hooks.{event}"
    kind = data.get("type") if isinstance(data, Mapping) else None
    if not isinstance(kind, str) or _NEEDS.get(kind, "type") not in data:
        lacking = _NEEDS.get(kind, "type") if isinstance(kind, str) else "type"
        message = f"a hook without its {lacking}: {_SILENT}"
        yield file.problem(entry, key, message, f"give it a {lacking} or take it out")
        return
    for name, holds, wanted in _ENTRY_SHAPES:
        found = entry.member(name)
        if found is not None and not holds(found.value.data):
            message = f"is not {wanted}: {_SILENT}"
            yield file.problem(found, f"{key}.{name}", message, "correct it")
    timeout = entry.member("timeout")
    seconds: Any = timeout.value.data if timeout else None
    if timeout is not None and _is_seconds(seconds) and seconds > LONGEST_TIMEOUT:
        fix = f"write {seconds / 1000:g} if you meant milliseconds"
        message = "timeouts are in seconds: this is hours"
        yield file.problem(timeout, f"{key}.timeout", message, fix)


def _weakened(file: _File, version: Version | None) -> Iterator[Problem]:
    """Find entries of ours that say less than ``init`` writes.

    Of entries with the same program and arguments the client runs one, the nearest: a repository
    can bring one that takes the teeth out of the user's.
    """
    for event, group in _groups(file):
        entries = group.member("hooks")
        for element in entries.value.elements if entries else ():
            data = element.value.data
            if is_ours(data):
                for weakness in _weaknesses(event, group.data.get("matcher"), data, version):
                    fix = f"pointsman init --scope {file.scope}, or take it out"
                    yield file.problem(element, f"hooks.{event}", _OURS + weakness, fix)


def _weaknesses(
    event: str, matcher: object, entry: Mapping[str, Any], version: Version | None
) -> Iterator[str]:
    row = EVENTS.get(event)
    if row is None or event_of(entry) != event:
        yield "stands at an event that it is not for"
        return
    if row.waits and (entry.get("async") or entry.get("asyncRewake")):
        yield "is asynchronous: the host does not wait for its answer, nor for that in wider scopes"
    if matcher not in EVERY_CALL or "if" in entry:
        yield "is not asked about every call"
    # An older client does not know the field, and init leaves it out there.
    if event in GUARDS and failure_blocks(version) and entry.get("onFailure") != "block":
        yield 'lacks onFailure = "block": the call passes when it fails'
    if entry.get("timeout") != HOST_TIMEOUT:
        yield f"has another timeout than the {HOST_TIMEOUT} seconds that its own deadline fits in"


_CHECKS: tuple[Callable[[_File], Iterable[Problem]], ...] = (
    _switches,
    _environment,
    _schema_errors,
    _shape_errors,
    _matchers,
    _entries,
)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
