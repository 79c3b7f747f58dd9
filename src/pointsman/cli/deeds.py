"""What a shell command does, and which rules of command safety speak, for ``pointsman explain``."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from pointsman.case import Case
from pointsman.hooks.command_safety import NAME, action_of, findings
from pointsman.hooks.packs.all_packs import PACK_OF
from pointsman.hooks.rule import Scene
from pointsman.model.events import PreToolUse
from pointsman.shell.analyse import analyse
from pointsman.shell.effects import UNKNOWN

_MOST = 100
"""Effects and findings that are shown."""


def seen_in(case: Case) -> dict[str, Any]:
    """Return ``effects`` and ``rules`` of a shell command; nothing for any other call."""
    event = case.event
    command = event.tool_input.get("command") if isinstance(event, PreToolUse) else None
    if case.setup is None or not isinstance(command, str):
        return {}
    tuned: Mapping[str, str] = case.setup.policy.guards.get(NAME, {}).get("rules", {})
    home = os.environ.get("HOME", "/")
    cwd = event.identity.cwd or "/"
    analysis = analyse(command, cwd=cwd, home=home)
    effects = dict.fromkeys(
        (each.kind.value, each.path.replace(UNKNOWN, "…"), each.construct)
        for each in analysis.effects[:_MOST]
    )
    rules = []
    for rule, _, found in findings(analysis, Scene(cwd, home)):
        action = action_of(rule, tuned)
        rules.append({
            "rule": f"command.{rule.id}", "pack": PACK_OF[rule.id].removeprefix("pack."),
            "action": action.value if action else "off", "found": found, "why": rule.why,
        })  # fmt: skip
        if len(rules) >= _MOST:
            break
    names = ("kind", "what", "by")
    return {"effects": [dict(zip(names, each, strict=True)) for each in effects], "rules": rules}


def lines_of(seen: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each effect and each rule that speaks."""
    for each in seen.get("effects", ()):
        yield f"  it does      {each['kind']} {each['what']} ({each['by']})".replace("  (", " (")
    for each in seen.get("rules", ()):
        yield f"  rule         {each['rule']} ({each['pack']}, {each['action']}): {each['found']}"
