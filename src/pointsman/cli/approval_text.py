"""Approvals as a person reads them, and as a program does."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pointsman.asked import as_json, state_of
from pointsman.engine.fatigue import FAST_S, FAST_SHARE, FEWEST, YES_SHARE, Fatigue
from pointsman.model.approval import NOT_KNOWN, Approval, Moment, State, Transition
from pointsman.store.query import iso

__all__ = ["as_json", "harmless", "line", "stats_text", "whole"]
_MOST_SHOWN = 100


def line(one: Approval, now: Moment) -> str:
    """Return an approval as one line."""
    reach = ", ".join(one.risk.reach) or NOT_KNOWN
    age = span((now.wall_ns - one.created_ns) / 1e9)
    return harmless(
        f"{one.id}  {state_of(one, now).value:<12} {age:>7} ago  {one.binding.agent:<12} "
        f"{one.binding.tool}: {_what(one.input)}  [{one.rule}; reach: {reach}; "
        f"reversible: {one.risk.reversible}]"
    )


def whole(one: Approval, history: Sequence[Transition], now: Moment) -> str:
    """Return an approval with everything that a person needs to decide."""
    bound, risk = one.binding, one.risk
    rows = [
        ("approval", f"{one.id}, {state_of(one, now).value}"),
        ("asked by", f"{bound.agent} in session {one.session} ({bound.host})"),
        ("where", bound.cwd + (f", in {bound.repository}" if bound.repository else "")),
        (
            "requests",
            f"{one.requests}, the first {span((now.wall_ns - one.created_ns) / 1e9)} ago",
        ),
        ("rule", f"{', '.join(bound.rules)} ({one.hook})"),
        ("why", one.reason),
        ("reversible", risk.reversible),
        ("reach", ", ".join(risk.reach) or NOT_KNOWN),
        ("cost", risk.cost),
        ("rollback", risk.rollback),
        ("good for", _good_for(one)),
        ("arguments", f"sha256 {bound.digest}" + (" (only the beginning is shown)" * one.cut)),
    ]
    lines = [f"{name:<11}{text}" for name, text in rows]
    lines += ["", f"{bound.tool} would be called with:", _pretty(one.input)]
    if one.modified is not None:
        lines += ["", "and a person has put in its place:", _pretty(one.modified)]
    lines += ["", "history:"]
    lines += [f"  {iso(each.ns)[:19]}  {each.after}, by {each.by}: {each.text}" for each in history]
    if state_of(one, now) is State.WAITING:
        lines += ["", f"next step: pointsman approvals approve {one.id}"]
        lines += [f"           pointsman approvals deny {one.id} --reason '…'"]
    return harmless("\n".join(lines))


def harmless(text: str) -> str:
    """Return a text that moves no cursor and hides nothing: what cannot be printed is escaped."""
    return "".join(
        each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text
    )


def stats_text(total: Fatigue, each: Mapping[str, Fatigue]) -> str:
    """Return the figures as a table, and what they say."""
    head = (
        "rule",
        "asked",
        "yes",
        "no",
        "open",
        "nobody",
        "unknown",
        "yes share",
        "median",
        "fast",
    )
    rows = [head, *(_figures(rule, one) for rule, one in each.items()), _figures("all", total)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) if not n else cell.rjust(width)
                  for n, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]  # fmt: skip
    if total.unseen:
        lines.append(f"{total.unseen} were approved without a look at the whole (approvals show)")
    stamped = [rule for rule, one in each.items() if one.rubber_stamp]
    if total.rubber_stamp or stamped:
        lines.append(_warning(stamped))
    return "\n".join(lines)


def _warning(stamped: Sequence[str]) -> str:
    what = ", ".join(stamped) or "the questions together"
    return (
        f"this looks like rubber-stamping: {what} (at least {FEWEST} answers, {YES_SHARE:.0%} of "
        f"them yes, {FAST_SHARE:.0%} of those within {FAST_S:g} s). A question that is always "
        "answered yes unread protects nothing: turn its rule off, narrow it, or make it a denial."
    )


def _figures(rule: str, one: Fatigue) -> tuple[str, ...]:
    counts = (one.requests, one.approved, one.refused, one.open, one.nobody, one.unknown)
    median = "-" if one.median_s is None else f"{one.median_s:.1f} s"
    shares = (_percent(one.approved_share), median, _percent(one.fast_share))
    return (rule, *map(str, counts), *shares)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _good_for(one: Approval) -> str:
    where = "this session" if one.binding.session else "any session of this agent here"
    return f"one call of exactly this in {where}, {one.terms.valid_for / 60:g} minutes from the yes"


def _what(tool_input: Mapping[str, Any]) -> str:
    first = tool_input.get("command") or tool_input.get("file_path") or json.dumps(tool_input)
    text = " ".join(str(first).split())
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"


def _pretty(tool_input: Mapping[str, Any]) -> str:
    return json.dumps(dict(tool_input), indent=2, ensure_ascii=True)


def span(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
