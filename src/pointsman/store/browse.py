"""Pages of the audit trail for a reader that comes again and again: each one bounded.

What is long is cut, what is many is paged by sequence number, and a text is looked for in so many
events at a time: the answer says where to go on.
"""

import json
import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pointsman.store import event_count
from pointsman.store.hour_seqs import reach
from pointsman.store.query import Filter, conditions_of

MOST_ROWS = 5000
MOST_SCANNED = 200_000
"""Events of which one request reads the bodies, at the most."""
_SEARCH_S = 0.03
"""Seconds after which a search says how far it has come."""
_SLICE = 250
clock = time.monotonic
MOST_LOOKED_AT = 50_000
"""Events of which one request looks at the row alone."""
MOST_MATCHED = 5_000
"""Events whose path one request holds against a glob."""
_MOST_SAID = 240
_MOST_BODY = 64 * 1024
_BODY = "CAST(b.payload AS TEXT)"
_SAID = ("command", "file_path", "pattern", "url", "query", "description", "prompt")
_SHOWN = ", ".join(f"json_extract({_BODY}, '$.tool_input.{name}')" for name in _SAID)
# What is no JSON, or very long, says nothing: SQLite would give up on the whole page.
_WHAT = (
    f"CASE WHEN length(b.payload) <= {_MOST_BODY} AND json_valid({_BODY})"
    f" THEN substr(coalesce({_SHOWN}, json_extract({_BODY}, '$.prompt'),"
    f" json_extract({_BODY}, '$.message'), ''), 1, {_MOST_SAID}) ELSE '' END"
)
_COLUMNS = (
    "e.seq, e.received_ns, e.event, e.session, e.agent_id, e.agent_type, e.parent, e.prompt_id,"
    " e.tool_use_id, e.tool, e.path, e.repository, e.decision, e.rule,"
    f" substr(e.reason, 1, {_MOST_SAID}) AS reason, e.hook, e.cause, e.duration_ns, e.transport,"
    f" e.derived_from, {_WHAT} AS what"
)
_FROM = (
    # Named anew: the conditions of a filter say `seq`, and mean that of the event.
    "FROM events e LEFT JOIN (SELECT seq AS body_of, payload FROM bodies) b ON b.body_of = e.seq"
)
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_MOST_WORDS = 12
_SEARCHED = ("e.reason", "e.path", "e.tool", "e.rule", "e.event", "e.session", _BODY)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, the newest first; ``next`` is where the following page begins, ``None`` at the end."""

    rows: list[dict[str, Any]]
    next: int | None
    scanned: int | None = None
    """The oldest event that was looked at, where not all of them were."""


def newest(connection: sqlite3.Connection) -> int:
    """Return the highest sequence number, 0 where there is no event."""
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])


def after(connection: sqlite3.Connection, seq: int, limit: int) -> list[dict[str, Any]]:
    """Return events behind a number, in order."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE e.seq > ? ORDER BY e.seq LIMIT ?"
    return [compact(row) for row in connection.execute(sql, (seq, min(limit, MOST_ROWS)))]


def page(
    connection: sqlite3.Connection, wanted: Filter, text: str, before: int | None, limit: int
) -> Page:
    """Return events that match, the newest first.

    ``text`` are words that must all occur in an event or its payload, whatever their case; what
    stands between quotation marks is one of them.
    """
    top = before if before is not None else newest(connection) + 1
    span = reach(connection, wanted.since, wanted.until)
    top = min(top, span.last + 1)
    words = words_of(text)
    bottom = 0
    if words or not _is_indexed(wanted):
        bottom = _bottom(connection, wanted, top, MOST_SCANNED if words else _most(wanted))
    where, values = _conditions(wanted)
    where += ["e.seq < :top", "e.seq >= :bottom"]
    limit = max(1, min(limit, MOST_ROWS))
    asked = Asked(where, values, limit)
    if words:
        return _looked_for(connection, asked, words, (max(bottom, span.first), top), bottom)
    rows = _rows(connection, asked, (max(bottom, span.first), top))
    if len(rows) == limit:
        return Page(rows, rows[-1]["seq"])
    return Page(rows, bottom, bottom) if bottom > 0 else Page(rows, None)


@dataclass(frozen=True, slots=True)
class Asked:
    """Conditions on events between ``:bottom`` and ``:top``, the values they name, a limit."""

    where: list[str]
    values: dict[str, Any]
    limit: int


def _rows(connection: sqlite3.Connection, asked: Asked, span: tuple[int, int]) -> list[Any]:
    where = " AND ".join(asked.where)
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE {where} ORDER BY e.seq DESC LIMIT :limit"
    given = {**asked.values, "bottom": span[0], "top": span[1], "limit": asked.limit}
    return [compact(row) for row in connection.execute(sql, given)]


def _looked_for(
    connection: sqlite3.Connection,
    asked: Asked,
    words: Sequence[str],
    span: tuple[int, int],
    bottom: int,
) -> Page:
    """Look for words from the newest event on, for so long; the answer says how far that came."""
    first, top = span
    searched, more = _search(words)
    asked = Asked([*asked.where, searched], {**asked.values, **more}, asked.limit)
    rows: list[Any] = []
    began, slice_ = clock(), _SLICE
    while top > first:
        low, spent = max(first, top - slice_), clock()
        left = replace(asked, limit=asked.limit - len(rows))
        rows += _rows(connection, left, (low, top))
        if len(rows) == asked.limit:
            return Page(rows, rows[-1]["seq"])
        top = low
        now = clock()
        if now - began > _SEARCH_S:
            break
        # How long bodies are, only looking at them tells: the next slice is as long as may be.
        slice_ = slice_ * 2 if now - spent < _SEARCH_S / 8 else max(_SLICE, slice_ // 2)
    else:
        return Page(rows, bottom, bottom) if bottom > 0 else Page(rows, None)
    return Page(rows, top, top) if top > first or bottom > 0 else Page(rows, None)


def words_of(text: str) -> list[str]:
    """Return the words and quoted phrases of a search, at most so many."""
    return [found[1] or found[2] for found in _WORD.finditer(text)][:_MOST_WORDS]


def count(connection: sqlite3.Connection, wanted: Filter) -> int | None:
    """Return how many events match, as ``pointsman ledger query`` would print.

    From what was counted while they were written, or of so many events at most; ``None`` where
    that does not tell.
    """
    known = event_count.of(connection, wanted)
    if known is not None:
        return known
    span = reach(connection, wanted.since, wanted.until)
    if _bottom(connection, wanted, span.last + 1, _most(wanted)):
        return None
    where, values = _conditions(wanted)
    where += ["e.seq >= :first", "e.seq <= :last"]
    sql = f"SELECT count(*) FROM events e WHERE {' AND '.join(where)}"  # noqa: S608 - ours
    given = {**values, "first": span.first, "last": span.last}
    return int(connection.execute(sql, given).fetchone()[0])


def related(connection: sqlite3.Connection, seq: int) -> list[dict[str, Any]]:
    """Return the events of the same call, and those derived from it, in order."""
    row = connection.execute(
        "SELECT session, tool_use_id, derived_from FROM events WHERE seq = ?", (seq,)
    ).fetchone()
    if row is None or not row["tool_use_id"]:
        return []
    # By the session's index: there is none on the call's id.
    sql = (
        f"SELECT {_COLUMNS} {_FROM} WHERE e.session = ? AND e.tool_use_id = ?"
        " ORDER BY e.seq LIMIT 50"
    )
    return [compact(each) for each in connection.execute(sql, tuple(row)[:2])]


def compact(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row as the pages take it: without what is empty."""
    agent = row["agent_type"] or ("main" if row["agent_id"] is None else row["agent_id"])
    return {
        "seq": row["seq"],
        "at": row["received_ns"] // 1_000_000,
        "agent": agent,
        "ms": round(row["duration_ns"] / 1e6, 3),
    } | {key: row[key] for key in _KEPT if row[key] not in (None, "")}


_KEPT = (
    "event", "session", "agent_id", "agent_type", "parent", "prompt_id", "tool_use_id", "tool",
    "path", "repository", "decision", "rule", "reason", "hook", "cause", "transport",
    "derived_from", "what",
)  # fmt: skip


def _is_indexed(wanted: Filter) -> bool:
    """Whether an index finds what is wanted, so that a page of it is all that is read."""
    return wanted == Filter(session=wanted.session) or wanted == Filter()


def _most(wanted: Filter) -> int:
    return MOST_LOOKED_AT if wanted.path is None else MOST_MATCHED


def _conditions(wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions of a filter for who reads between two numbers."""
    where, values = conditions_of(replace(wanted, since=None, until=None))
    for name, sign in (("since", ">="), ("until", "<=")):
        if (value := getattr(wanted, name)) is not None:
            where.append(f"e.received_ns {sign} :{name}")
            values[name] = value
    return where, values


def _bottom(connection: sqlite3.Connection, wanted: Filter, top: int, most: int) -> int:
    """Return the oldest of those events that one request reads, 0 where it reads them all.

    What no index finds is looked for among so many events of the wanted session and time.
    """
    if wanted.session is not None:
        sql = (
            "SELECT seq FROM events WHERE session = ? AND seq < ?"
            " ORDER BY seq DESC LIMIT 1 OFFSET ?"
        )
        row = connection.execute(sql, (wanted.session, top, most - 1)).fetchone()
        bottom = 0 if row is None else int(row[0])
        # No more events than numbers: what retention removed leaves gaps and adds none.
    else:
        bottom = max(0, top - most)
    return bottom if bottom > _first(connection, wanted) else 0


def _first(connection: sqlite3.Connection, wanted: Filter) -> int:
    """Return a number below which no event is meant."""
    if wanted.since is not None:
        return reach(connection, wanted.since, None).first
    return int(connection.execute("SELECT min(seq) FROM events").fetchone()[0] or 0)


def _search(words: Sequence[str]) -> tuple[str, dict[str, str]]:
    conditions, values = [], {}
    for number, word in enumerate(words):
        values[f"word{number}"] = _like(word)
        # In the payload a text stands as JSON spells it.
        values[f"json{number}"] = _like(json.dumps(word, ensure_ascii=False)[1:-1])
        each = [
            f"{column} LIKE :{'json' if column is _BODY else 'word'}{number} ESCAPE '\\'"
            for column in _SEARCHED
        ]
        conditions.append(f"({' OR '.join(each)})")
    return " AND ".join(conditions), values


def _like(text: str) -> str:
    return "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"
