"""The hooks that a repository writes in Python run here, not in the daemon.

One resident child per set of hook files speaks JSON lines over its pipes (``child.py``). A hook
that does not answer in time, even because it blocks the child's loop, costs the child its life:
its process group is killed and the next call starts a new one.
"""

import asyncio
import contextlib
import itertools
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pointsman.model.canonical import decision_from_json, event_to_json
from pointsman.model.decision import Decision
from pointsman.model.errors import HookError
from pointsman.model.event import Event
from pointsman.model.hook import HookContext
from pointsman.workers import process
from pointsman.workers.executable import hook_environ

_REPLY_GRACE = 0.1
"""Seconds past the budget in which the child may still report that it ran out of it."""


class _Call:
    """One call that the child owes an answer."""

    def __init__(self, context: HookContext) -> None:
        self.context = context
        self.answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()


class PythonWorker:
    """A resident child process for one directory of hook files."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._calls: dict[int, _Call] = {}
        self._ids = itertools.count(1)
        self._starting = asyncio.Lock()

    def hook(
        self, file: str, function: str
    ) -> Callable[[Event, HookContext], Awaitable[Decision | None]]:
        """Return the body of the hook that this function of this file is."""

        async def run(event: Event, context: HookContext) -> Decision | None:
            return await self._call(file, function, event, context)

        return run

    async def close(self) -> None:
        """Kill the child and everything it started."""
        child, self._process = self._process, None
        if child is not None:
            process.kill_group(child.pid)
            await child.wait()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None

    async def _call(
        self, file: str, function: str, event: Event, context: HookContext
    ) -> Decision | None:
        child = await self._running(context)
        number, call = next(self._ids), _Call(context)
        self._calls[number] = call
        request = {
            "id": number,
            "file": file,
            "function": function,
            "event": event_to_json(event),
            "budget": context.budget.remaining(),
            "settings": dict(context.settings),
        }
        answered = False
        try:
            await _send(child, request)
            reply = await call.answer
            answered = True
        finally:
            self._calls.pop(number, None)
            if not answered:
                self._give_up(child, function)
        return _read_reply(reply)

    async def _running(self, context: HookContext) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is not None and self._process.returncode is None:
                return self._process
            command = (sys.executable, "-m", "pointsman.workers.child")
            environ = {**hook_environ(context), "PYTHONDONTWRITEBYTECODE": "1"}
            child = await process.start(
                command, cwd=self._base, environ=environ, stderr=asyncio.subprocess.DEVNULL
            )
            self._process = child
            self._reader = asyncio.create_task(self._read(child))
            return child

    def _give_up(self, child: asyncio.subprocess.Process, function: str) -> None:
        """Kill a child that owes an answer: what blocks it can be ended in no other way."""
        process.kill_group(child.pid)
        if self._process is child:
            self._process = None
        self._fail_all(f"its worker was killed because {function!r} did not answer")

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            while line := await child.stdout.readline():
                self._take(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            process.kill_group(child.pid)
            self._fail_all(f"its worker spoke out of turn: {error}")
        await child.wait()
        if self._process is child:
            self._process = None
            self._fail_all(f"its worker ended with exit code {child.returncode}")

    def _take(self, message: Mapping[str, Any]) -> None:
        call = self._calls.get(message["id"])
        if call is None:
            return
        if "piece" in message:
            call.context.pieces.append(str(message["piece"]))
        elif "line" in message:
            call.context.log(str(message["line"]), **message["fields"])
        elif not call.answer.done():
            call.answer.set_result(message)

    def _fail_all(self, reason: str) -> None:
        for call in self._calls.values():
            if not call.answer.done():
                call.answer.set_result({"error": reason})


async def _send(child: asyncio.subprocess.Process, request: Mapping[str, Any]) -> None:
    assert child.stdin is not None  # noqa: S101 - a pipe was asked for
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.write(json.dumps(request, default=str).encode() + b"\n")
        await child.stdin.drain()


def _read_reply(reply: Mapping[str, Any]) -> Decision | None:
    error = reply.get("error")
    if error is not None:
        raise HookError(str(error))
    return decision_from_json(reply.get("decision"))


def alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
