"""The child process in which the Python hooks of a repository run.

It reads one JSON request a line on stdin and answers in JSON lines on what was its stdout; the
hooks' own prints go to stderr, so that they cannot forge an answer.
"""

import asyncio
import importlib.util
import inspect
import json
import os
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from pointsman.model.budget import Budget
from pointsman.model.canonical import decision_to_json, event_from_json
from pointsman.model.decision import Decision
from pointsman.model.hook import HookContext

_MOST_REQUEST = 64 * 1024 * 1024


class Child:
    """Loads hook files once, runs their functions, and answers."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._modules: dict[str, types.ModuleType] = {}

    async def serve(self) -> None:
        """Answer requests until stdin ends; each runs beside the others."""
        reader = asyncio.StreamReader(limit=_MOST_REQUEST)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        running: set[asyncio.Task[None]] = set()
        while line := await reader.readline():
            task = asyncio.create_task(self._answer(json.loads(line)))
            running.add(task)
            task.add_done_callback(running.discard)

    async def _answer(self, request: Mapping[str, Any]) -> None:
        number = request["id"]
        try:
            decision = await self._run(request)
        except TimeoutError:
            return  # The daemon's own budget ends with ours; it kills what is left here.
        except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
            self._send(id=number, error=f"{type(error).__name__}: {error}")
            return
        self._send(id=number, decision=decision_to_json(decision) if decision else None)

    async def _run(self, request: Mapping[str, Any]) -> Decision | None:
        function = getattr(self._module(request["file"]), request["function"])
        event = event_from_json(request["event"])
        context = _Context(self, request)
        with anyio.fail_after(max(0.0, request["budget"])):
            if inspect.iscoroutinefunction(function):
                answer = await function(event, context.shared)
            else:
                answer = await anyio.to_thread.run_sync(
                    function, event, context.shared, abandon_on_cancel=True
                )
        if answer is not None and not isinstance(answer, Decision):
            raise TypeError(f"it returned {type(answer).__name__}, neither a Decision nor None")
        return answer

    def _module(self, file: str) -> types.ModuleType:
        module = self._modules.get(file)
        if module is None:
            name = f"pointsman_hook_{Path(file).stem}"
            spec = importlib.util.spec_from_file_location(name, file)
            if spec is None or spec.loader is None:
                raise ImportError(f"{file} is no Python file")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            self._modules[file] = module
        return module

    def _send(self, **message: Any) -> None:
        os.write(self._out, json.dumps(message, default=str).encode() + b"\n")

    def piece(self, number: int) -> Callable[[str], None]:
        """Return what sends a piece of context on its way at once."""
        return lambda text: self._send(id=number, piece=text)

    def line(self, number: int) -> Callable[..., None]:
        """Return what sends a log line on its way at once."""
        return lambda message, /, **fields: self._send(id=number, line=message, fields=fields)


class _Pieces(list[str]):
    """The pieces of context of one call: appending sends them, so a timeout loses none."""

    def __init__(self, send: Callable[[str], None]) -> None:
        super().__init__()
        self._send = send

    def append(self, text: str) -> None:
        self._send(text)


class _Context:
    """The context of one call, wired to the daemon."""

    def __init__(self, child: Child, request: Mapping[str, Any]) -> None:
        number = request["id"]
        self.shared = HookContext(
            budget=Budget.of(request["budget"]),
            log=child.line(number),
            settings=request["settings"],
            pieces=_Pieces(child.piece(number)),
        )


def main() -> None:
    """Serve until stdin ends."""
    out = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(Child(out).serve())


if __name__ == "__main__":
    main()
