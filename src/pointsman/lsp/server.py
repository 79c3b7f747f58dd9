"""One running language server: started, made ready, asked, and ended."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from pointsman.lsp import process
from pointsman.lsp.changes import CREATED, Change, Changes
from pointsman.lsp.connection import Connection, asked
from pointsman.lsp.documents import Documents
from pointsman.lsp.find import Launch
from pointsman.lsp.process import Guard, ServerProcess
from pointsman.lsp.replies import CAPABILITIES, Replies
from pointsman.lsp.table import EXTENSIONS
from pointsman.lsp.texts import Texts, to_path, to_uri
from pointsman.model.errors import ServerError

START_WITHIN = 60.0
"""Seconds in which a server must answer ``initialize``; the slowest measured took 1.8."""
HANGS_AFTER = 60.0
"""Seconds without a byte, a question open, after which a server hangs. Reading a project of 3,000
files has taken TypeScript 5.9 up to 40 seconds in which it says nothing."""
_BY_ITSELF = 0.5
_SETTLES = 0.05
"""Seconds without reported work after which a server that reports its loading has loaded."""

_MOST_NEW = 16
"""New files that are opened at once, for a server that finds them late."""
_FINDS_AFTER = 1.0
"""Seconds without a question after which pyright has found files that it was told are new. Asked
every 50 ms it had not after 20 s; left alone for half a second it had (measured with 1.1.414)."""

Gone = Callable[["Server", ServerError], None]


class Server:
    """A server for one root. It begins to start when it is made."""

    def __init__(
        self, launch: Launch, root: str, environ: Mapping[str, str], guard: Guard, gone: Gone
    ) -> None:
        self.launch = launch
        self.root = root
        self.started = time.monotonic()
        self.ready_after: float | None = None
        """Seconds from the start until it had read a first file."""
        self.memory: int | None = None
        self.problem: ServerError | None = None
        self.texts = Texts()
        self.changes = Changes(root, launch.kind.family)
        self.documents: Documents | None = None
        self._environ = environ
        self._guard = guard
        self._gone = gone
        self._work: dict[str, str] = {}
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._ready = asyncio.Event()
        self._process: ServerProcess | None = None
        self._connection: Connection | None = None
        self._telling: asyncio.Task[int] | None = None
        self.behind = False
        """Whether it may not have found yet what it was told is new."""
        self._last_asked = 0.0
        self._life = asyncio.ensure_future(self._live())

    @property
    def name(self) -> str:
        """What it is called."""
        return self.launch.kind.name

    @property
    def pid(self) -> int | None:
        """Its process, which leads a group."""
        return self._process.pid if self._process else None

    @property
    def state(self) -> str:
        """What it does: starting, loading, ready or gone."""
        if self.problem is not None:
            return "gone"
        if not self._ready.is_set():
            return "starting"
        return "ready" if self.ready_after is not None and self._quiet.is_set() else "loading"

    async def ready(self) -> Documents:
        """Wait until it can be asked.

        Raises:
            ServerError: it is gone.
        """
        await self._ready.wait()
        if self.launch.kind.loads:
            await self._quiet.wait()
        if self.problem is not None or self.documents is None:
            raise self.problem or ServerError("it is gone")
        return self.documents

    def doing(self) -> str:
        """Say why it is not ready, in words that go behind its name."""
        seconds = time.monotonic() - self.started
        if not self._ready.is_set():
            return f"still starts, {seconds:.1f} s so far"
        if not self._quiet.is_set():
            what = next(iter(self._work.values()), "") or "the project"
            return f"still loads ({what}), {seconds:.0f} s so far"
        if self.ready_after is None:
            return f"still reads the project, {seconds:.0f} s so far"
        return "is slow"

    async def ask(self, method: str, params: Any) -> Any:
        """Ask it, and return the result.

        Raises:
            ServerError: it is gone, or has answered with an error.
        """
        if self._connection is None:
            raise self.problem or ServerError("it is not started")
        now = time.monotonic()
        self.behind = self.behind and now - self._last_asked < _FINDS_AFTER
        self._last_asked = now
        return await asked(self._connection, method, params)

    def told_changes(self) -> "asyncio.Task[int] | None":
        """Tell it what has changed on the disk; return a look at the tree, if one is under way.

        Its result is how many files had changed that it was told of so late.
        """
        if self._telling is not None and not self._telling.done():
            return self._telling
        self._telling = None
        if self._connection is not None and self.changes.looked:
            changes, anew = self.changes.heard()
            self._tell(changes)
            if anew:
                self._telling = asyncio.ensure_future(self._look())
        return self._telling

    @property
    def owes(self) -> bool:
        """Whether it still works at a question, one that we gave up included."""
        return self._connection is not None and self._connection.owes

    @property
    def hangs(self) -> bool:
        """Whether it has said nothing for too long while it owes an answer."""
        connection = self._connection
        if connection is None or connection.silent_since is None or not connection.owes:
            return False
        since = max(connection.silent_since, connection.last_heard)
        return time.monotonic() - since > HANGS_AFTER

    async def close(self, why: ServerError) -> None:
        """End it; what waits for an answer gets the reason."""
        self.problem = self.problem or why
        self._life.cancel()
        await asyncio.wait([self._life])

    async def _live(self) -> None:
        """Start it, keep it as long as it lasts, and clear up behind it."""
        try:
            await self.changes.look()
            await self._start()
        except ServerError as error:
            self.problem = self.problem or error
        except Exception as error:  # noqa: BLE001 - nobody else waits for this task
            self.problem = ServerError(f"{type(error).__name__} on our side: {error}")
        finally:
            await self._clear_up()
            self._gone(self, self.problem or ServerError("it is gone"))

    async def _start(self) -> None:
        launch = self.launch
        self._process = await process.start(launch.command, self.root, self._environ, self._guard)
        folders = [{"uri": to_uri(self.root), "name": self.root.rpartition("/")[2]}]
        connection = self._connection = Connection(
            self._process.stdout,
            self._process.stdin,
            replies=Replies(folders, launch.kind.settings),
            heard=self._heard,
        )
        making = asyncio.ensure_future(self._make_ready(connection, folders))
        listening = asyncio.ensure_future(connection.listen())
        try:
            await asyncio.wait([making, listening], return_when=asyncio.FIRST_COMPLETED)
            if making.done():
                making.result()
            await listening
        finally:
            for task in (making, listening):
                task.cancel()
            await asyncio.gather(making, listening, return_exceptions=True)

    async def _make_ready(self, connection: Connection, folders: list[dict[str, str]]) -> None:
        params = {
            "processId": None,
            "clientInfo": {"name": "pointsman"},
            "rootUri": folders[0]["uri"],
            "workspaceFolders": folders,
            "capabilities": CAPABILITIES,
            "initializationOptions": dict(self.launch.options),
        }
        try:
            async with asyncio.timeout(START_WITHIN):
                await connection.request("initialize", params)
        except TimeoutError:
            raise ServerError(f"it does not answer: not ready after {START_WITHIN:.0f} s") from None
        connection.notify("initialized", {})
        settings = self.launch.kind.settings
        connection.notify("workspace/didChangeConfiguration", {"settings": dict(settings)})
        kind = self.launch.kind
        self.documents = Documents(connection, self.texts, reads_closed=kind.reads_closed)
        self._ready.set()
        await self._warm_up(self.documents)

    async def _warm_up(self, documents: Documents) -> None:
        """Have it read the project, before somebody waits for that."""
        first = self.changes.first_file()
        if first:
            # One file that it does not like is no reason to do without it.
            with contextlib.suppress(ServerError):
                await documents.current(first)
        if self.ready_after is None:
            self.ready_after = time.monotonic() - self.started

    async def _clear_up(self) -> None:
        if self._telling is not None:
            await asyncio.wait([self._telling])
        self.changes.close()
        if self._process is not None:
            # Closed by us or found broken: ended at once. Gone by itself: it has a code to say.
            by_itself = self.problem is None
            how = await self._process.end(_BY_ITSELF if by_itself else 0)
            if by_itself:
                self.problem = ServerError(f"crashed ({how})")
        self.problem = self.problem or ServerError("it is gone")
        if self._connection is not None:
            self._connection.close(self.problem)
        self._ready.set()
        self._quiet.set()

    async def _look(self) -> int:
        changes = await self.changes.look()
        self._tell(changes)
        return len(changes)

    def _tell(self, changes: list[Change]) -> None:
        if changes and self._connection is not None:
            # If it is gone, whoever asks it next hears of it.
            with contextlib.suppress(ServerError):
                self._connection.notify("workspace/didChangeWatchedFiles", {"changes": changes})
            if self.launch.kind.opens_new and self.documents is not None:
                self._take_in(self.documents, changes)

    def _take_in(self, documents: Documents, changes: list[Change]) -> None:
        """Open what is new; of more than a few the answers are behind until it has found them."""
        paths = [to_path(each["uri"]) for each in changes if each["type"] == CREATED]
        new = [path for path in paths if path and path.endswith(tuple(EXTENSIONS))]
        if len(new) > _MOST_NEW:
            self.behind, self._last_asked = True, time.monotonic()
            return
        for path in new:
            # Gone again, or no text: then there is nothing to know of it.
            with contextlib.suppress(ServerError):
                documents.take_in(path)

    def _heard(self, method: str, params: Any) -> None:
        if method == "$/progress" and isinstance(params, dict):
            self._progress(str(params.get("token")), params.get("value"))

    def _progress(self, token: str, value: Any) -> None:
        """Follow the work that it reports."""
        kind = value.get("kind") if isinstance(value, dict) else None
        if kind == "end":
            self._work.pop(token, None)
        elif kind in {"begin", "report"} and (token in self._work or len(self._work) < 100):
            title = str(value.get("title") or value.get("message") or "")[:60]
            self._work[token] = title or self._work.get(token, "")
            self._quiet.clear()
        if not self._work:
            self._quiet.set()
