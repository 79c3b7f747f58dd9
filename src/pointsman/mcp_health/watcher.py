"""Probes servers beside the daemon's loop: when a session begins, and when a breaker is due.

A probe is a thread of its own with a deadline. Nobody on an agent's way waits for one but the start
of a session, and that within its budget.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pointsman.mcp_health.board import Board, Settings, may_be_probed
from pointsman.mcp_health.book import Book, Entry
from pointsman.mcp_health.breaker import PROBE
from pointsman.mcp_health.discover import servers
from pointsman.mcp_health.look import Look
from pointsman.mcp_health.stdio_channel import end_all
from pointsman.model.alert import Finding, Severity
from pointsman.model.event import Event
from pointsman.model.server_health import ANSWERS, Health, Phase, Refusal, Server, Standing, Verdict

_T = TypeVar("_T")
_MOST_ASKED = 32
_UNASKED = frozenset({"sdk-cli"})
"""Measured: so started, Claude Code starts a repository's servers without asking anybody."""
_AGAIN = 0.2
"""Seconds after which a server that is down is asked once more: it may be starting anew."""
FRESH, TIMEOUT = 60.0, 10.0
_MOST_TIMEOUT = 60.0

Probe = Callable[[Server, float, Mapping[str, str]], Health]


def _probed(server: Server, within: float, environ: Mapping[str, str]) -> Health:
    # HTTP is loaded with the first probe: no event's way needs it.
    from pointsman.mcp_health.probe import probe  # noqa: PLC0415

    return probe(server, within, environ)


Report = Callable[[str, str], None]


class Watcher:
    """One for the whole daemon; it is what hooks know as ``Servers``."""

    def __init__(
        self,
        path: Path,
        settings: Settings,
        environ: Callable[[], Mapping[str, str]],
        *,
        ask: Probe = _probed,
        cover: Callable[[str], str] = str,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.book = Book(path)
        self.board = Board(self.book, settings, clock, cover)
        self.board.changed = self._moved
        self.on_finding: Callable[[Finding], None] = lambda _finding: None
        self._settings, self._environ = settings, environ
        self._ask, self._clock = ask, clock
        self._running: dict[str, asyncio.Task[None]] = {}
        self._news: list[tuple[str, str]] = []
        self._complaint = ""
        if self.book.problem:
            self._news.append(("mcp health", self.book.problem))

    # --- for hooks ---------------------------------------------------------------------------

    def watched(self, event: Event) -> bool:
        """Return whether the breaker of the called server is anything but closed."""
        return self.board.watched(event)

    def refusal(self, event: Event) -> Refusal | None:
        """Return why a call is held up."""
        return self.board.refusal(event)

    def down(self, name: str, event: Event) -> str:
        """Return why a server is not to be relied upon."""
        return self.board.down(name, event)

    def saw(self, event: Event) -> None:
        """Take in what has become of calls; it never raises."""
        try:
            self.board.saw(event)
        except Exception as error:  # noqa: BLE001 - what only watches must not cost the daemon
            self._complain(f"a call could not be counted: {type(error).__name__}: {error}")

    async def at_start(
        self, event: Event, within: float, settings: Mapping[str, Any]
    ) -> Sequence[Standing]:
        """Probe the servers of a session that begins; after ``within`` seconds answer as it is.

        A probe that is not done by then goes on, and what it finds counts later.
        """
        began = time.monotonic()
        look = self._look(event)
        found = await beside(lambda: servers(look, (event.identity.host,)))
        for problem in look.problems:
            self._complain(problem)
        wanted = [each for each in found if each.name not in settings.get("skip", ())]
        entries = [self.book.known(each, event.host_config) for each in wanted[:_MOST_ASKED]]
        tasks = [self._probing(entry) for entry in entries if self._is_due(entry, settings)]
        left = within - (time.monotonic() - began)
        if tasks and left > 0:
            await asyncio.wait(tasks, timeout=left)
        return [self._standing(entry) for entry in entries]

    def _is_due(self, entry: Entry, settings: Mapping[str, Any]) -> bool:
        """Whether a server is to be asked: a good answer of the last minute is good enough."""
        health = entry.health
        if health is None or health.verdict not in ANSWERS:
            return True
        age = self._clock() - health.at_ns
        return not 0 <= age < settings.get("fresh", FRESH) * 1e9

    def _standing(self, entry: Entry) -> Standing:
        now = self.book.entries.get(entry.key, entry)
        assert entry.server is not None  # noqa: S101 - it was just found declared
        health = None if entry.key in self._running else now.health
        return Standing(server=entry.server, health=health, breaker=now.breaker)

    def _look(self, event: Event) -> Look:
        who, environ = event.identity, self._environ()
        return Look(
            home=home_of(environ), repository=who.repository or "", cwd=who.cwd,
            host_config=event.host_config, environ=environ,
            attended=event.entrypoint not in _UNASKED,
        )  # fmt: skip

    # --- for the daemon ----------------------------------------------------------------------

    async def tick(self, report: Report) -> None:
        """Begin the probes that are due, say what has changed, keep the file up to date."""
        try:
            await self._begin()
        except Exception as error:  # noqa: BLE001 - what only watches must not cost the daemon
            self._complain(f"no probe could begin: {type(error).__name__}: {error}")
        news, self._news = self._news, []
        for kind, text in news:
            report(kind, text)
        self.keep()

    async def _begin(self) -> None:
        for entry in self.board.due():
            await self._try_again(entry)
        wanted, self.board.wanted = list(self.board.wanted), {}
        for key in wanted:
            unclear = self.book.entries.get(key)
            found = await self._declared(unclear) if unclear is not None else None
            if found is not None:
                self._probing(found)

    async def settle(self) -> None:
        """Wait for the probes that are under way."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    async def _try_again(self, entry: Entry) -> None:
        if entry.key in self._running:
            return
        found = await self._declared(entry) if may_be_probed(entry) else None
        if found is None:
            self.board.waited(entry)
        else:
            self._probing(found)

    async def _declared(self, entry: Entry) -> Entry | None:
        """Return a server with its declaration, looked up where this process has not yet."""
        if entry.server is not None:
            return entry
        environ = self._environ()
        look = Look(
            home=home_of(environ), repository=entry.root, host_config=entry.config, environ=environ,
            # It was probed before, so whoever had to approve of it has.
            attended=entry.health is None,
        )  # fmt: skip
        found = await beside(lambda: servers(look, (entry.host,)))
        same = (each for each in found if each.key == entry.key)
        server = next(same, None)
        return None if server is None else self.book.known(server, entry.config)

    def keep(self) -> None:
        """Write the file, if it is behind."""
        if not self.book.dirty:
            return
        try:
            self.book.save()
            self._complaint = ""
        except OSError as error:
            self._complain(f"{self.book.path} cannot be written: {error}")

    async def close(self) -> None:
        """End what is under way, and keep what is known."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        end_all()
        if running:
            await asyncio.wait(running, timeout=1.0)
        self.keep()

    # --- probes ------------------------------------------------------------------------------

    def _probing(self, entry: Entry) -> asyncio.Task[None]:
        """Return the probe of a server that is under way, or begin one."""
        task = self._running.get(entry.key)
        if task is None:
            task = asyncio.ensure_future(self._probe(entry))
            self._running[entry.key] = task
            task.add_done_callback(lambda _task: self._running.pop(entry.key, None))
        return task

    async def _probe(self, entry: Entry) -> None:
        server, environ = entry.server, self._environ()
        assert server is not None  # noqa: S101 - only what was found declared is probed
        within = min(self._settings(entry.root or None).get("timeout", TIMEOUT), _MOST_TIMEOUT)
        try:
            health = await beside(lambda: self._ask(server, within, environ))
            if health.verdict is Verdict.DOWN:
                await asyncio.sleep(_AGAIN)
                health = await beside(lambda: self._ask(server, within, environ))
        except Exception as error:  # noqa: BLE001 - a bug of the probe's says nothing of a server
            text = f"the probe itself failed: {type(error).__name__}: {error}"
            health = Health(verdict=Verdict.UNKNOWN, detail=text, at_ns=self._clock())
        self.board.take(entry, health)

    def _moved(self, entry: Entry) -> None:
        """Note what has changed; where it is a breaker that moved, the file knows at once."""
        if entry.breaker.phase is Phase.OPEN and entry.breaker.by == PROBE:
            # What failing calls find has a detector of its own (`watch/mcp_down.py`).
            self.on_finding(_finding(entry, self._clock()))
        self._news.append(("mcp health", said(entry)))
        del self._news[:-100]
        self.keep()

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._news.append(("mcp health failed", text))
        self._complaint = text


def _finding(entry: Entry, now_ns: int) -> Finding:
    return Finding(
        detector="mcp-down", key=entry.name, severity=Severity.WARNING, at_ns=now_ns,
        summary=f"the MCP server {entry.name!r} ({entry.where}) is down: {entry.breaker.reason}",
        host=entry.host, repository=entry.root or None, figures={"server": entry.name},
    )  # fmt: skip


def said(entry: Entry) -> str:
    """Return how a server stands, as the record says it."""
    health, breaker = entry.health, entry.breaker
    where = f" ({entry.where})" if entry.where else ""
    found = f"{health.verdict}: {health.detail}" if health else "not probed yet"
    drifted = f"; its tools have changed: {', '.join(health.drift[:5])}" if (
        health and health.drift
    ) else ""  # fmt: skip
    why = f", {breaker.reason}" if breaker.reason else ""
    return f"{entry.name}{where}: {found}{drifted}; its breaker is {breaker.phase}{why}"


def home_of(environ: Mapping[str, str]) -> Path:
    """Return the home that an environment names."""
    home = environ.get("HOME", "")
    return Path(home) if home.startswith("/") else Path.home()


def beside(work: Callable[[], _T]) -> Awaitable[_T]:
    """Carry something out in a thread that nobody has to wait for at the end of the process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def settle(result: _T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as caught:  # noqa: BLE001 - handed to whoever waits
            error = caught
        # The loop may be closed by now: then nobody waits.
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            return

    threading.Thread(target=run, daemon=True, name="mcp-health").start()
    return done
