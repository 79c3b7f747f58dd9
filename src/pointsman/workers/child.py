"""The child process in which the Python hooks of one file run.

It reads JSON lines on what was its stdin: first what it may load, then one request a line. It
answers in JSON lines on what was its stdout; the hooks' own prints go nowhere, so that they
cannot forge an answer, and their own reads find nothing, so that they cannot take a request.
When the daemon is gone the whole process group goes too.
"""

import asyncio
import inspect
import json
import os
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import anyio.to_thread

from pointsman.model.budget import Budget
from pointsman.model.canonical import decision_to_json, event_from_json
from pointsman.model.decision import Decision
from pointsman.model.hook import HookContext
from pointsman.workers.verified import Verified


class Child:
    """Loads a hook file once, runs its functions, and answers."""

    def __init__(self, out: int, file: str, loader: Verified) -> None:
        self._out = out
        self._file = file
        self._loader = loader
        self._module: types.ModuleType | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._writing = threading.Lock()

    def take(self, request: Mapping[str, Any]) -> None:
        """Begin with one request; each runs beside the others."""
        task = asyncio.ensure_future(self._answer(request))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self, request: Mapping[str, Any]) -> None:
        number = request["id"]
        with anyio.move_on_after(max(0.0, request["budget"])) as scope:
            try:
                decision = await self._run(request)
                given = decision_to_json(decision) if decision is not None else None
                self.send(id=number, decision=given)
            except asyncio.CancelledError:
                # The end of the budget, which is the scope's to see; all else is the hook's doing.
                raise
            except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
                self.send(id=number, error=self._told(error))
            return
        if scope.cancelled_caught:
            self.send(id=number, late=True)

    async def _run(self, request: Mapping[str, Any]) -> Decision | None:
        # Not when the child starts: what goes wrong while it is loaded is the answer to a call.
        if self._module is None:
            self._module = self._loader.main(self._file)
        function = getattr(self._module, request["function"])
        event = event_from_json(request["event"])
        context = self._context(request)
        if inspect.iscoroutinefunction(function):
            answer = await function(event, context)
        else:
            # A thread cannot be cancelled: without this the end of the budget would wait for it.
            answer = await anyio.to_thread.run_sync(
                function, event, context, abandon_on_cancel=True
            )
        if answer is not None and not isinstance(answer, Decision):
            raise TypeError(f"it returned {type(answer).__name__}, neither a Decision nor None")
        return answer

    def _context(self, request: Mapping[str, Any]) -> HookContext:
        number = request["id"]
        return HookContext(
            budget=Budget.of(request["budget"]),
            log=lambda message, /, **fields: self.send(id=number, line=message, fields=fields),
            settings=request["settings"],
            pieces=_Pieces(lambda text: self.send(id=number, piece=text)),
        )

    def _told(self, error: BaseException) -> str:
        """Say what was raised, and where in the hook's file."""
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == self._file]
        where = f" ({self._file}:{lines[-1]})" if lines else ""
        try:
            text = str(error)
        except Exception:  # noqa: BLE001 - foreign code, too
            text = "it cannot say why"
        return f"{type(error).__name__}: {text[:2000]}{where}"

    def send(self, **message: Any) -> None:
        """Send one line; hooks in threads send too."""
        data = json.dumps(message, default=str).encode() + b"\n"
        with self._writing:
            while data:
                data = data[os.write(self._out, data) :]


class _Pieces(list[str]):
    """The pieces of context of one call: appending sends them, so a timeout loses none."""

    def __init__(self, send: Callable[[str], None]) -> None:
        super().__init__()
        self._send = send

    def append(self, text: str) -> None:
        self._send(text)


async def serve(requests: int, out: int) -> None:
    """Answer requests until whoever sends them is gone."""
    loop = asyncio.get_running_loop()
    with os.fdopen(requests, "rb") as lines:
        first = json.loads(lines.readline())
        loader = Verified(first["folder"], first["sources"])
        # Ahead of what is installed: `import _helper` means the trusted file beside the hook.
        sys.meta_path.insert(0, loader)
        child = Child(out, first["file"], loader)
        thread = threading.Thread(target=_read, args=(lines, loop, child.take), daemon=True)
        thread.start()
        child.send(ready=True)
        await asyncio.Event().wait()


def _read(lines: Any, loop: asyncio.AbstractEventLoop, take: Callable[[Any], None]) -> None:
    """Hand requests to the loop; at their end everything here ends, even what blocks the loop."""
    for line in lines:
        loop.call_soon_threadsafe(take, json.loads(line))
    # Only as the leader of a group: else this would end the group of whoever started it.
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Serve, with nothing left on stdin and stdout for a hook to meddle with."""
    # These copies are not inherited: a program that a hook starts cannot speak to the daemon.
    requests, out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    asyncio.run(serve(requests, out))


if __name__ == "__main__":
    main()
