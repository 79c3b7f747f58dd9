"""The dashboard as one application: a table of addresses, and what stands before them."""

from functools import partial
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pointsman.model.errors import DaemonUnreachable
from pointsman.model.places import Places
from pointsman.serve import control
from pointsman.web.access import Access
from pointsman.web.agents_api import AgentsApi
from pointsman.web.alerts_api import AlertsApi
from pointsman.web.approvals_api import ApprovalsApi
from pointsman.web.cost_api import CostApi
from pointsman.web.hooks_api import HooksApi
from pointsman.web.ledger_api import LedgerApi
from pointsman.web.pages import STATIC, Pages
from pointsman.web.replies import Cover, gone, told
from pointsman.web.stream import messages, start_of
from pointsman.web.verification import Verification


def build(places: Places, port: int, static: Path = STATIC) -> Starlette:
    """Return the application for one state directory, on one port."""
    cover = Cover(places.state)
    ledger, approvals = LedgerApi(places.ledger, cover), ApprovalsApi(places, cover)
    agents, pages = AgentsApi(places, cover), Pages(static)
    alerts, verification = AlertsApi(places, cover), Verification(places, cover)
    table: list[tuple[str, Any]] = [
        ("/api/status", partial(_status, places, cover)),
        ("/api/events", ledger.events),
        ("/api/events/{seq:int}", ledger.event),
        ("/api/sessions", ledger.sessions),
        ("/api/session/{name:path}", ledger.session),
        ("/api/notes", ledger.notes),
        ("/api/hooks", HooksApi(places.ledger, cover).hooks),
        ("/api/approvals", approvals.listed),
        ("/api/approvals/{name}", approvals.shown),
        ("/api/agents", agents.agents),
        ("/api/cost", CostApi(places.ledger, cover).cost),
        ("/api/alerts", alerts.listed),
        ("/api/alerts/{number:int}", alerts.shown),
        ("/api/verification", verification.state),
        ("/api/stream", partial(_stream, places, cover)),
    ]
    routes = [Route(path, told(handler), methods=["GET"]) for path, handler in table]
    alert, halt = told(alerts.answered), told(alerts.halted)
    routes.append(Route("/api/alerts/{number:int}/{verb}", alert, methods=["POST"]))
    routes.append(Route("/api/sessions/{session:path}/{verb}", halt, methods=["POST"]))
    act, verify = told(approvals.verdict), told(verification.start)
    routes.append(Route("/api/verification", verify, methods=["POST"]))
    routes.append(Route("/api/approvals/{name}/{verdict}", act, methods=["POST"]))
    routes.append(Route("/assets/{name:path}", pages.asset, methods=["GET"]))
    routes += [Route(path, pages.page, methods=["GET"]) for path in pages.addresses]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Access, key=places.dashboard_key, port=port)],
        exception_handlers={404: gone, 405: gone},
    )


async def _status(places: Places, cover: Cover, _: Request) -> Response:
    try:
        found = await to_thread.run_sync(control.ask, places, "status")
    except DaemonUnreachable as error:
        found = {"running": False, "reason": str(error)}
    return cover.reply(found)


async def _stream(places: Places, cover: Cover, request: Request) -> Response:
    start = start_of(
        request.headers.get("last-event-id", ""), request.query_params.get("after", "")
    )
    body = messages(places, cover, start, request.is_disconnected)
    headers = {"x-accel-buffering": "no"}
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)
