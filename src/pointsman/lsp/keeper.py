"""The language servers of one daemon: one for each root and language, shared by all sessions."""

import asyncio
import os
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pointsman.lsp import asking
from pointsman.lsp.find import OWN, Found, Where, find
from pointsman.lsp.process import Guard, environ_for, group_memory
from pointsman.lsp.server import HANGS_AFTER, Server
from pointsman.lsp.table import EXTENSIONS, FAMILIES
from pointsman.model.code import Ask, Declaration, Declared, Use, Used
from pointsman.model.errors import ServerError

_TICK = 2.0
_LOOK_AGAIN = 30.0
"""Seconds after which a server that was not there is looked for again."""
_TRUST_AGAIN = 30.0
"""Seconds after which it is looked anew whether those that run still may."""
_MOST_ASKS = 64
_TROUBLE = 600.0
"""Seconds for which a failure counts."""
_MOST_FAILURES = 3
"""Failures within that time after which the next kind of server has its turn, or none."""
_MOST_SLOTS = 64
_SAID = 300

Report = Callable[[str, str], None]
T = TypeVar("T", Declaration, Use)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Under what terms servers are kept."""

    enabled: bool = True
    most: int = 4
    """Servers at the same time; the one that was asked longest ago makes room."""
    idle: float = 900.0
    """Seconds without a question after which a server is ended."""
    memory: int = 1536 * 1024 * 1024
    """Resident bytes of a server's whole process group beyond which it is ended."""


@dataclass(slots=True)
class Slot:
    """The place of one root and language: its server, and what became of those before."""

    root: str
    family: str
    server: Server | None = None
    starting: "asyncio.Task[None] | None" = None
    used: float = field(default_factory=time.monotonic)
    not_before: float = 0.0
    failures: dict[str, deque[float]] = field(default_factory=dict)
    problem: str = ""
    answered: int = 0

    def failed_lately(self, kind: str) -> int:
        """Return how often a kind of server has failed lately."""
        failures = self.failures.setdefault(kind, deque(maxlen=2 * _MOST_FAILURES))
        while failures and time.monotonic() - failures[0] > _TROUBLE:
            failures.popleft()
        return len(failures)


class Keeper:
    """Implements ``CodeServers`` with servers that are started when they are needed."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        trusted: Callable[[str], bool] = lambda _root: False,
        report: Report = lambda _kind, _text: None,
        terms: Callable[[], Terms] = Terms,
        own: str = OWN,
    ) -> None:
        self._environ = environ
        self._trusted = trusted
        self.report = report
        self._terms = terms
        self._own = own
        self._slots: dict[tuple[str, str], Slot] = {}
        self._guard = Guard()
        self._tending: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def seen(self, root: str, language: str) -> None:
        """Learn that a repository has files of a language: its server may be started. Quick."""
        family = FAMILIES.get(language, "")
        if not family or self._closed:
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            # An index that is built in a thread; before the first question there is no loop yet.
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.seen, root, language)
            return
        self._wanted(self._slot(root, family))

    async def declarations(
        self, root: str, path: str, asks: Sequence[Ask], seconds: float
    ) -> Declared:
        """Return what the names stand for, within ``seconds``."""
        told: _Told[Declaration] = _Told(asking.declarations)
        await self._asked(root, path, asks, seconds, told)
        return Declared(tuple(told.items), told.problem, told.stale, told.server)

    async def uses(self, root: str, path: str, asks: Sequence[Ask], seconds: float) -> Used:
        """Return who uses what is declared at these places (declarations left out)."""
        told: _Told[Use] = _Told(asking.uses)
        await self._asked(root, path, asks, seconds, told)
        return Used(tuple(told.items), told.problem, told.stale, told.server)

    def status(self) -> list[dict[str, Any]]:
        """Return what ``pointsman status`` shows: one row for each root and language."""
        now = time.monotonic()
        return [
            {
                "root": slot.root,
                "language": slot.family,
                "server": slot.server.name if slot.server else "",
                "program": slot.server.launch.command[0] if slot.server else "",
                "state": slot.server.state if slot.server else "not running",
                "busy": slot.server.owes if slot.server else False,
                "pid": slot.server.pid if slot.server else None,
                "memory": slot.server.memory if slot.server else None,
                "ready_after_s": slot.server.ready_after if slot.server else None,
                "idle_s": round(now - slot.used, 1),
                "answered": slot.answered,
                "problem": slot.problem,
            }
            for slot in self._slots.values()
        ]

    async def close(self) -> None:
        """End every server, and what watches over them."""
        self._closed = True
        tasks = [slot.starting for slot in self._slots.values() if slot.starting]
        tasks += [self._tending] if self._tending else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        servers = [slot.server for slot in self._slots.values() if slot.server]
        for slot in self._slots.values():
            slot.server = None
        await asyncio.gather(*(each.close(ServerError("was ended")) for each in servers))
        await asyncio.gather(*self._ending, return_exceptions=True)
        await asyncio.to_thread(self._guard.close)

    async def _asked(
        self, root: str, path: str, asks: Sequence[Ask], seconds: float, told: "_Told[T]"
    ) -> None:
        """Put all questions at once, and keep what is answered in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        family = EXTENSIONS.get(os.path.splitext(path)[1], ("", ""))[0]
        if "\0" in root + path:
            told.problem = f"{root!r}, {path!r}: no path has a NUL in it"
            return
        if not family or not asks:
            told.problem = "" if family else f"{path} is of no language that a server here knows"
            return
        slot = self._slot(root, family)
        slot.used = time.monotonic()
        server = await self._server(slot, deadline)
        if server is None:
            told.problem = slot.problem or f"the server for {family} is being looked for"
            return
        told.server = server.name
        looking = server.told_changes()
        tasks = {
            asyncio.ensure_future(told.question(server, ask)): ask for ask in asks[:_MOST_ASKS]
        }
        try:
            await asyncio.wait(tasks, timeout=max(0.0, deadline - loop.time()))
        finally:
            for task in tasks:
                task.cancel()
        # Not waited for: a look at a large tree takes longer than all the answers.
        told.stale = looking is not None and (not looking.done() or looking.result() > 0)
        _collect(told, server, tasks, seconds)
        slot.answered += sum(task.done() and not task.cancelled() for task in tasks)
        if len(asks) > _MOST_ASKS:
            told.say(f"{len(asks)} questions at once, of which {_MOST_ASKS} were put")

    async def _server(self, slot: Slot, deadline: float) -> Server | None:
        """Return the server, once it is found and started; ``None`` where there is none in time."""
        self._wanted(slot)
        if slot.starting is not None:
            left = deadline - asyncio.get_running_loop().time()
            await asyncio.wait([slot.starting], timeout=max(0.0, left))
        return slot.server

    def _slot(self, root: str, family: str) -> Slot:
        key = (os.path.realpath(root), family)
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = Slot(*key)
            self._forget_oldest()
        return slot

    def _forget_oldest(self) -> None:
        idle = [slot for slot in self._slots.values() if not slot.server and not slot.starting]
        if len(self._slots) > _MOST_SLOTS and idle:
            oldest = min(idle, key=lambda slot: slot.used)
            del self._slots[oldest.root, oldest.family]

    def _wanted(self, slot: Slot) -> None:
        """Begin to start a slot's server, unless it runs or must not be tried yet."""
        if slot.server is not None or slot.starting is not None or self._closed:
            return
        if not self._terms().enabled:
            slot.problem = "language servers are switched off ([code_servers] enabled = false)"
        elif time.monotonic() >= slot.not_before:
            if self._tending is None:
                self._loop = asyncio.get_running_loop()
                self._tending = asyncio.ensure_future(self._tend_for_ever())
            slot.starting = asyncio.ensure_future(self._start(slot))

    async def _start(self, slot: Slot) -> None:
        try:
            found = await asyncio.to_thread(self._find, slot)
            launches = [
                each for each in found.launches
                if slot.failed_lately(each.kind.name) < _MOST_FAILURES
            ]  # fmt: skip
            if not launches:
                # What was said of the last failure stays: it names the cause.
                slot.problem = found.problem or slot.problem
                slot.not_before = time.monotonic() + _LOOK_AGAIN
            elif not self._make_room(slot):
                slot.problem = f"{self._terms().most} language servers run, and all are in use"
                slot.not_before = time.monotonic() + _IN_USE
            else:
                path = Where(slot.root, False, self._environ.get("PATH", "")).safe_path()
                environ = environ_for(self._environ) | {"PATH": path}
                slot.server = Server(launches[0], slot.root, environ, self._guard, self._gone)
        finally:
            slot.starting = None

    def _find(self, slot: Slot) -> Found:
        path = self._environ.get("PATH", "")
        return find(slot.family, Where(slot.root, self._trusted(slot.root), path, self._own))

    def _make_room(self, slot: Slot) -> bool:
        """End the server that was asked longest ago, if there are too many."""
        running = [each for each in self._slots.values() if each.server and each is not slot]
        if len(running) < self._terms().most:
            return True
        oldest = min(running, key=lambda each: each.used, default=None)
        if oldest is None or time.monotonic() - oldest.used < _IN_USE:
            return False
        self._end(oldest, "was ended: others were needed")
        return True

    def _end(self, slot: Slot, why: str) -> None:
        """End a server that has done nothing wrong."""
        server, slot.server = slot.server, None
        slot.problem = ""
        if server is not None:
            self._later(server.close(ServerError(why)))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _gone(self, server: Server, error: ServerError) -> None:
        """Take note of a server that is gone though nobody wanted it to be."""
        slot = next((each for each in self._slots.values() if each.server is server), None)
        if slot is None:
            return
        slot.server = None
        count = slot.failed_lately(server.name) + 1
        slot.failures[server.name].append(time.monotonic())
        # Jittered: servers that fall over together do not come back together.
        wait = 2.0 ** (count - 1) * (0.5 + random.random())  # noqa: S311 - no secret is made of it
        slot.not_before = time.monotonic() + wait
        more = f"it is started again in {wait:.0f} s at the earliest"
        if count >= _MOST_FAILURES:
            more = f"{count} times within ten minutes; it is not started again for now"
        slot.problem = f"{server.name} {error}; {more}"
        self.report("language server failed", f"{server.name} in {slot.root} {error}; {more}")

    async def _tend_for_ever(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(_TICK)
            await self._tend()
            if time.monotonic() - looked > _TRUST_AGAIN:
                await self._end_what_may_not_run()
                looked = time.monotonic()

    async def _end_what_may_not_run(self) -> None:
        """End what has lost the trust that it was started with, or is not installed any more."""
        for slot in [slot for slot in self._slots.values() if slot.server]:
            found = await asyncio.to_thread(self._find, slot)
            if slot.server is not None and slot.server.launch not in found.launches:
                self._end(slot, "was ended: it may not be used here any more")
                slot.problem = found.problem

    async def _tend(self) -> None:
        """End what is idle, too large or hangs."""
        terms = self._terms()
        slots = [slot for slot in self._slots.values() if slot.server]
        groups = {slot.server.pid for slot in slots if slot.server and slot.server.pid}
        resident = await asyncio.to_thread(group_memory, groups)
        for slot in slots:
            server = slot.server
            if server is None:
                continue
            server.memory = resident.get(server.pid or 0)
            if time.monotonic() - slot.used > terms.idle or not terms.enabled:
                self._end(slot, "was ended: nobody asked it any more")
            elif (server.memory or 0) > terms.memory:
                size = f"{(server.memory or 0) >> 20} MB, more than {terms.memory >> 20}"
                self._later(server.close(ServerError(f"was ended: it has taken {size}")))
            elif server.hangs:
                why = f"hangs: not a byte for {HANGS_AFTER:.0f} s"
                self._later(server.close(ServerError(why)))


_IN_USE = 10.0
_Question = Callable[[Server, Ask], Coroutine[Any, Any, tuple[list[T], bool]]]


@dataclass(slots=True)
class _Told(Generic[T]):
    """What has been answered so far, the reasons for what has not, and by whom."""

    question: _Question[T]
    items: list[T] = field(default_factory=list)
    problem: str = ""
    stale: bool = False
    server: str = ""

    def say(self, reason: str) -> None:
        """Add a reason."""
        self.problem = f"{self.problem}; {reason}" if self.problem else reason


def _collect(
    told: _Told[T],
    server: Server,
    tasks: "Mapping[asyncio.Task[tuple[list[T], bool]], Ask]",
    seconds: float,
) -> None:
    """Put together what was answered, and say of the rest why it was not."""
    late: list[str] = []
    reasons: dict[str, list[str]] = {}
    for task, ask in tasks.items():
        if not task.done() or task.cancelled():
            late.append(ask.name)
        elif (error := task.exception()) is not None:
            reasons.setdefault(_reason(error), []).append(ask.name)
        else:
            items, stale = task.result()
            told.items += items
            told.stale = told.stale or stale
    for reason, names in reasons.items():
        told.say(f"{server.name}: {reason} (for {_listed(names)})")
    if late:
        told.say(f"{server.name} {server.doing()}: no answer in {seconds:g} s for {_listed(late)}")


def _reason(error: BaseException) -> str:
    if isinstance(error, ServerError):
        return str(error)
    # A bug of ours, or an answer of a shape that nobody has thought of: it costs this answer alone.
    return f"its answer could not be read: {type(error).__name__}: {error}"[:_SAID]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(name[:60] for name in names[:5]) + more
