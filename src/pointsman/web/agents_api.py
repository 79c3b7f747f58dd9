"""Who the agents of a repository are, what they may write, and how they have done."""

import sqlite3
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from pointsman.config.policy_loader import PolicyLoader
from pointsman.config.registry import Registry
from pointsman.model.places import Places
from pointsman.store import browse
from pointsman.web.reading import read
from pointsman.web.replies import BadRequest, Cover

_EVENTS = 50_000
_FAILED = ("PostToolUseFailure",)


class AgentsApi:
    """The registry of each repository that is on record, beside what its agents have done."""

    def __init__(self, places: Places, cover: Cover) -> None:
        self._places = places
        self._cover = cover

    async def agents(self, request: Request) -> Response:
        """Return the repositories on record, and one of them in full (``repository``)."""
        repositories = await read(self._places.ledger, _repositories)
        wanted = request.query_params.get("repository") or next(iter(repositories), "")
        # Only what is on record: no path of a request's own is read.
        if wanted and wanted not in repositories:
            raise BadRequest(f"no event on record is of {wanted[:200]!r}", fix="/api/agents")
        done = await read(self._places.ledger, lambda one: _outcomes(one, wanted))
        registry = await to_thread.run_sync(self._registry, wanted) if wanted else {}
        return self._cover.reply(
            {
                "repositories": repositories,
                "repository": wanted,
                "registry": registry,
                "outcomes": done,
            }
        )

    def _registry(self, repository: str) -> dict[str, Any]:
        if not Path(repository).is_dir():
            return {"gone": True}
        policy = PolicyLoader(self._places).policy_for(repository)
        registry = Registry(policy, repository)
        faults = [
            {"kind": each.kind, "file": each.file, "text": each.text, "fix": each.fix}
            for each in registry.faults()
        ]
        return {**registry.as_dict(), "faults": faults}


def _repositories(connection: sqlite3.Connection) -> dict[str, int]:
    sql = (
        "SELECT repository, count(*) AS n FROM events WHERE seq > ? AND repository IS NOT NULL"
        " GROUP BY repository ORDER BY max(seq) DESC LIMIT 100"
    )
    rows = connection.execute(sql, (browse.newest(connection) - _EVENTS,))
    return {row["repository"]: row["n"] for row in rows}


def _outcomes(connection: sqlite3.Connection, repository: str) -> dict[str, Any]:
    sql = (
        "SELECT coalesce(agent_type, CASE WHEN agent_id IS NULL THEN 'main' ELSE agent_id END)"
        " AS agent, event, decision, count(*) AS n, count(DISTINCT agent_id) AS ids,"
        " count(DISTINCT session) AS sessions, max(received_ns) AS last"
        " FROM events WHERE seq > ? AND repository IS ? AND derived_from IS NULL"
        " GROUP BY 1, 2, 3"
    )
    out: dict[str, Counter[str]] = defaultdict(Counter)
    rows = connection.execute(sql, (browse.newest(connection) - _EVENTS, repository or None))
    for row in rows:
        one = out[row["agent"]]
        one["events"] += row["n"]
        one["sessions"] = max(one["sessions"], row["sessions"])
        one["last"] = max(one["last"], row["last"] // 10**6)
        if row["event"] == "PreToolUse":
            one["calls"] += row["n"]
            one[row["decision"]] += row["n"]
        elif row["event"] in _FAILED:
            one["failed"] += row["n"]
        elif row["event"] == "SubagentStart":
            one["started"] += row["n"]
    return {name: dict(one) for name, one in out.items()}
