"""What a request that acts has in common with others: a store in a thread, a body, and who asks."""

import getpass
import json
import os
from collections.abc import Callable
from contextlib import closing
from typing import Any, Protocol, TypeVar

from anyio import to_thread
from starlette.requests import Request

from pointsman.web.peer import pid_of
from pointsman.web.replies import BadRequest

T = TypeVar("T")


class Store(Protocol):
    """What is opened for one request, and closed behind it."""

    def close(self) -> None:
        """Close it."""


S = TypeVar("S", bound=Store)


async def with_store(make: Callable[[], S], work: Callable[[S], T]) -> T:
    """Return what a function makes of a store that is opened for it, in a thread."""

    def run() -> T:
        with closing(make()) as store:
            return work(store)

    return await to_thread.run_sync(run)


async def body_of(request: Request, names: tuple[str, ...]) -> dict[str, Any]:
    """Return these fields of a request's body, as far as it has them.

    Raises:
        BadRequest: it is no JSON object, or does not say that it is JSON.
    """
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise BadRequest("the answer is no application/json")
    try:
        given = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the answer is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise BadRequest("the answer is no JSON object")
    return {key: given[key] for key in names if key in given}


async def asker(request: Request) -> int:
    """Return the process that asks, 0 where it cannot be found."""
    return await to_thread.run_sync(pid_of, request.scope["client"], request.scope["server"])


def person() -> str:
    """Return whose browser it is, for the record."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"user {os.geteuid()}"
    return f"{name}, dashboard"
