"""The enricher that tells an agent whose words "Read-only file system" are.

The kernel refuses without a reason. An agent that does not know it looks for a fault in the
machine, and for a way around it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pointsman.hooks.briefing import lines_of
from pointsman.hooks.kit import Kit
from pointsman.hooks.shell_writes import SHELL_TOOLS
from pointsman.hooks.spawn import bound
from pointsman.model.decision import Decision, inject
from pointsman.model.event import Event, ToolEvent
from pointsman.model.events import PostToolUse, PostToolUseFailure
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy

NAME = "kernel-refusal"
RULE = "sandbox.refused"
_READ_ONLY = re.compile(r"read-only file system|\bEROFS\b", re.IGNORECASE)
_OR_DENIED = re.compile(
    r"read-only file system|permission denied|\b(EROFS|EACCES)\b", re.IGNORECASE
)
"""Landlock refuses with the same word as a file's mode does."""
_MOST_TEXT = 100_000
_MOST_LINES = 5
_LONGEST = 200


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the enricher for the contracts of this policy."""

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        writable = kit.writable(event)
        if writable is None or not isinstance(event, ToolEvent):
            return None
        words = _OR_DENIED if "~/" in writable else _READ_ONLY
        refused = list(_refused(event, words))
        contracts = bound(policy, event.identity.agent)
        if not refused or not contracts:
            return None
        sources = ", ".join(dict.fromkeys(each.source for each in contracts))
        agreed = "; ".join(dict.fromkeys(line for each in contracts for line in lines_of(each)))
        return inject(
            f"Pointsman: the kernel holds this command to the contract of agent "
            f"{event.identity.agent!r} ({sources}): {agreed}. What it refuses lies outside:\n"
            + "".join(f"- {line}\n" for line in refused)
            + "Nothing there has changed, and no other way of writing it works either. Keep to "
            "what is allowed, and say in your answer what would have to be changed outside of it; "
            "a person can widen the contract.",
            rule=RULE,
        )

    events = frozenset({PostToolUse.KIND, PostToolUseFailure.KIND})
    return Hook(name=NAME, role=Role.ENRICHER, run=run, events=events, tools=SHELL_TOOLS)


def _refused(event: ToolEvent, words: re.Pattern[str]) -> Iterator[str]:
    """Yield the lines of the output that tell of a refusal, each once."""
    seen: set[str] = set()
    for text in _texts(event):
        for found in words.finditer(text[-_MOST_TEXT:]):
            line = _line_at(text[-_MOST_TEXT:], found.start())
            if line not in seen:
                seen.add(line)
                yield line
            if len(seen) == _MOST_LINES:
                return


def _line_at(text: str, at: int) -> str:
    start = max(text.rfind("\n", 0, at) + 1, at - _LONGEST)
    end = text.find("\n", at)
    return text[start : min(len(text) if end < 0 else end, start + 2 * _LONGEST)].strip()


def _texts(event: ToolEvent) -> Iterator[str]:
    if isinstance(event, PostToolUseFailure):
        yield event.error
    if isinstance(event, PostToolUse):
        given: Any = event.tool_response
        values = given.values() if isinstance(given, Mapping) else (given,)
        yield from (each for each in values if isinstance(each, str))
