"""The hooks that a user writes in Python run here, not in the daemon.

One resident child per hook file and role speaks JSON lines over its pipes (``child.py``). A hook
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
from pathlib import Path
from typing import Any

import anyio

from pointsman.model.canonical import decision_from_json, event_to_json
from pointsman.model.decision import Decision
from pointsman.model.errors import HookError
from pointsman.model.event import Event
from pointsman.model.hook import HookContext
from pointsman.workers import process
from pointsman.workers.executable import base_environ

MOST_SENT = process.MOST_OUTPUT
"""Bytes of context and log lines that a hook may send in one call."""

_REPLY_GRACE = 0.1
"""Seconds past the budget in which the child may still report that it ran out of it."""

_START_WITHIN = 30.0
"""Seconds that an interpreter has to start; calls may run out of their budgets meanwhile."""

_COMMAND = (sys.executable, "-I", "-B", "-m", "pointsman.workers.child")
"""Isolated: what lies in the repository's root cannot take the place of a module."""


class _Call:
    """One call that the child owes an answer."""

    def __init__(self, context: HookContext) -> None:
        self.context = context
        self.sent = 0
        self.answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()


class _Child:
    """One life of the child process."""

    def __init__(self, group: process.Group) -> None:
        self.group = group
        self.calls: dict[int, _Call] = {}
        self.ready = asyncio.Event()
        self.failed = ""
        self._unasked = 0
        self._reading = asyncio.ensure_future(self._read())
        self._watching = asyncio.ensure_future(self._watch())

    def fail(self, reason: str) -> None:
        """End it for good; whoever waits for an answer learns why there is none."""
        self.group.kill()
        # The first reason stands: what comes later follows from it.
        self.failed = self.failed or reason
        # Also for those who wait for a start that will not come: they look at `failed` next.
        self.ready.set()
        for call in self.calls.values():
            if not call.answer.done():
                call.answer.set_result({"error": self.failed})

    async def close(self) -> None:
        """Kill it and everything it started, and wait for that."""
        self.fail("its worker was closed")
        self._reading.cancel()
        await self.group.end()
        await asyncio.gather(self._reading, self._watching, return_exceptions=True)

    def write(self, message: Mapping[str, Any]) -> None:
        """Queue a message; one that has died will be noticed by the one who waits for it."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.group.stdin.write(json.dumps(message, default=str).encode() + b"\n")

    async def _watch(self) -> None:
        try:
            async with asyncio.timeout(_START_WITHIN):
                await self.ready.wait()
        except TimeoutError:
            self.fail(f"its worker did not start within {_START_WITHIN:g} s")
        code = await self.group.wait()
        with contextlib.suppress(TimeoutError):
            # What it said before it ended still counts, though a fork of it may hold the pipe.
            await asyncio.wait_for(asyncio.shield(self._reading), _REPLY_GRACE)
        self.fail(f"its worker ended with exit code {code}")
        self._reading.cancel()
        await self.group.end()

    async def _read(self) -> None:
        try:
            while line := await self.group.stdout.readline():
                self._take(json.loads(line), len(line))
                await asyncio.sleep(0)  # A flood must not keep the daemon from everybody else.
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            self.fail(f"its worker spoke out of turn: {error}")

    def _take(self, message: Mapping[str, Any], size: int) -> None:
        if message.get("ready"):
            self.ready.set()
            return
        call = self.calls.get(message["id"])
        if call is None or call.answer.done():
            self._unasked += size
            if self._unasked > MOST_SENT:
                self.fail(f"a call that was over sent more than {MOST_SENT} bytes")
        elif "piece" in message or "line" in message:
            self._take_word(call, message, size)
        else:
            call.answer.set_result(message)

    def _take_word(self, call: _Call, message: Mapping[str, Any], size: int) -> None:
        call.sent += size
        if call.sent > MOST_SENT:
            self.fail(f"it sent more than {MOST_SENT} bytes of context and log lines")
        elif "piece" in message:
            call.context.inject(str(message["piece"]))
        else:
            call.context.log(str(message["line"]), **message["fields"])


class PythonWorker:
    """The resident child for one hook file, started anew when it has died."""

    def __init__(self, file: str, base: str, sources: Mapping[str, str]) -> None:
        self._hello = {"file": file, "folder": str(Path(file).parent), "sources": dict(sources)}
        self._base = base
        self._child: _Child | None = None
        self._ids = itertools.count(1)
        self._starting = asyncio.Lock()
        self._asked = 0

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer."""
        return self._asked > 0

    @property
    def pid(self) -> int | None:
        """The child's process id, which is that of its group, while there is one."""
        return self._child.group.pid if self._child and not self._child.failed else None

    def hook(self, function: str) -> Callable[[Event, HookContext], Awaitable[Decision | None]]:
        """Return the body of the hook that this function of the file is."""

        async def run(event: Event, context: HookContext) -> Decision | None:
            self._asked += 1
            try:
                return await self._call(function, event, context)
            finally:
                self._asked -= 1

        return run

    async def close(self) -> None:
        """Kill the child and everything it started."""
        child, self._child = self._child, None
        if child is not None:
            await child.close()

    async def _call(self, function: str, event: Event, context: HookContext) -> Decision | None:
        child = await self._running()
        await child.ready.wait()
        number, call = next(self._ids), _Call(context)
        child.calls[number] = call
        if child.failed:
            raise HookError(child.failed)
        child.write(
            {
                "id": number,
                "function": function,
                "event": event_to_json(event),
                "budget": context.budget.remaining(),
                "settings": dict(context.settings),
            }
        )
        try:
            # Shielded: a cancelled future could not tell any more whether the child still answers.
            reply = await asyncio.shield(call.answer)
        except asyncio.CancelledError:
            await self._give_up(child, call, function)
            raise
        finally:
            child.calls.pop(number, None)
        if "late" in reply:
            await asyncio.Event().wait()  # The daemon's own budget ends at the same time.
        return _read_reply(reply)

    async def _running(self) -> _Child:
        # Starting awaits: two calls that find no child must not start two.
        async with self._starting:
            if self._child is None or self._child.failed or self._child.group.ended:
                environ = base_environ()
                # What hooks print is lost: a pipe that nobody reads would fill up and block them.
                group = await process.start(
                    _COMMAND, cwd=self._base, environ=environ, stderr=asyncio.subprocess.DEVNULL
                )
                self._child = _Child(group)
                self._child.write(self._hello)
            return self._child

    @staticmethod
    async def _give_up(child: _Child, call: _Call, function: str) -> None:
        """Kill a child that owes an answer: what blocks it can be ended in no other way.

        One that says in time that the call is over is sound, and stays.
        """
        with anyio.CancelScope(shield=True), anyio.move_on_after(_REPLY_GRACE):
            await asyncio.wait({call.answer})
        if not call.answer.done():
            child.fail(f"its worker was killed because {function!r} did not answer")


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
