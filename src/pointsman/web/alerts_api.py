"""What was found wrong, and a person's answer to it, which the daemon carries out."""

import json
from collections.abc import Callable
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from pointsman.alerted import as_json, change_as_json, hold_as_json
from pointsman.model.alerting import OPEN
from pointsman.model.errors import AlertError
from pointsman.model.places import Places
from pointsman.serve import alert_answer, control
from pointsman.serve.insider import refuse_insider
from pointsman.store.alerts import AlertStore
from pointsman.store.holds import Holds
from pointsman.web.acting import asker, body_of, person, with_store
from pointsman.web.replies import BadRequest, Cover, number


class AlertsApi:
    """Alerts, whom people have stopped, and answers."""

    def __init__(self, places: Places, cover: Cover) -> None:
        self._places = places
        self._cover = cover

    async def listed(self, request: Request) -> Response:
        """Return the alerts, the newest first; ``state=open`` only those that are not over.

        ``available`` is false where nothing was ever watched; ``stops`` are whom people stopped.
        """
        states = OPEN if request.query_params.get("state") == "open" else ()
        session = request.query_params.get("session", "")
        limit = number(request, "limit", 100, 500)

        def work(store: AlertStore) -> dict[str, Any]:
            found = store.some(states, limit, session)
            return {
                "available": True,
                "alerts": [as_json(each) for each in found][::-1],
                "open": store.counts(),
                "stops": [hold_as_json(each) for each in Holds(store).all()],
                "newest": store.newest(),
            }

        if not self._places.alerts.exists():
            nothing = {"available": False, "alerts": [], "open": {}, "stops": [], "newest": 0}
            return self._cover.reply(nothing)
        return self._cover.reply(await self._with(work))

    async def shown(self, request: Request) -> Response:
        """Return one alert whole, with its history and who is stopped in its session."""
        wanted = request.path_params["number"]

        def work(store: AlertStore) -> dict[str, Any]:
            one = store.get(wanted)
            return {
                **as_json(one),
                "history": [change_as_json(each) for each in store.history(wanted)],
                "stopped": [
                    hold_as_json(each)
                    for each in Holds(store).all()
                    if one.session and each.session == one.session
                ],
            }

        if not self._places.alerts.exists():
            raise BadRequest(f"no alert has the number {wanted}", fix="/api/alerts")
        return self._cover.reply(await self._with(work))

    async def answered(self, request: Request) -> Response:
        """Carry an answer to an alert out: ``ack``, ``resolve``, ``stop`` or ``resume``."""
        return await self._answer(request, str(request.path_params["number"]))

    async def halted(self, request: Request) -> Response:
        """Stop a session, or an agent of it, or let it go on: ``stop`` or ``resume``."""
        if request.path_params["verb"] not in {"stop", "resume"}:
            raise BadRequest("a session is stopped or goes on", fix="stop or resume")
        return await self._answer(request, request.path_params["session"])

    async def _answer(self, request: Request, target: str) -> Response:
        name = f"alerts.{request.path_params['verb']}"
        if name not in alert_answer.COMMANDS:
            verbs = ", ".join(each.removeprefix("alerts.") for each in alert_answer.COMMANDS)
            raise BadRequest(f"no such answer: {name[7:47]!r}", fix=verbs)
        given = await body_of(request, ("note", "agent", "whole"))
        pid = await asker(request)
        body = {**given, "target": target, "by": person()}

        def work() -> dict[str, Any]:
            refuse_insider(self._places, pid)
            return control.ask(self._places, name, body=json.dumps(body).encode())

        done = await to_thread.run_sync(work)
        if "error" in done:
            raise AlertError(done["error"], fix=done.get("fix", ""))
        return self._cover.reply(done)

    async def _with(self, work: Callable[[AlertStore], dict[str, Any]]) -> dict[str, Any]:
        return await with_store(lambda: AlertStore(self._places.alerts), work)
