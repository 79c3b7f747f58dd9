"""Who the agents of a repository are, what they may write, and how they have done."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from pointsman.config.policy_loader import PolicyLoader
from pointsman.config.registry import Registry
from pointsman.model.places import Places
from pointsman.store import agent_counts
from pointsman.web.reading import read
from pointsman.web.replies import BadRequest, Cover, number


class AgentsApi:
    """The registry of each repository that is on record, beside what its agents have done."""

    def __init__(self, places: Places, cover: Cover) -> None:
        self._places = places
        self._cover = cover

    async def agents(self, request: Request) -> Response:
        """Return the repositories on record, and one of them in full (``repository``).

        ``outcomes`` has, by agent, by model and by role, what those have done that were heard of
        in the last ``hours`` (default a week; 0 is all).
        """
        repositories = await read(self._places.ledger, agent_counts.repositories)
        wanted = request.query_params.get("repository") or next(iter(repositories), "")
        # Only what is on record: no path of a request's own is read.
        if wanted and wanted not in repositories:
            raise BadRequest(f"no event on record is of {wanted[:200]!r}", fix="/api/agents")
        hours = number(request, "hours", 24 * 7, 24 * 366)
        since = time.time_ns() - hours * 3600 * 10**9 if hours else 0

        def work(connection: sqlite3.Connection) -> dict[str, Any]:
            return {
                by: agent_counts.outcomes(connection, by, since, wanted or None)
                for by in agent_counts.GROUPS
            }

        done = await read(self._places.ledger, work)
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
