"""Rows of the tables: what each cell says, and the key by which its row is found again."""

from typing import Any

from rich.text import Text

from pointsman.model.alerting import Alert
from pointsman.model.approval import Approval
from pointsman.screen import words
from pointsman.screen.feed import Agent, Key
from pointsman.screen.limits import Reached
from pointsman.screen.panes import Line

AGENTS = (
    ("", 2),
    ("agent", 0),
    ("calls", 6),
    ("  ✖", 4),
    ("tokens", 7),
    ("    cost", 9),
    (" ago", 4),
)
ALERTS = (("", 2), ("what", 0), ("ago", 9))
EVENTS = (("time", 9), ("", 2), ("agent", 14), ("tool", 12), ("what", 0))
SILENT_MS = 5 * 60_000
"""Of an agent that is silent for longer nobody knows whether it is at work."""
NEAR = 0.8
"""From this share on a limit is nearly reached."""
_THEN = {"warn": "warns", "ask": "asks", "deny": "denies", "end": "ends the run"}
_UNITS = {"tokens": "{} tokens", "usd": "${}", "calls": "{} calls", "minutes": "{} min"}
_PER = {"agent": "agent {0.name}", "type": "agents {0.name}", "task": "task of {0.name}",
        "session": "session {0.session:.8}", "day": "today"}  # fmt: skip


def key_of(row: dict[str, Any]) -> Key:
    """Return whose an event is."""
    return row["session"], row.get("agent_id", "")


def agent_of(key: str) -> Key:
    """Return the agent that a row of the agents' table is of."""
    _, session, agent = key.split(" ", 2)
    return session, agent


def agent_line(agent: Agent, now_ms: int, *, stopped: bool = False) -> Line:
    """Return an agent's row; subagents stand below their session's main thread."""
    silent = agent.state == "works" and now_ms - agent.last_ms > SILENT_MS
    state = "silent" if silent else agent.state
    state = "stopped" if stopped and state != "over" else state
    style = "dim" if state in {"over", "silent"} else ""
    name = Text(f"  {words.plain(agent.name, 40)}" if agent.id else words.plain(agent.name, 40))
    name.stylize(style or ("" if agent.id else "bold"))
    if not agent.id:
        name.append(f" {words.plain(agent.session, 8)}", "dim")
    if agent.doing:
        name.append(f"  {words.plain(agent.doing, 120)}", "dim")
    cells = [
        _sign(words.STATES[state]),
        name,
        _right(words.count(agent.calls), 5, style),
        _right(str(agent.denied or ""), 3, "red"),
        _right(words.count(agent.tokens) if agent.tokens else "", 6, style),
        _right(words.money(agent.usd_nano, agent.unpriced) if agent.tokens else "", 8, style),
        _right(words.age(now_ms - agent.last_ms), 4, "dim"),
    ]
    return f"agent {agent.session} {agent.id}", cells


def event_line(row: dict[str, Any]) -> Line:
    """Return an event's row: the reason stands first where it was stopped."""
    verdict = words.verdict(row)
    sign, colour = words.SYMBOLS[verdict]
    what = Text(no_wrap=True, overflow="ellipsis")
    if verdict not in {"none", "failed"}:
        what.append(f"{words.plain(row.get('rule') or verdict, 60)} ", f"bold {colour}")
    said = row.get("what") or row.get("path") or row.get("reason", "")
    if row["event"] == "WatchFinding":
        said = row.get("reason", "")
    what.append(words.plain(said, 300))
    tool = row.get("tool") or row["event"]
    cells = [
        Text(words.clock(row["at"]), "dim"),
        Text(sign, f"bold {colour}".strip() if colour else "dim"),
        Text(_cut(row["agent"], 13)),
        Text(_cut(tool, 11), "bold" if row.get("tool") else "dim"),
        what,
    ]
    return f"seq {row['seq']}", cells


def question_line(one: Approval, now_ms: int) -> Line:
    """Return the row of a question that waits for a person."""
    what = Text(no_wrap=True, overflow="ellipsis")
    what.append(f"{words.plain(one.binding.agent, 30)} asks ", "bold")
    what.append(f"{words.plain(one.rule, 60)} ", "bold yellow")
    said = next((one.input[name] for name in _ABOUT if one.input.get(name)), one.reason)
    what.append(words.plain(f"{one.binding.tool}: {said}", 300))
    age = words.age(now_ms - one.created_ns // 10**6)
    return f"ask {one.id}", [_sign(("?", "bold yellow")), what, _right(age, 9, "dim")]


_ABOUT = ("command", "file_path", "notebook_path", "url", "subagent_type")


def alert_line(alert: Alert, now_ms: int) -> Line:
    """Return the row of an alert: where it stands in its life, what it is, how often, how old."""
    what = Text(no_wrap=True, overflow="ellipsis")
    what.append(f"{alert.number} ", "dim")
    what.append(f"{words.plain(alert.detector, 30)} ", "bold")
    what.append(f"{words.plain(alert.agent, 30)}: ", "dim")
    what.append(words.plain(alert.summary, 300))
    if alert.by:
        what.append(f" (taken up by {words.plain(alert.by, 60)})", "green")
    times = f"{alert.count}x " if alert.count > 1 else ""
    sign = words.ALERTS.get(alert.state.value, ("△", "yellow"))
    age = words.age(now_ms - alert.opened_ns // 10**6)
    return f"alert {alert.number}", [_sign(sign), what, _right(f"{times}{age}", 9, "dim")]


def finding_line(row: dict[str, Any]) -> Line:
    """Return the row of what a detector has found."""
    what = Text(no_wrap=True, overflow="ellipsis")
    what.append(f"{words.plain(row['detector'], 30)} ", "bold")
    what.append(f"{words.plain(row['agent'], 30)}: ", "dim")
    what.append(words.plain(row["summary"], 300))
    cells = [_sign(words.SEVERITIES.get(row["severity"], ("△", "yellow"))), what,
             Text(row["time"][11:19], "dim")]  # fmt: skip
    return f"seq {row['seq']}", cells


def limit_line(place: int, found: Reached) -> Line:
    """Return the row of a limit: a bar, the figures, what happens at it."""
    share = found.share
    colour = "red" if share >= 1 else "yellow" if share >= NEAR else "green"
    what = Text(no_wrap=True, overflow="ellipsis")
    what.append(words.bar(share, 10), colour)
    what.append(f" {_amount(found)} ", "bold")
    what.append(f"{words.plain(_PER[found.limit.per].format(found.agent), 40)}; "
                f"{_THEN[found.limit.then]}", "dim")  # fmt: skip
    sign = ("✖", "red") if share >= 1 else ("△", "yellow") if share >= NEAR else ("·", "dim")
    return f"limit {place}", [_sign(sign), what, _right(f"{min(share, 9.99):.0%}", 8, colour)]


def about_agent(agent: Agent) -> str:
    """Return everything that is known of an agent."""
    return words.whole(
        {
            "agent": agent.name,
            "agent_id": agent.id or "(the main thread)",
            "session": agent.session,
            "parent": agent.parent,
            "state": agent.state,
            "doing": agent.doing,
            "repository": agent.repository,
            "first": words.clock(agent.first_ms),
            "last": words.clock(agent.last_ms),
            "calls": str(agent.calls),
            "denied": str(agent.denied),
            "asked": str(agent.asked),
            "tokens": f"{agent.tokens:,}",
            "cost": words.money(agent.usd_nano, agent.unpriced),
            "next": f"pointsman ledger query --session {agent.session}",
        }
    )


def about_limit(found: Reached) -> str:
    """Return everything that is known of a limit."""
    limit = found.limit
    return words.whole(
        {
            "rule": limit.rule,
            "used": _amount(found),
            "counted": _PER[limit.per].format(found.agent),
            "at it": _THEN[limit.then],
            "stops": ", ".join(limit.agents) or "every agent",
            "source": limit.source,
        }
    )


def _amount(found: Reached) -> str:
    usd = found.limit.of == "usd"
    used, at = (
        (f"{value:,.2f}" if usd else f"{value:,.0f}") for value in (found.used, found.limit.at)
    )
    return f"{used} of {_UNITS[found.limit.of].format(at)}"


def _sign(sign: tuple[str, str]) -> Text:
    return Text(sign[0], style=sign[1])


def _right(text: str, width: int, style: str) -> Text:
    return Text(text.rjust(width), style=style)


def _cut(text: object, most: int) -> str:
    said = words.plain(text, most + 1)
    return said if len(said) <= most else said[: most - 1] + "…"
