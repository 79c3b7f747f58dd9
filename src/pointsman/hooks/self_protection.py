"""The guard that keeps Pointsman itself out of an agent's reach.

Settings, contracts, hooks, the record and the daemon: an agent that could change these could
switch off whatever else stops it. What a person does in a terminal of their own is no matter.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pointsman.hooks.edits import written_paths
from pointsman.hooks.kept import NAME, SHEETS, Keep
from pointsman.hooks.kit import Kit
from pointsman.hooks.own_keys import reads_key
from pointsman.hooks.self_commands import denied, judge_command
from pointsman.hooks.shell_writes import SHELL_TOOLS
from pointsman.model.decision import Cause, Decision, deny
from pointsman.model.event import Event
from pointsman.model.events import ConfigChange, PreToolUse
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.paths.canonical import readings

__all__ = ["NAME", "hook"]

_READING = (
    "read",
    "get",
    "list",
    "search",
    "find",
    "stat",
    "view",
    "info",
    "tree",
    "show",
    "query",
)
"""How the tools of a server that only look begin."""
_MOST_VALUES = 2000


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the files of this policy and of this machine."""
    places, fault = kit.places, kit.fault

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        keep = Keep(
            policy, places, event.identity.cwd or "/", event.host_config, event.identity.agent
        )
        if isinstance(event, ConfigChange):
            return _veto(fault(event, keep.home))
        if isinstance(event, PreToolUse):
            return _call(event, keep)
        return _edit(event, keep)

    events = frozenset({"PreEdit", "PreToolUse", "ConfigChange"})
    return Hook(name=NAME, role=Role.GUARD, run=run, events=events)


def _veto(fault: str) -> Decision | None:
    if not fault:
        return None
    text = (
        f"the change of settings is not applied: {fault}. A person who means it ends the session "
        "and types: pointsman uninstall"
    )
    return deny(text, rule="self.veto")


def _edit(event: Event, keep: Keep) -> Decision | None:
    for written in written_paths(event, keep.policy.mcp_writers):
        decision = _written(written, event, keep)
        if decision is not None:
            return decision
    return None


def _written(written: str, event: Event, keep: Keep) -> Decision | None:
    named = os.path.normpath(written.replace("\0", "\ufffd"))
    if not named.startswith("/"):
        named = os.path.normpath(f"{event.identity.cwd}/{named}")
    for where in readings(written, event.identity.cwd):
        rule = keep.rule_of(where.path) or keep.rule_of(named)
        if not rule and where.links > 1 and _is_linked(where.identity, keep):
            rule = "self.settings"
        if rule:
            return denied(rule, f"{event.tool} would change {where.path}")
        if where.unresolved and not written.startswith("/"):
            text = f"{event.tool} changes {written[:120]!r}, which cannot be resolved: "
            return denied("self.unverified", text + where.unresolved, Cause.UNVERIFIED)
    return None


def _is_linked(identity: tuple[int, int] | None, keep: Keep) -> bool:
    """Whether a file with several names is one of those that are kept."""
    named = (".claude/settings.json", ".claude/settings.local.json")
    known = [*keep.policy.files, *(f"{holder}/{name}" for holder in keep.holders for name in named)]
    known += [str(each) for holder in keep.holders for each in Path(holder).glob(SHEETS)]
    places = keep.places
    kept = (places.ledger, places.approvals, places.trust, places.prices, places.user_config)
    known += [str(path) for path in kept]
    for name in known:
        try:
            found = os.stat(name)  # noqa: PTH116 - a handful of stats, only for hard links
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == identity:
            return True
    return False


def _call(event: PreToolUse, keep: Keep) -> Decision | None:
    return reads_key(event, keep, _runs_shell(event.tool_name)) or _change(event, keep)


def _change(event: PreToolUse, keep: Keep) -> Decision | None:
    command = event.tool_input.get("command")
    if isinstance(command, str) and _runs_shell(event.tool_name):
        return judge_command(command, keep)
    return _foreign(event, keep) if event.tool_name.startswith("mcp__") else None


def _runs_shell(tool: str) -> bool:
    return tool in SHELL_TOOLS or tool.startswith("mcp__")


def _foreign(event: PreToolUse, keep: Keep) -> Decision | None:
    """Stop a tool of a server that is given a kept path, unless by its name it only looks."""
    if event.tool_name.rpartition("__")[2].startswith(_READING):
        return None
    for value in _texts(event.tool_input):
        if len(value) > 4096 or any(char.isspace() for char in value):
            continue
        for where in readings(value.removeprefix("file://"), event.identity.cwd):
            rule = keep.rule_of(where.path)
            if rule:
                return denied(rule, f"{event.tool_name} is given {where.path}", Cause.UNVERIFIED)
    return None


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in a tool's input, however deep they lie."""
    todo: list[object] = [value]
    for _ in range(_MOST_VALUES):
        if not todo:
            return
        current = todo.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, Mapping):
            todo += current.values()
        elif isinstance(current, list):
            todo += current
