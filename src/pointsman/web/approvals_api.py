"""What waits for a person, and the person's answer, which the daemon carries out."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pointsman.asked import as_json
from pointsman.model.approval import State
from pointsman.model.errors import ApprovalError
from pointsman.model.places import Places
from pointsman.serve import control
from pointsman.serve.asker import is_inside
from pointsman.store.approvals import Approvals
from pointsman.web.acting import asker, body_of, person, with_store
from pointsman.web.replies import BadRequest, Cover, number

_VERDICTS = frozenset({"approve", "deny", "modify"})


class ApprovalsApi:
    """Questions, and answers to them."""

    def __init__(self, places: Places, cover: Cover) -> None:
        self._places = places
        self._cover = cover

    async def listed(self, request: Request) -> Response:
        """Return the questions, the newest first; ``state=open`` only those that wait."""
        states = (State.WAITING,) if request.query_params.get("state") == "open" else ()
        limit = number(request, "limit", 100, 500)

        def work(store: Approvals) -> dict[str, Any]:
            now = store.clock()
            rows = [as_json(one, now) for one in store.some(states, limit)]
            return {"approvals": rows[::-1], "waiting": store.waiting()}

        empty = {"approvals": [], "waiting": 0}
        return self._cover.reply(await self._with(work, empty))

    async def shown(self, request: Request) -> Response:
        """Return one question whole, with its history; that it was shown is noted."""
        name = request.path_params["name"]

        def work(store: Approvals) -> dict[str, Any]:
            one = store.show(name)
            history = [asdict(each) for each in store.history(one.id)]
            return as_json(one, store.clock()) | {"history": history}

        return self._cover.reply(await self._with(work, None))

    async def verdict(self, request: Request) -> Response:
        """Carry an answer out: ``approve``, ``deny`` or ``modify``, with ``note`` and ``input``."""
        name, word = request.path_params["name"], request.path_params["verdict"]
        if word not in _VERDICTS:
            raise BadRequest(f"no such answer: {word[:40]!r}", fix="approve, deny or modify")
        given = await body_of(request, ("note", "input", "any_session"))
        pid = await asker(request)
        body = {**given, "id": name, "by": person()}

        def work(store: Approvals) -> dict[str, Any]:
            if is_inside(store, pid):
                raise ApprovalError(
                    "this comes from an agent's session that has put questions itself; an agent "
                    "does not answer them",
                    fix="answer it in a browser of your own",
                )
            data = json.dumps(body).encode()
            return control.ask(self._places, f"approvals.{word}", body=data)

        done = await self._with(work, None)
        if "error" in done:
            raise ApprovalError(done["error"], fix=done.get("fix", ""))
        return self._cover.reply(done)

    async def _with(self, work: Callable[[Approvals], Any], empty: Any) -> Any:
        """Give a function the store, in a thread; ``empty`` where nothing was ever asked."""
        if empty is not None and not self._places.approvals.exists():
            return empty
        return await with_store(lambda: Approvals(self._places.approvals), work)
