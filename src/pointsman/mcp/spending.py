"""What the asking agent and its session have used, and what remains of the limits."""

from fnmatch import fnmatchcase
from typing import Any

from pointsman.engine.spent import Spending
from pointsman.mcp.asking import Asked
from pointsman.model.limit import Limit
from pointsman.model.usage import TOKEN_FIELDS, Amount
from pointsman.store import own
from pointsman.store.past_spent import PastSpent
from pointsman.store.usage_query import Chosen, sums
from pointsman.store.usage_rows import MAIN

_UNITS = {"tokens": "{:,.0f} tokens", "usd": "${:,.4f}", "calls": "{:,.0f} calls",
          "minutes": "{:,.1f} minutes"}  # fmt: skip
_SCOPES = {"agent": "for you", "type": "for all agents of your type", "task": "for this task",
           "session": "for this session", "day": "for today"}  # fmt: skip
_THEN = {
    "warn": "you are warned", "ask": "a person decides about each further call",
    "deny": "further calls are denied", "end": "the run ends",
}  # fmt: skip


def spent(asked: Asked) -> tuple[dict[str, Any], list[str]]:
    """Tell what the session and the agent have used, by model besides."""
    chosen = Chosen(session=asked.who.session)
    counting = Spending(PastSpent(asked.places.ledger))
    total = sums(asked.connection, "total", chosen).get("", Amount())
    mine = sums(asked.connection, "subagent", chosen).get(asked.who.agent_id or MAIN, Amount())
    models = sums(asked.connection, "model", chosen)
    values: dict[str, Any] = {
        "session": _figures(total) | _worked(asked, counting, "session"),
        "mine": _figures(mine) | _worked(asked, counting, "agent"),
        "by_model": [{"model": name, **_figures(each)} for name, each in sorted(models.items())],
        "denied": own.denied(asked.connection, asked.who.session),
    }
    lines = [f"Your session has used {_line(values['session'])}.",
             f"You yourself: {_line(values['mine'])}."]  # fmt: skip
    return values, lines


def limits(asked: Asked) -> tuple[dict[str, Any], list[str]]:
    """Tell of each limit that holds for the agent how much is used and what remains."""
    counting = Spending(PastSpent(asked.places.ledger))
    event = asked.event
    rows = []
    for limit in asked.policy.limits:
        binds = not limit.agents or any(fnmatchcase(asked.agent, each) for each in limit.agents)
        if binds:
            used = counting.used(event, limit)
            rows.append(_limit(limit, used.amount, used.unpriced))
    lines = [_limit_line(row) for row in rows] or ["No limit holds for you."]
    return {"limits": rows}, lines


def _limit(limit: Limit, used: float, unpriced: int) -> dict[str, Any]:
    return {
        "rule": limit.rule,
        "per": limit.per,
        "of": limit.of,
        "at": limit.at,
        "used": round(used, 6),
        "remains": round(max(0.0, limit.at - used), 6),
        "reached": used >= limit.at,
        "then": limit.then,
        "unpriced_messages": unpriced,
        "source": limit.source,
    }


def _limit_line(row: dict[str, Any]) -> str:
    unit = _UNITS[row["of"]]
    said = (
        f"{unit.format(row['used'])} of {unit.format(row['at'])} {_SCOPES[row['per']]} are used, "
        f"{unit.format(row['remains'])} remain; at the limit {_THEN[row['then']]}"
    )
    more = (
        f"; {row['unpriced_messages']} messages have no price" if row["unpriced_messages"] else ""
    )
    return f"{'REACHED: ' if row['reached'] else ''}{said}{more} ({row['rule']})."


def _figures(found: Amount) -> dict[str, Any]:
    tokens = {name: getattr(found, name) for name in TOKEN_FIELDS}
    return {
        **tokens,
        "tokens": sum(tokens.values()),
        "cost_usd": found.usd,
        "messages": found.calls,
        "unpriced_messages": found.unpriced,
    }


def _worked(asked: Asked, counting: Spending, per: str) -> dict[str, Any]:
    """Return calls and minutes by the same count that the limits go by, this call included."""
    event = asked.event
    of = {
        name: counting.used(event, Limit(per=per, of=name, at=0, then="warn")).amount
        for name in ("calls", "minutes")
    }
    return {"tool_calls": int(of["calls"]), "minutes": round(of["minutes"], 2)}


def _line(figures: dict[str, Any]) -> str:
    money = "a cost that is not known whole" if figures["cost_usd"] is None else (
        f"${figures['cost_usd']:,.4f}"
    )  # fmt: skip
    unpriced = figures["unpriced_messages"]
    more = f" ({unpriced} messages have no price)" if unpriced else ""
    return (
        f"{figures['tokens']:,} tokens ({figures['output_tokens']:,} of them output), "
        f"{money}{more}, {figures['tool_calls']:,} tool calls, {figures['minutes']:,.1f} minutes"
    )
