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
from pointsman.agents.claude_settings import EVERY_CALL, event_of, is_ours
from pointsman.agents.json_splice import Element, Value
from pointsman.model.budget import HOST_TIMEOUT
from pointsman.model.events import HOST_EVENTS
from pointsman.model.policy import Problem

LONGEST_TIMEOUT = 3600
"""Seconds; more in a hook's ``timeout`` was most likely meant as milliseconds."""

_IGNORED = "the client ignores the whole file, hooks included"
_NAMES_ONLY = re.compile(r"[\w\s|,*-]*")
_RULE_SYNTAX = re.compile(r"\w+\(.*\)")
_MCP_SERVER_ONLY = re.compile(r"mcp__(?:(?!__)\w)+")


def _is_text_list(data: object) -> bool:
    return isinstance(data, list) and all(isinstance(one, str) for one in data)


def _is_object(data: object) -> bool:
    return isinstance(data, Mapping)


def _is_boolean(data: object) -> bool:
    return isinstance(data, bool)


_SCHEMA: tuple[tuple[tuple[str, ...], Callable[[object], bool], str], ...] = (
    (("permissions",), _is_object, "an object"),
    (("permissions", "allow"), _is_text_list, "a list of texts"),
    (("permissions", "ask"), _is_text_list, "a list of texts"),
    (("permissions", "deny"), _is_text_list, "a list of texts"),
    (("permissions", "additionalDirectories"), _is_text_list, "a list of texts"),
    (("env",), _is_object, "an object"),
    (("hooks",), _is_object, "an object"),
    (("disableAllHooks",), _is_boolean, "true or false"),
    (("allowManagedHooksOnly",), _is_boolean, "true or false"),
)
"""The part of the client's schema that settings get wrong in practice."""


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
    if managed is not None and managed.value.data is True and file.scope == "managed":
        yield file.problem(
            managed,
            "allowManagedHooksOnly",
            "only hooks of the managed settings run",
            "sudo pointsman init --scope managed",
        )


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
                member, f"hooks.{member.key}", f"is not a list; {_IGNORED}", "make it a list"
            )
    for event, group in _groups(file):
        entries = group.member("hooks")
        if entries is None or not isinstance(entries.value.data, list):
            yield file.problem(
                group, f"hooks.{event}", f"a group without a list 'hooks'; {_IGNORED}", "add one"
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
        if matcher is None or event == "FileChanged" or not isinstance(matcher.value.data, str):
            continue
        wrong = _matcher_fault(matcher.value.data)
        if wrong is not None:
            key = f"hooks.{event}.matcher"
            yield file.problem(matcher, key, f"{wrong[0]}: its hooks never run", wrong[1])


def _matcher_fault(matcher: str) -> tuple[str, str] | None:
    if _RULE_SYNTAX.fullmatch(matcher):
        return "is a permission rule, not a tool's name", "put the name here, the rule into 'if'"
    if _MCP_SERVER_ONLY.fullmatch(matcher):
        return "names a server, and no tool is called that", f"write {matcher}__*"
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
            if not is_ours(element.value.data):
                yield from _entry_faults(file, event, element.value)


def _entry_faults(file: _File, event: str, entry: Value) -> Iterator[Problem]:
    data = entry.data
    if not isinstance(data, Mapping) or (data.get("type") == "command" and "command" not in data):
        yield file.problem(
            entry,
            f"hooks.{event}",
            "a hook without its command: none of this event's hooks runs, ours included",
            "give it a command or take it out",
        )
        return
    timeout = entry.member("timeout")
    if timeout is None:
        return
    seconds: Any = timeout.value.data
    key = f"hooks.{event}.timeout"
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds <= 0:
        yield file.problem(timeout, key, "is not a positive number of seconds", "correct it")
    elif seconds > LONGEST_TIMEOUT:
        fix = f"write {seconds / 1000:g} if you meant milliseconds"
        yield file.problem(timeout, key, "timeouts are in seconds: this is hours", fix)


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
                    yield file.problem(element, f"hooks.{event}", f"our hook {weakness}", fix)


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
    if event in GUARDS and failure_blocks(version) and entry.get("onFailure") != "block":
        yield 'lacks onFailure = "block": the call passes when it fails'
    if entry.get("timeout") != HOST_TIMEOUT:
        yield f"has another timeout than the {HOST_TIMEOUT} seconds that its own deadline fits in"


_CHECKS: tuple[Callable[[_File], Iterable[Problem]], ...] = (
    _switches,
    _schema_errors,
    _shape_errors,
    _matchers,
    _entries,
)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
