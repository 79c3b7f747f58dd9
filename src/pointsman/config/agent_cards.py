"""What an agent's frontmatter says of its tools, its model and what it is for."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pointsman.model.contract import AgentCard

Report = Callable[[str, Any, str, str], None]
CARD_KEYS = ("tools", "disallowedTools", "model", "isolation")
_SPAWNING = frozenset({"Agent", "Task"})
_ENTRY = re.compile(r"\s*([^\s,()]+)\s*(?:\(([^()]*)\))?\s*(?:,|\s|$)\s*")
_PLAIN = re.compile(r"[A-Za-z*][\w.:*?-]*")
_LONGEST = 400


def card(name: str, source: str, declared: Mapping[str, Any], report: Report) -> AgentCard:
    """Return what a declaration says of an agent; what is wrong is reported, and closes it."""
    found: list[str] = []

    def wrong(key: str, value: Any, message: str, fix: str) -> None:
        found.append(f"{key}: {message}")
        report(key, value, message, fix)

    tools, spawns = _tools("tools", declared.get("tools"), wrong)
    disallowed, _ = _tools("disallowedTools", declared.get("disallowedTools"), wrong)
    return AgentCard(
        name=name,
        source=source,
        description=_short(declared.get("description")),
        model=_text("model", declared, wrong),
        # What cannot be read leaves nothing: a list with a mistake in it must not read as "all".
        tools=() if found and declared.get("tools") is not None else tools,
        disallowed=disallowed or (),
        spawns=spawns,
        isolation=_text("isolation", declared, wrong),
        problems=tuple(found),
    )


def _tools(
    key: str, value: Any, wrong: Report
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return the patterns in a list of tools, and the agents that ``Agent(…)`` in it names."""
    if value is None:
        return None, None
    listed = _entries(value)
    if listed is None:
        wrong(key, value, "it is no list of tools", "write Read, Grep or a list of names")
        return (), None
    names: dict[str, None] = {}
    spawns: list[str] | None = None
    for name, inner in listed:
        if not _PLAIN.fullmatch(name):
            wrong(key, name, "it is no name of a tool", "write Read, Bash or mcp__server__tool")
            continue
        names[name] = None
        if name in _SPAWNING and inner:
            spawns = (spawns or []) + [each.strip() for each in inner.split(",") if each.strip()]
    return tuple(names), None if spawns is None else tuple(spawns)


def _entries(value: Any) -> list[tuple[str, str]] | None:
    """Return each tool of a text with commas, or of a list, with what stands in its brackets."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return None
    found: list[tuple[str, str]] = []
    for text in texts:
        at = 0
        stripped = text.strip()
        while at < len(stripped):
            entry = _ENTRY.match(stripped, at)
            if entry is None:
                return None
            found.append((entry[1], entry[2] or ""))
            at = entry.end()
    return found


def _text(key: str, declared: Mapping[str, Any], wrong: Report) -> str:
    value = declared.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    wrong(key, value, "it is no text", "write it in quotes")
    return ""


def _short(value: Any) -> str:
    """Return a description on one line: it is shown, and nothing is decided by it."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
