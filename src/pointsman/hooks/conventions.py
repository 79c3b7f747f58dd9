"""What is said of an edit that breaks a convention which a person has confirmed.

With ``violation = "context"`` the agent is told, with file and line, and goes on; with ``"deny"``
the edit is stopped. Only what is new in an edit counts. Of a shell command its paths and its
programs are looked at: what it would write into a file cannot be known.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pointsman.hooks.edits import FILE_TOOLS
from pointsman.hooks.kit import Kit
from pointsman.hooks.shell_writes import SHELL_TOOLS
from pointsman.model.convention import Change, Convention, Kind, Violation, line_hash
from pointsman.model.decision import Decision, deny, inject
from pointsman.model.event import Event, ToolEvent
from pointsman.model.events import PreEdit
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.paths.content import read_regular
from pointsman.shell.analyse import analyse

NAME = "conventions"
_MOST_BYTES = 1024 * 1024
_MOST_SHOWN = 5
_MOST_FILES = 64
_MOST_EDITS = 500


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the hook: a guard where violations are denied, else an enricher."""
    denying = policy.guidance.get(NAME, {}).get("violation") == "deny"

    def concerns(event: Event) -> bool:
        # Where a person has confirmed nothing there is nothing to say, and no line on record.
        root = event.identity.repository
        asked = isinstance(event, PreEdit) or event.tool in SHELL_TOOLS
        return asked and bool(root) and bool(kit.conventions.confirmed(root or ""))

    def run(event: Event, context: HookContext) -> Decision | None:
        root = event.identity.repository
        rules = kit.conventions.confirmed(root) if root else ()
        if not root or not rules or not isinstance(event, ToolEvent):
            return None
        if isinstance(event, PreEdit):
            rules = [each for each in rules if each.check.kind is not Kind.COMMAND]
            found = [violation for change in changes(event, root)
                     for violation in (*kit.conventions.broken(rules, change),
                                       *_unsaid(rules, change))]  # fmt: skip
        else:
            found = _of_command(kit, rules, event)
        for each in found:
            context.log("violation", rule=each.convention.id, path=each.path, line=each.line)
        return _said(found, denying=denying) if found else None

    return Hook(
        name=NAME,
        role=Role.GUARD if denying else Role.ENRICHER,
        run=run,
        events=frozenset({"PreEdit", "PreToolUse"}),
        when=concerns,
    )


def _unsaid(rules: Sequence[Convention], change: Change) -> Iterator[Violation]:
    """Yield the rules whose own line an edit would take away: that is no agent's decision."""
    ours = [each for each in rules if each.file == change.path]
    if not ours or change.after is None:
        return
    left = {line_hash(line) for line in change.after.splitlines()}
    for each in ours:
        if each.hash not in left:
            yield Violation(each, change.path, 0, "no longer the line of a confirmed convention")


def _said(found: Sequence[Violation], *, denying: bool) -> Decision:
    lines = [f"- {each}" for each in found[:_MOST_SHOWN]]
    if len(found) > _MOST_SHOWN:
        lines.append(f"- and {len(found) - _MOST_SHOWN} more")
    rule = f"convention.{found[0].convention.id}"
    listed = "\n".join(lines)
    if denying:
        return deny(
            f"this breaks what the project's instructions say:\n{listed}\nMake it without that. "
            "Where it is needed, a person takes the rule back: pointsman conventions forget "
            f"{found[0].convention.id}",
            rule=rule,
        )
    return inject(
        f"This breaks what the project's instructions say; mend it before you go on:\n{listed}",
        rule=rule,
    )


def _of_command(kit: Kit, rules: Sequence[Convention], event: ToolEvent) -> list[Violation]:
    command = event.tool_input.get("command")
    if not isinstance(command, str) or not any(each.check.kind is Kind.COMMAND for each in rules):
        return []
    home = os.environ.get("HOME", "/")
    analysis = analyse(command, cwd=event.identity.cwd or "/", home=home)
    programs = [" ".join((each.program, *each.argv[1:3])) for each in analysis.invocations]
    return list(kit.conventions.commands(rules, programs))


def changes(event: PreEdit, root: str) -> Iterator[Change]:
    """Yield what an edit would do to each file of the repository, as far as its input says."""
    for named in event.files[:_MOST_FILES]:
        path = os.path.normpath(named)
        if not path.startswith(f"{root}/"):
            continue
        name = path[len(root) + 1 :]
        new = not os.path.lexists(path)
        before = "" if new else _text(path)
        if before is not None:
            yield Change(name, before, _after(event.tool_name, event.tool_input, before), new)


def _text(path: str) -> str | None:
    try:
        return read_regular(path, _MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        return None  # A directory, a binary, one that is too large: nobody's convention.


def _after(tool: str, given: Mapping[str, Any], before: str) -> str | None:
    """Return what a file will hold, ``None`` where the input does not say."""
    if tool in SHELL_TOOLS:
        return None
    content = given.get("content")
    if isinstance(content, str):
        return content
    edits = given.get("edits")
    listed = edits if isinstance(edits, list) else [given]
    known = tool in FILE_TOOLS or isinstance(edits, list)
    text, done = before, False
    for edit in listed[:_MOST_EDITS] if known else ():
        text, did = _edited(text, edit)
        done |= did
    return text if done else None


def _edited(text: str, edit: object) -> tuple[str, bool]:
    if not isinstance(edit, Mapping):
        return text, False
    old = edit.get("old_string", edit.get("oldText"))
    new = edit.get("new_string", edit.get("newText"))
    if not isinstance(old, str) or not isinstance(new, str):
        return text, False
    if len(text) + len(new) > 2 * _MOST_BYTES:
        return text, False
    if not old or old not in text:
        return f"{text}\n{new}" if new else text, True
    times = -1 if edit.get("replace_all") is True else 1
    # As often as it fits: a short text that is replaced everywhere can become any length.
    if times == -1 and text.count(old) * len(new) > 2 * _MOST_BYTES:
        return text, False
    return text.replace(old, new, times), True
