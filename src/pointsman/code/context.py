"""What an agent is told before it edits: gathered, enriched, cut to size, each thing once."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pointsman.code.enrich import enriched
from pointsman.code.gather import Gathered, gather
from pointsman.code.indexing import Indexing, Report
from pointsman.code.languages import MOST_BYTES, language_of, read
from pointsman.code.listing import is_wanted
from pointsman.code.told import Memories
from pointsman.code.view import View
from pointsman.code.words import written
from pointsman.model.bundle import Bundle, Change, PastFailures, Section
from pointsman.model.code import CodeServers
from pointsman.paths.content import read_regular

MOST_HISTORY = 3
_ON_THE_SPOT = 0.25
"""Seconds in which files are read that the index does not have as they are."""
_AFTER_COMMANDS = 3.0
"""Seconds between two looks at a tree in which commands are run."""
_MARKS = (
    "package.json", "tsconfig.json", "pyproject.toml", "setup.py", "go.mod", "Cargo.toml",
)  # fmt: skip
"""What lies at the root of a tree of code: a session there has its index built at once."""


def _nothing_failed(_path: str, _most: int) -> tuple[()]:
    return ()


class CodeContext:
    """Tells listeners what files hang on; one for a daemon.

    ``servers`` add to what the index says, where there are any; ``failures`` knows the past.
    Without ``background`` the index stays as it is.
    """

    def __init__(
        self,
        state: Path,
        failures: PastFailures = _nothing_failed,
        servers: CodeServers | None = None,
        report: Report = lambda _kind, _text: None,
        *,
        background: bool = True,
    ) -> None:
        self.servers = servers
        self.report = report
        self.indexing = Indexing(state, self._reported, self._seen)
        self._failures = failures
        self._background = background
        self._memories = Memories()
        self._loop: asyncio.AbstractEventLoop | None = None

    def knows(self, path: str) -> bool:
        """Whether a file is in a language that can be read."""
        return bool(language_of(path))

    async def tell(self, listener: str, change: Change, seconds: float, most: int) -> Bundle:
        """Return what a listener has not been told yet of a file that it is about to change."""
        self._loop = asyncio.get_running_loop()
        sections, notes = await self.sections(change, seconds)
        new = self._memories.news(listener, change.path, sections)
        again = self._memories.knows_of(listener, change.path)
        bundle = written(change.path, new, most, notes, again=again)
        self._memories.keep(listener, change.path, sections, bundle.sections)
        return bundle

    async def sections(
        self, change: Change, seconds: float
    ) -> tuple[tuple[Section, ...], tuple[str, ...]]:
        """Return everything there is to say of a file, and what could not be found out."""
        gathered = await asyncio.to_thread(self._gathered, change)
        if self.servers is None or seconds <= 0:
            return gathered.sections, gathered.notes
        self.servers.seen(change.root, language_of(change.path))
        more = await enriched(self.servers, change, gathered, seconds)
        return more.sections, more.notes

    def taken_back(self, listener: str, change: Change) -> None:
        """What was told of this edit did not arrive."""
        self._memories.take_back(listener, change.path)

    def forget(self, session: str) -> None:
        """All listeners of a session have lost their memory."""
        self._memories.forget(session)

    def begun(self, root: str) -> None:
        """Have the index built of a tree that has code."""
        if any(os.path.lexists(f"{root}/{mark}") for mark in _MARKS):
            self._later(self.indexing.look, root)

    def changed(self, root: str, paths: Sequence[str] | None) -> None:
        """Have files read again that have changed, of a tree that is indexed."""
        if not self.indexing.has(root):
            return
        if paths is None:
            self._later(self.indexing.look, root, _AFTER_COMMANDS)
        elif some := [path for path in paths if is_wanted(path)]:
            self._later(self.indexing.changed, root, some)

    async def close(self) -> None:
        """End what runs beside the daemon."""
        await asyncio.to_thread(self.indexing.close)

    def _later(self, work: Callable[..., None], *given: object) -> None:
        # A process may have to be started: that must hold up no event.
        self._loop = self._loop or _running_loop()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.run_in_executor(None, work, *given)

    def _gathered(self, change: Change) -> Gathered:
        if self._background:
            self.indexing.look(change.root)
        view = View(
            self.indexing.index_of(change.root), change.root, until=time.monotonic() + _ON_THE_SPOT
        )
        try:
            path = f"{change.root}/{change.path}"
            text = change.written if change.whole else _text(path)
            if change.whole:
                view.put(change.path, read(change.path, text.encode("utf-8", "replace")))
            return gather(view, change, text, self._failures(path, MOST_HISTORY))
        finally:
            view.close()

    def _reported(self, kind: str, text: str) -> None:
        """Put a note on record, on the loop: this comes from a thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.report, kind, text)

    def _seen(self, root: str, language: str) -> None:
        """Tell the servers, on their loop: this comes from a thread."""
        if self.servers is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.servers.seen, root, language)


def _text(path: str) -> str:
    try:
        return read_regular(path, MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""  # It is about to be made.


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
