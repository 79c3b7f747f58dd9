"""What happened in the asking agent's session: denials, hooks, findings, subagents."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from pointsman.mcp.asking import Asked
from pointsman.model.usage import TOKEN_FIELDS, Amount
from pointsman.store import own
from pointsman.store.agent_counts import of_session
from pointsman.store.query import iso
from pointsman.store.usage_query import Chosen, sums

_FAILED = ("crashed", "timed out", "degraded", "skipped")
_LOOPS = frozenset({"repetition", "cycle", "same-error", "no-progress", "churn"})
_CAUSES = {
    "violation": "it breaks a rule: to try it again in other words does not help",
    "unverified": "it could not be verified: put it more plainly, or in smaller steps",
    "failure": "a guard of Pointsman itself failed: a person types: pointsman doctor",
}
_MOST_AGENTS = 200


def denials(asked: Asked) -> tuple[dict[str, Any], list[str]]:
    """Tell what was denied, asked about or changed, and what to do instead."""
    rows = own.stopped(asked.connection, asked.who.session, asked.agents, asked.limit)
    for row in rows:
        row["mine"] = row["agent_id"] == asked.who.agent_id
        row["instead"] = _CAUSES.get(row["cause"] or "", "")
    lines = [_denial(row) for row in rows]
    return {"denials": rows}, lines or ["Nothing was denied, asked about or changed."]


def _denial(row: dict[str, Any]) -> str:
    who = "" if row["mine"] else f" (agent {row['agent']})"
    what = f"{row['tool'] or row['event']} {row['path']}".strip()
    instead = f" What it means: {row['instead']}." if row["instead"] else ""
    return f"{row['time'][11:19]} {row['decision']} {what}{who}: {row['reason']}{instead}"


def hooks(asked: Asked) -> tuple[dict[str, Any], list[str]]:
    """Tell how the hooks of the session's events ran, those that fail first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in own.hooks(asked.connection, asked.who.session):
        hook = found.setdefault(
            (row["hook"], row["role"]),
            {"hook": row["hook"], "role": row["role"], "runs": 0, "failed": 0, "outcomes": {},
             "last_failure": ""},
        )  # fmt: skip
        hook["runs"] += row["runs"]
        hook["outcomes"][row["outcome"]] = row["runs"]
        if row["outcome"] in _FAILED:
            hook["failed"] += row["runs"]
            why = own.reason_of(asked.connection, row["seq"], row["hook"], row["outcome"])
            hook["last_failure"] = f"{row['outcome']}: {why}" if why else row["outcome"]
    rows = sorted(found.values(), key=lambda each: (-each["failed"], each["hook"]))
    failing = [row for row in rows if row["failed"]]
    lines = [f"{row['hook']} ({row['role']}): {row['failed']} of {row['runs']} runs failed, last "
             f"{row['last_failure']}" for row in failing]  # fmt: skip
    whole = f"All {len(rows)} hooks of your session ran well."
    return {"hooks": rows, "failing": len(failing)}, lines or [whole]


def looping(asked: Asked) -> tuple[dict[str, Any], list[str]]:
    """Tell what the detectors have found in the session, and whether the agent goes in circles."""
    rows = own.findings(asked.connection, asked.who.session, asked.agents, asked.limit)
    for row in rows:
        row["mine"] = row["agent_id"] == asked.who.agent_id
    loops = any(row["mine"] and row["detector"] in _LOOPS for row in rows)
    lines = [_found(row) for row in rows]
    if loops:
        lines.insert(0, "Yes: do something else than before, or say that you cannot go on.")
    said = "The detectors have found nothing wrong with your run."
    return {"looping": loops, "findings": rows}, lines or [said]


def _found(row: dict[str, Any]) -> str:
    who = "" if row["mine"] else f" (agent {row['agent']})"
    return f"{row['time'][11:19]} {row['severity']} {row['detector']}{who}: {row['summary']}"


def subagents(asked: Asked) -> tuple[dict[str, Any], list[str]]:
    """Tell of each agent below the asking one what it has done and used."""
    session = asked.who.session
    used = sums(asked.connection, "subagent", Chosen(session=session))
    ended = own.over(asked.connection, session)
    below = _below(of_session(asked.connection, session), asked.who.agent_id or "main")
    rows = [_subagent(each, used.get(each["agent_id"], Amount()), ended) for each in below]
    lines = [_subagent_line(row) for row in rows[:_MOST_AGENTS]]
    return {"subagents": rows[:_MOST_AGENTS]}, lines or ["You have started no subagent."]


def _below(agents: Iterable[dict[str, Any]], top: str) -> list[dict[str, Any]]:
    """Return the agents that descend from one, in the order in which they came."""
    by_parent = defaultdict(list)
    for each in agents:
        if each["agent_id"] is not None:
            by_parent[each["parent"]].append(each)
    # One whose parent nobody knows is the session's: the main thread answers for it.
    if top == "main":
        by_parent["main"] += by_parent.pop(None, [])
    found, todo = [], [top]
    seen = {top}
    while todo:
        for each in by_parent.get(todo.pop(), ()):
            if each["agent_id"] not in seen:
                seen.add(each["agent_id"])
                found.append(each)
                todo.append(each["agent_id"])
    return sorted(found, key=lambda each: each["first"])


def _subagent(row: dict[str, Any], used: Amount, ended: set[str]) -> dict[str, Any]:
    return {
        "agent_id": row["agent_id"],
        "agent": row["agent_type"] or row["agent_id"],
        "parent": row["parent"],
        "over": row["agent_id"] in ended,
        "first": iso(row["first"] * 10**6),
        "last": iso(row["last"] * 10**6),
        "tool_calls": row["calls"],
        "denied": row["denied"],
        "asked": row["asked"],
        "tokens": sum(getattr(used, name) for name in TOKEN_FIELDS),
        "cost_usd": used.usd,
    }


def _subagent_line(row: dict[str, Any]) -> str:
    money = "cost not known" if row["cost_usd"] is None else f"${row['cost_usd']:,.4f}"
    return (
        f"{row['agent']} ({row['agent_id']}, {'over' if row['over'] else 'at work'}): "
        f"{row['tool_calls']} calls, {row['denied']} denied, {row['tokens']:,} tokens, {money}"
    )
