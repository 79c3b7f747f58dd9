"""What the pages read of the audit trail."""

import sqlite3
import time
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from pointsman.store import agent_counts, browse, event_count, query, summary
from pointsman.web.reading import read
from pointsman.web.replies import BadRequest, Cover, number

_FIELDS = (
    "session", "agent", "tool", "decision", "event", "hook", "rule", "path", "since", "until",
)  # fmt: skip
_MOST_TEXT = 500
_PAGE = 100
_SESSIONS = 300


class LedgerApi:
    """Events in pages, one event whole, and the sessions they belong to."""

    def __init__(self, ledger: Any, cover: Cover) -> None:
        self._ledger = ledger
        self._cover = cover

    async def events(self, request: Request) -> Response:
        """Return a page of events, the newest first: ``rows``, ``next``, ``scanned``, ``newest``.

        With ``total=1`` also how many match, null where only a look at many events would tell; a
        search of texts is not counted.
        """
        wanted = filter_of(request)
        text = request.query_params.get("q", "").strip()
        if len(text) > _MOST_TEXT:
            raise BadRequest(f"the search is longer than {_MOST_TEXT} characters")
        before = number(request, "before", 0, 2**63 - 1) or None
        limit = number(request, "limit", _PAGE, browse.MOST_ROWS)
        counted = request.query_params.get("total") == "1" and not text

        def work(connection: sqlite3.Connection) -> dict[str, Any]:
            found = browse.page(connection, wanted, text, before, limit)
            total = browse.count(connection, wanted) if counted else None
            newest = browse.newest(connection)
            return {
                "rows": found.rows, "next": found.next, "scanned": found.scanned,
                "total": total, "newest": newest, "now": time.time_ns() // 10**6,
            }  # fmt: skip

        return self._cover.reply(await read(self._ledger, work))

    async def event(self, request: Request) -> Response:
        """Return one event whole, and the others of its call."""
        seq = request.path_params["seq"]
        whole = await read(self._ledger, lambda connection: query.whole(connection, seq))
        others = await read(self._ledger, lambda connection: browse.related(connection, seq))
        return self._cover.reply({**whole, "related": others})

    async def sessions(self, request: Request) -> Response:
        """Return the sessions that were last heard of, of one ``repository`` where it is named."""
        limit = max(1, number(request, "limit", _SESSIONS, 1000))
        repository = request.query_params.get("repository") or None

        def work(connection: sqlite3.Connection) -> dict[str, Any]:
            rows = summary.sessions(connection, limit + 1, 0, repository)
            return {"sessions": rows[:limit], "complete": len(rows) <= limit}

        return self._cover.reply(await read(self._ledger, work))

    async def session(self, request: Request) -> Response:
        """Return one session: its agents, and its newest events in order."""
        name = request.path_params["name"]
        before = number(request, "before", 0, 2**63 - 1) or None
        limit = number(request, "limit", 3000, browse.MOST_ROWS)

        def work(connection: sqlite3.Connection) -> dict[str, Any]:
            wanted = query.Filter(session=name)
            found = browse.page(connection, wanted, "", before, limit)
            return {
                "session": name,
                "agents": agent_counts.of_session(connection, name),
                "total": event_count.of_session(connection, name),
                "rows": found.rows[::-1],
                "next": found.next,
            }

        return self._cover.reply(await read(self._ledger, work))

    async def notes(self, request: Request) -> Response:
        """Return what the daemon had to say of itself, the newest last."""
        limit = number(request, "limit", 100, 1000)
        found = await to_thread.run_sync(query.notes, self._ledger, limit)
        return self._cover.reply({"notes": found})


def filter_of(request: Request) -> query.Filter:
    """Return the filter that a request's parameters say, spelled as those of ``ledger query``.

    Raises:
        LedgerError: a time cannot be read.
    """
    now = time.time_ns()
    values: dict[str, Any] = {}
    for name in _FIELDS:
        text = request.query_params.get(name, "").strip()
        if len(text) > _MOST_TEXT:
            raise BadRequest(f"{name} is longer than {_MOST_TEXT} characters")
        if text:
            values[name] = query.parse_time(text, now) if name in {"since", "until"} else text
    return query.Filter(**values)
