"""The tables of usage: postings in, what is on record of a message out, in plain SQL.

Whoever writes does so inside the writer's transaction (``Ledger.writing``); reading works on any
connection.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pointsman.model.usage import AMOUNT_FIELDS, TOKEN_FIELDS, Amount, HostTotal, Usage, amount
from pointsman.store import agent_days, rollups

HOUR_NS = 3600 * 10**9
DIMENSIONS = (
    "session", "agent", "subagent", "task", "repository", "branch", "model", "role", "tool",
)  # fmt: skip
"""What there are sums by, each by the hour: a day is made of hours."""
MAIN = "main"
"""The agent, and the subagent, that is the main thread."""

_FIGURES = ", ".join(AMOUNT_FIELDS)
_COLUMNS = (
    "recorded_ns", "key", "host", "message", "request", "at_ns", "session", "agent_id",
    "agent_type", "role", "task", "repository", "branch", "model", "speed", "final",
    "web_searches", *AMOUNT_FIELDS, "prices",
)  # fmt: skip
_INSERT = f"INSERT INTO usage ({', '.join(_COLUMNS)}) VALUES ({','.join('?' * len(_COLUMNS))})"  # noqa: S608
_TOOL = "INSERT OR IGNORE INTO usage_tools VALUES (?,?,?)"
_ADD = ", ".join(f"{name} = {name} + excluded.{name}" for name in AMOUNT_FIELDS)
_HOUR = (
    f"INSERT INTO usage_hours VALUES (?,?,?,?,{','.join('?' * len(AMOUNT_FIELDS))})"  # noqa: S608
    f" ON CONFLICT (dimension, hour, repository, value) DO UPDATE SET {_ADD}"
)
_DAY = _HOUR.replace("usage_hours", "usage_days").replace("(dimension, hour,", "(dimension, day,")
_AGENT = (
    "INSERT INTO agent_runs VALUES (?,?,'','','',?,?,9223372036854775807,0,0,0,0,0,0,0,0,0,0,1)"
    " ON CONFLICT (session, agent_id) DO UPDATE SET model = excluded.model, role = excluded.role,"
    " counted = 1"
)
"""Of an agent that no event is of (yet) nothing is counted."""
_HOST = f"INSERT OR REPLACE INTO usage_host VALUES ({','.join('?' * 9)})"  # noqa: S608
_POSITION = "INSERT OR REPLACE INTO transcripts VALUES (?,?,?,?,?)"
_SUMS = ", ".join(f"sum({name})" for name in AMOUNT_FIELDS)
_NEWEST = "host, message, request, at_ns, session, agent_id, agent_type, role, task, repository"


class Part(Protocol):
    """What of a posting goes to one tool call."""

    @property
    def tool(self) -> str:
        """The call's tool."""

    @property
    def amount(self) -> Amount:
        """What goes to it."""


class Posting(Protocol):
    """What is added to the record."""

    @property
    def usage(self) -> Usage:
        """The message, as it is known now."""

    @property
    def amount(self) -> Amount:
        """What is added to the sums."""

    @property
    def prices(self) -> str:
        """By which prices."""

    @property
    def parts(self) -> Sequence[Part]:
        """The same, by tool call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far a transcript has been read: where, and what is needed to go on."""

    path: str
    host: str
    position: Mapping[str, Any]
    thread: Mapping[str, str]


def dimension_values(usage: Usage) -> dict[str, str]:
    """Return the value of a message in each dimension but the tool's."""
    return {
        "session": usage.session,
        "agent": usage.agent_type or (MAIN if usage.agent_id is None else ""),
        "subagent": usage.agent_id or MAIN,
        "task": usage.task,
        "repository": usage.repository or "",
        "branch": usage.branch,
        "model": usage.model,
        "role": usage.role,
    }


def write(connection: sqlite3.Connection, postings: Sequence[Posting], now_ns: int) -> None:
    """Add postings, the calls of their messages and the sums that they change."""
    connection.executemany(_INSERT, [_row(posting, now_ns) for posting in postings])
    tools = [
        (posting.usage.key, call, tool)
        for posting in postings
        for call, tool in zip(posting.usage.calls, posting.usage.tools, strict=True)
    ]
    connection.executemany(_TOOL, tools)
    who = {(one.usage.session, one.usage.agent_id or ""): one.usage for one in postings}
    agents = [(*key, usage.model, usage.role) for key, usage in who.items()]
    rollups.carry_out(connection, agent_days.around(who, [(_AGENT, agents)]))
    sums: dict[tuple[str, int, str, str], list[int]] = {}
    for posting in postings:
        hour, repository = posting.usage.at_ns // HOUR_NS, posting.usage.repository or ""
        whole = posting.amount.values
        added = [(name, value, whole) for name, value in dimension_values(posting.usage).items()]
        added += [("tool", part.tool, part.amount.values) for part in posting.parts]
        for dimension, value, figures in added:
            into = sums.setdefault((dimension, hour, repository, value), [0] * len(figures))
            for place, figure in enumerate(figures):
                into[place] += figure
    connection.executemany(_HOUR, [(*at, *figures) for at, figures in sums.items()])
    # Each adds to its day: several hours of one are several rows, and add up there.
    days = [(at[0], at[1] // 24, *at[2:], *figures) for at, figures in sums.items()]
    connection.executemany(_DAY, days)


def _row(posting: Posting, now_ns: int) -> tuple[Any, ...]:
    one = posting.usage
    return (
        now_ns, one.key, one.host, one.message_id, one.request, one.at_ns, one.session,
        one.agent_id, one.agent_type, one.role, one.task, one.repository, one.branch, one.model,
        one.speed, int(one.final), one.web_searches, *posting.amount.values, posting.prices,
    )  # fmt: skip


def note_readings(connection: sqlite3.Connection, readings: Iterable[Reading], now_ns: int) -> None:
    """Keep how far transcripts have been read."""
    rows = [
        (each.path, each.host, now_ns, json.dumps(each.position), json.dumps(each.thread))
        for each in readings
    ]
    connection.executemany(_POSITION, rows)


def note_totals(connection: sqlite3.Connection, totals: Iterable[HostTotal]) -> None:
    """Keep what the host itself says."""
    rows = [
        (each.host, each.session, each.model, round(each.usd * 1e9),
         *(getattr(each, name) for name in TOKEN_FIELDS))
        for each in totals
    ]  # fmt: skip
    connection.executemany(_HOST, rows)


def readings(connection: sqlite3.Connection) -> list[Reading]:
    """Return how far every known transcript has been read, the first known first."""
    rows = connection.execute("SELECT path, host, position, thread FROM transcripts").fetchall()
    return [
        Reading(path=path, host=host, position=json.loads(position), thread=json.loads(thread))
        for path, host, position, thread in rows
    ]


def on_record(connection: sqlite3.Connection, key: str) -> tuple[Usage, Amount] | None:
    """Return what is on record of one message, with its sum; ``None`` where nothing is."""
    sums = connection.execute(f"SELECT {_SUMS} FROM usage WHERE key = ?", (key,)).fetchone()  # noqa: S608
    if sums[0] is None:
        return None
    figures = amount(*sums)
    newest = connection.execute(
        f"SELECT {_NEWEST}, branch, model, speed, final, web_searches FROM usage"  # noqa: S608
        " WHERE key = ? ORDER BY n DESC LIMIT 1",
        (key,),
    ).fetchone()
    tools = connection.execute(
        "SELECT call, tool FROM usage_tools WHERE key = ? ORDER BY call", (key,)
    ).fetchall()
    calls, names = tuple(call for call, _ in tools), tuple(tool for _, tool in tools)
    return replace(usage_of(tuple(newest), figures), calls=calls, tools=names), figures


def key_in(connection: sqlite3.Connection, usage: Usage) -> str:
    """Return the key of a session's message of this id; its own where there is none on record."""
    found = connection.execute(
        "SELECT key FROM usage WHERE message = ? AND session = ? AND host = ? LIMIT 1",
        (usage.message_id, usage.session, usage.host),
    ).fetchone()
    return str(found[0]) if found else usage.key


def usage_of(row: tuple[Any, ...], figures: Amount) -> Usage:
    """Return a message from its columns (``_NEWEST`` and the five behind them) and its sum."""
    (host, message, request, at_ns, session, agent_id, agent_type, role, task, repository,
     branch, model, speed, final, searches) = row  # fmt: skip
    return Usage(
        host=host,
        message_id=message,
        request=request,
        at_ns=at_ns,
        session=session,
        agent_id=agent_id,
        agent_type=agent_type,
        role=role,
        task=task,
        repository=repository,
        branch=branch,
        model=model,
        speed=speed,
        final=bool(final),
        web_searches=searches,
        input_tokens=figures.input_tokens,
        output_tokens=figures.output_tokens,
        cache_read_tokens=figures.cache_read_tokens,
        cache_write_5m_tokens=figures.cache_write_5m_tokens,
        cache_write_1h_tokens=figures.cache_write_1h_tokens,
    )


def unpriced_keys(connection: sqlite3.Connection, most: int = 10_000) -> list[str]:
    """Return the messages without a price, at most so many."""
    rows = connection.execute(
        "SELECT key FROM usage WHERE unpriced <> 0 GROUP BY key HAVING sum(unpriced) > 0 LIMIT ?",
        (most,),
    ).fetchall()
    return [key for (key,) in rows]
