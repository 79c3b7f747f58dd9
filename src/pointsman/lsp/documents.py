"""The files that a server has been told of: as they are on the disk, each change a new version."""

import asyncio
import itertools
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from pointsman.lsp.connection import Connection, asked
from pointsman.lsp.table import EXTENSIONS
from pointsman.lsp.texts import Text, Texts, stamp, to_uri
from pointsman.model.errors import ServerError

_MOST_OPEN = 48
"""Open files; a server keeps each of them, with what follows from it, in memory."""
_MOST_LOOKED = 128


@dataclass(slots=True)
class Document:
    """An open file: the text the server has, and what it says is declared in it."""

    uri: str
    text: Text
    version: int
    symbols: "asyncio.Task[list[Any]]"

    @property
    def stale(self) -> bool:
        """Whether the file is not what the server has any more."""
        return stamp(self.text.path) != self.text.stamp


class Documents:
    """The open files of one server."""

    def __init__(self, connection: Connection, texts: Texts, *, reads_closed: bool = False) -> None:
        self._connection = connection
        self._texts = texts
        self._reads_closed = reads_closed
        self._looked: OrderedDict[str, tuple[Text, list[Any]]] = OrderedDict()
        self._open: OrderedDict[str, Document] = OrderedDict()
        self._versions = itertools.count(1)

    async def current(self, path: str) -> Document:
        """Open a file, or tell what has become of it, and wait until the server has read it.

        The first question about a file may make a server read the whole project. It goes on when
        the one who waits here gives up: cancelled each time, it would never come to an end.

        Raises:
            ServerError: there is no such text, or the server is gone.
        """
        text = self._texts.read(path)
        document = self._open.get(path)
        if document is None:
            document = self._tell_open(path, text)
        elif document.text is not text:
            self._tell_change(document, text)
        self._open.move_to_end(path)
        self._close_oldest()
        await self._read_by_server(document)
        return document

    async def look(self, path: str) -> tuple[Text, list[Any]]:
        """Return a file's text and what is declared in it, unopened where the server allows it.

        To open a file, and to close another for it, makes some servers go over the whole project.

        Raises:
            ServerError: as ``current`` does.
        """
        if path in self._open or not self._reads_closed:
            document = await self.current(path)
            return document.text, document.symbols.result()
        text = self._texts.read(path)
        kept = self._looked.get(path)
        if kept is None or kept[0] is not text:
            kept = self._looked[path] = text, await self._symbols(to_uri(path))
            if len(self._looked) > _MOST_LOOKED:
                self._looked.popitem(last=False)
        return kept

    def take_in(self, path: str) -> None:
        """Open a file that is new on the disk, where it is not open already.

        Raises:
            ServerError: there is no such text.
        """
        if path not in self._open:
            self._tell_open(path, self._texts.read(path))
            self._close_oldest()

    @staticmethod
    async def _read_by_server(document: Document) -> None:
        while True:
            task = document.symbols
            # Not awaited itself: its being cancelled must not look like our being cancelled.
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()
                return
            if task is document.symbols:
                raise ServerError(f"{document.text.path} was closed meanwhile")

    def _tell_open(self, path: str, text: Text) -> Document:
        uri, version = to_uri(path), next(self._versions)
        item = {"uri": uri, "languageId": _language(path), "version": version, "text": text.whole}
        self._connection.notify("textDocument/didOpen", {"textDocument": item})
        document = Document(uri, text, version, self._ask_symbols(uri))
        self._open[path] = document
        return document

    def _tell_change(self, document: Document, text: Text) -> None:
        changed = document.text.whole != text.whole
        document.text = text
        if not changed:
            return
        document.version = next(self._versions)
        self._connection.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": document.uri, "version": document.version},
                # The whole text: whatever kind of synchronization a server has, it takes that.
                "contentChanges": [{"text": text.whole}],
            },
        )
        document.symbols.cancel()
        document.symbols = self._ask_symbols(document.uri)

    def _ask_symbols(self, uri: str) -> "asyncio.Task[list[Any]]":
        task = asyncio.ensure_future(self._symbols(uri))
        # Looked at here: nobody may be waiting any more when it fails.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def _symbols(self, uri: str) -> list[Any]:
        params = {"textDocument": {"uri": uri}}
        found = await asked(self._connection, "textDocument/documentSymbol", params)
        return found if isinstance(found, list) else []

    def _close_oldest(self) -> None:
        for path, document in list(self._open.items())[:-_MOST_OPEN]:
            # Not one that somebody still waits for.
            if not document.symbols.done():
                continue
            del self._open[path]
            self._connection.notify(
                "textDocument/didClose", {"textDocument": {"uri": document.uri}}
            )


def _language(path: str) -> str:
    for extension, (_, language) in EXTENSIONS.items():
        if path.endswith(extension):
            return language
    raise ServerError(f"{path} is of no language that a server here knows")
