"""What goes out as JSON: with every secret covered, also those that older records hold."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pointsman.model.errors import PointsmanError
from pointsman.secrets.redact import Redactor
from pointsman.web.access import TooLarge, refused

Handler = Callable[[Request], Awaitable[Response]]


class Cover:
    """Writes values as JSON with their secrets covered."""

    def __init__(self, state: Path) -> None:
        self._redactor = Redactor.of(state)

    def bytes(self, value: Any) -> bytes:
        """Return the JSON of a value."""
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return self._redactor.json(text.encode("utf-8", "backslashreplace"))

    def reply(self, value: Any) -> Response:
        """Return the answer to a request."""
        return Response(self.bytes(value), media_type="application/json")


def told(handler: Handler) -> Handler:
    """Return a handler whose errors are answers: what is wrong, and what to do."""

    async def run(request: Request) -> Response:
        try:
            return await handler(request)
        except BadRequest as error:
            return refused(400, str(error), error.fix)
        except PointsmanError as error:
            return refused(503, str(error), error.fix)
        except TooLarge:
            return refused(413, "the body is too long")

    return run


class BadRequest(PointsmanError):
    """A parameter that means nothing here."""


def number(request: Request, name: str, default: int, most: int) -> int:
    """Return a parameter that is a whole number between 0 and ``most``.

    Raises:
        BadRequest: it is none.
    """
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > 19:
        raise BadRequest(f"{name}={text[:40]!r} is no whole number", fix=f"{name}=100")
    return min(int(text), most)


def gone(_: Request, error: Exception) -> Response:
    """Answer what no route is for."""
    code = getattr(error, "status_code", 500)
    return JSONResponse({"error": f"nothing here: {code}", "fix": ""}, code)
