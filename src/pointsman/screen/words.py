"""How things are written on the screen: symbols beside colours, short numbers, nothing that acts.

What agents write is foreign text: control characters in it would act on the terminal, and markup
on the screen, so that neither gets there.
"""

import json
from datetime import UTC, datetime
from typing import Any

SYMBOLS = {
    "deny": ("✖", "red"), "ask": ("?", "yellow"), "modify": ("✎", "magenta"),
    "allow": ("✔", "green"), "none": ("·", ""), "failed": ("!", "red"),
}  # fmt: skip
"""Each decision has a sign of its own: colour alone says nothing to many people."""
STATES = {"works": ("●", "green"), "waits": ("◐", "yellow"), "over": ("○", ""),
          "silent": ("◌", ""), "stopped": ("■", "red")}  # fmt: skip
SEVERITIES = {"critical": ("▲", "red"), "warning": ("△", "yellow")}
ALERTS = {"critical": ("▲", "red"), "warning": ("△", "yellow"), "escalated": ("⇧", "red"),
          "acknowledged": ("✓", "green")}  # fmt: skip
FAILED = frozenset({"PostToolUseFailure", "StopFailure"})


def verdict(row: dict[str, Any]) -> str:
    """Return what became of an event: its decision, or that it failed."""
    decision = str(row.get("decision", "none"))
    return "failed" if decision == "none" and row.get("event") in FAILED else decision


def plain(text: object, most: int = 400) -> str:
    """Return foreign text in one line, without a character that acts on a terminal."""
    cut = str(text)[:most]
    return "".join(char if char.isprintable() else "␣" if char in "\n\t" else "�" for char in cut)


def lines(text: str) -> str:
    """Return foreign text with its own lines, and nothing else that acts."""
    return "\n".join(plain(line, 2000) for line in text.splitlines())


def clock(at_ms: int) -> str:
    """Return the time of day here."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%H:%M:%S")


def age(ms: int) -> str:
    """Return how long ago, in at most four characters."""
    seconds = max(0, ms // 1000)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def count(number: int) -> str:
    """Return a number in at most five characters."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            value = number / size
            return f"{value:.1f}{unit}" if value < 100 else f"{value:.0f}{unit}"
    return str(number)


def money(usd_nano: int, unpriced: int) -> str:
    """Return dollars; with a plus where something has no price, and ``?`` where nothing has one."""
    if unpriced and not usd_nano:
        return "?"
    return f"${usd_nano / 1e9:,.2f}{'+' if unpriced else ''}"


def bar(share: float, width: int = 10) -> str:
    """Return a share of something as a bar."""
    full = max(0, min(width, round(share * width)))
    return "█" * full + "░" * (width - full)


def whole(record: dict[str, Any]) -> str:
    """Return a whole record to read: each field, JSON laid open."""
    out = []
    for key, value in record.items():
        if value in (None, "", [], {}):
            continue
        if isinstance(value, str) and value[:1] in "{[":
            value = _opened(value)  # noqa: PLW2901 - what is shown of it
        if isinstance(value, str):
            text = lines(value) if "\n" in value else plain(value, 20_000)
        else:
            text = lines(json.dumps(value, indent=2, ensure_ascii=False))
        out.append(
            f"{key}\n  " + text.replace("\n", "\n  ") if "\n" in text else f"{key:<16} {text}"
        )
    return "\n".join(out)


def _opened(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
