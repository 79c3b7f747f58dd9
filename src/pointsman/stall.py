"""A heartbeat for asyncio that names the tool which held the event loop: for agents in Python.

The loop beats; a thread listens. When no beat has come for ``after_s`` seconds, the thread looks at
the stack of the loop's thread while the loop is still held, and says what stands there: the
innermost function of your own, and the tool around it if it is known::

    from pointsman.stall import tool, watching

    @tool("search")
    def search(query: str) -> str: ...

    async with watching(after_s=0.2, report=lambda stall: print(stall.as_json())):
        await agent.run()

What computes is noticed as well as what waits. Every stall is logged once, while it lasts, to the
logger ``pointsman.stall``, and once more with its length when the loop turns again. It needs
nothing but the standard library; a beat costs one callback of the loop, by default 20 times a
second.
"""

import asyncio
import contextlib
import functools
import inspect
import json
import logging
import sys
import sysconfig
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any, Self, TypeVar, cast

_F = TypeVar("_F", bound=Callable[..., Any])
_log = logging.getLogger("pointsman.stall")
_MOST_FRAMES = 64
_LIBRARIES = tuple(
    f"{Path(each)}/" for each in {sysconfig.get_path(name) for name in
    ("stdlib", "platstdlib", "purelib", "platlib")}
)  # fmt: skip
_OWN = str(Path(__file__))
_running: dict[int, list[str]] = {}
"""For every thread the tools that run in it right now, the innermost last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """One time that the loop did not turn.

    ``seconds`` is how long it has been held when it is noticed, the whole length once ``over``;
    ``tool`` is empty where none is known; ``stack`` has the innermost call first, as
    ``function (file:line)``.
    """

    tool: str
    function: str
    file: str
    line: int
    seconds: float
    stack: tuple[str, ...]
    over: bool = False

    def __str__(self) -> str:
        """Return it in a sentence."""
        who = f"tool {self.tool} " if self.tool else ""
        verb = "held" if self.over else "has been holding"
        place = f"{self.function} ({self.file}:{self.line})"
        return f"{who}{verb} the event loop for {self.seconds:.3f} s in {place}"

    def as_json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps({"event": "stall", **asdict(self)})


class tool(contextlib.ContextDecorator):  # noqa: N801 - it is used like a function
    """Names what runs: ``with tool("search"):`` or ``@tool("search")`` on a function.

    An asynchronous function bears the name only while it runs: not while it awaits, as another
    tool may hold the loop then.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, function: _F) -> _F:
        """Return the function, which bears the name while it runs."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def named(*args: Any, **kwargs: Any) -> Any:
                return await _Named(self.name, function(*args, **kwargs))

            return cast("_F", named)

        return super().__call__(function)

    def __enter__(self) -> Self:
        """Bear the name; do not ``await`` within."""
        _running.setdefault(threading.get_ident(), []).append(self.name)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it."""
        thread = threading.get_ident()
        names = _running.get(thread)
        if names:
            names.pop()
            if not names:
                _running.pop(thread, None)


class _Named:
    """Drives a coroutine; its name is borne during each of its steps, not between them."""

    def __init__(self, name: str, inner: Any) -> None:
        self._name, self._inner = name, inner

    def __await__(self) -> Generator[Any, Any, Any]:
        send: Callable[[Any], Any] = self._inner.send
        value: Any = None
        while True:
            try:
                with tool(self._name):
                    waited = send(value)
            except StopIteration as done:
                return done.value
            try:
                value = yield waited
                send = self._inner.send
            except BaseException as error:  # noqa: BLE001 - handed on to the coroutine, as await does
                value, send = error, self._inner.throw


class Heart:
    """What the loop's beats and the thread's looks have in common; the clock may be another's."""

    def __init__(
        self,
        after_s: float,
        report: Callable[[Stall], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if after_s <= 0:
            raise ValueError(f"after_s is {after_s}: seconds above 0 are wanted")
        self.after_s = after_s
        self._report = report
        self._clock = clock
        self._thread = threading.get_ident()
        self._beat = clock()
        self._lock = threading.Lock()
        self._open: Stall | None = None

    def beat(self) -> None:
        """Say that the loop turns; called in its thread."""
        with self._lock:
            now, last = self._clock(), self._beat
            self._beat = now
            stall, self._open = self._open, None
        if stall is not None:
            self._tell(replace(stall, seconds=now - last, over=True))

    def look(self) -> Stall | None:
        """Return the stall that is going on, once for each; called in another thread."""
        with self._lock:
            held = self._clock() - self._beat
            if held < self.after_s or self._open is not None:
                return None
            stall = _seen(self._thread, held)
            self._open = stall
        if stall is not None:
            self._tell(stall)
        return stall

    def _tell(self, stall: Stall) -> None:
        _log.warning("%s", stall)
        if self._report is None:
            return
        try:
            self._report(stall)
        except Exception:  # noqa: BLE001 - foreign code: it must not end the watch
            _log.exception("the report of a stall failed")


@contextlib.asynccontextmanager
async def watching(
    after_s: float = 0.2, report: Callable[[Stall], object] | None = None
) -> AsyncIterator[Heart]:
    """Watch the running loop.

    ``report`` gets each stall twice: noticed, in the watching thread, and over, in the loop's.

    Raises:
        ValueError: ``after_s`` is not above 0.
    """
    heart = Heart(after_s, report)
    ended = threading.Event()
    every = after_s / 4

    async def beats() -> None:
        while True:
            heart.beat()
            await asyncio.sleep(every)

    def looks() -> None:
        while not ended.wait(every):
            heart.look()

    task = asyncio.create_task(beats(), name="pointsman.stall")
    thread = threading.Thread(target=looks, name="pointsman.stall", daemon=True)
    thread.start()
    try:
        yield heart
    finally:
        ended.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(thread.join)
        heart.beat()


def _seen(thread: int, seconds: float) -> Stall | None:
    """Return what a thread is at, ``None`` where it is gone."""
    frame = sys._current_frames().get(thread)
    frames: list[FrameType] = []
    while frame is not None and len(frames) < _MOST_FRAMES:
        frames.append(frame)
        frame = frame.f_back
    if not frames:
        return None
    own = next((each for each in frames if _is_own(each.f_code.co_filename)), frames[0])
    names = _running.get(thread)
    return Stall(
        tool=names[-1] if names else "",
        function=own.f_code.co_qualname,
        file=own.f_code.co_filename,
        line=own.f_lineno,
        seconds=seconds,
        stack=tuple(f"{each.f_code.co_qualname} ({each.f_code.co_filename}:{each.f_lineno})"
                    for each in frames),
    )  # fmt: skip


def _is_own(file: str) -> bool:
    """Whether a file is the user's: neither the interpreter's, nor installed, nor this one."""
    return file != _OWN and not file.startswith(("<", *_LIBRARIES))
