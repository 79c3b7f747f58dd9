"""Whether the record still says what was signed: how far it is signed, and a verification."""

import asyncio
import json
import os
import sys
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pointsman.model.places import Places
from pointsman.store.signed_state import signed_state
from pointsman.web.reading import read
from pointsman.web.replies import Cover

_MOST_LINE = 1024 * 1024


class Verification:
    """Says how far the record is signed; verifies it in a child, one at a time."""

    def __init__(self, places: Places, cover: Cover) -> None:
        self._places = places
        self._cover = cover
        self._run: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None

    async def state(self, _: Request) -> Response:
        """Return how far the record is signed; ``available`` is false where it has no chain.

        ``run`` is the last verification that was asked for here, ``null`` before the first: how
        many entries it has ``read``, and when it is ``done`` its ``verdict`` (as ``pointsman ledger
        verify --json``) or an ``error``.
        """
        now = time.time_ns()
        signed = await read(self._places.ledger, lambda one: signed_state(one, now))
        return self._cover.reply({**signed, "run": self._run})

    async def start(self, request: Request) -> Response:
        """Begin to verify, unless that is under way."""
        if self._task is None or self._task.done():
            self._run = {"read": 0, "done": False, "began": time.time_ns() // 10**6}
            self._task = asyncio.create_task(self._verified(self._run))
        return await self.state(request)

    async def _verified(self, run: dict[str, Any]) -> None:
        environ = {
            **os.environ,
            "POINTSMAN_STATE_DIR": str(self._places.state),
            "POINTSMAN_CONFIG_DIR": str(self._places.config),
        }
        child = await asyncio.create_subprocess_exec(
            # -P: no module is taken from the state directory that it stands in.
            sys.executable, "-P", "-m", "pointsman.web.verifying", env=environ,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, limit=_MOST_LINE,
        )  # fmt: skip
        try:
            assert child.stdout is not None  # noqa: S101 - a pipe was asked for
            async for line in child.stdout:
                run.update(json.loads(line))
            code = await child.wait()
            if "verdict" not in run and "error" not in run:
                run.update(error=f"it ended with {code}", fix="pointsman ledger verify")
        finally:
            # Cancelled with the page's process: nothing goes on without it.
            if child.returncode is None:
                child.kill()
            run.update(done=True, ended=time.time_ns() // 10**6)
