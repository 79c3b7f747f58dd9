"""The questions that are put to a server: what does this name stand for, and who uses it."""

import asyncio
import os
import re
from typing import Any

from pointsman.lsp.declaring import Declaring
from pointsman.lsp.documents import Document
from pointsman.lsp.server import Server
from pointsman.lsp.symbols import Spot, places, targets
from pointsman.lsp.texts import Text, stamp, to_index, to_units
from pointsman.model.code import Ask, Declaration, Place, Use
from pointsman.model.errors import ServerError

_MOST_USES = 20_000
_ANY_NAME = frozenset(("default", "*"))
Uses = tuple[list[Use], bool]
Declarations = tuple[list[Declaration], bool]


async def declarations(server: Server, ask: Ask) -> Declarations:
    """Return what a name stands for, and whether the server is behind the disk.

    A place outside the repository is left out: that is an answer, and no declaration of ours.

    Raises:
        ServerError: the server is gone, refuses, or does not know the name.
    """
    document, position = await _opened(server, ask)
    defined, hovered, typed = await asyncio.gather(
        server.ask("textDocument/definition", position),
        server.ask("textDocument/hover", position),
        _or_nothing(server, "textDocument/typeDefinition", position),
    )
    found = targets(defined)
    if not found:
        raise _unknown(ask)
    declaring = Declaring(server)
    items = await declaring.all(ask.name, found, hovered, targets(typed))
    return items, document.stale or declaring.stale


async def uses(server: Server, ask: Ask) -> Uses:
    """Return the places that use what is declared at a place, and whether the server is behind.

    The declarations are asked for as well, and then taken out: asked for uses alone, TypeScript 7
    and ty leave out imports and re-exports; and a server that names not even the declaration has
    not understood the question, which is not the answer "nobody".

    Raises:
        ServerError: the server is gone, refuses, or does not know the name.
    """
    document, position = await _opened(server, ask)
    context = {"context": {"includeDeclaration": True}}
    defined, referred = await asyncio.gather(
        server.ask("textDocument/definition", position),
        server.ask("textDocument/references", position | context),
    )
    spots = list(dict.fromkeys(places(referred)))
    if not spots:
        raise _unknown(ask)
    own = {_start(target.name) for target in targets(defined)}
    start = position["position"]
    own.add((document.text.path, start["line"], start["character"]))
    found = [spot for spot in spots if _start(spot) not in own]
    if len(found) > _MOST_USES:
        raise ServerError(f"{ask.name} has {len(found)} uses, more than {_MOST_USES}")
    items = [
        Use(ask.name, Place(path, spot.line + 1, spot.column))
        for spot in found
        if (path := within(server.root, spot.path))
    ]
    behind = await asyncio.to_thread(_changed_since, server, {spot.path for spot in found})
    return items, document.stale or behind or server.behind


def within(root: str, path: str) -> str:
    """Return a path relative to the root, or the empty string where it lies outside."""
    return path[len(root) + 1 :] if path.startswith(f"{root}/") else ""


async def _opened(server: Server, ask: Ask) -> tuple[Document, dict[str, Any]]:
    """Have the server read the file of an ask; return it with the position to ask about."""
    documents = await server.ready()
    document = await documents.current(_path(server.root, ask))
    line = ask.at.line - 1
    position = {"line": line, "character": _column(document.text, ask)}
    return document, {"textDocument": {"uri": document.uri}, "position": position}


def _path(root: str, ask: Ask) -> str:
    path = os.path.normpath(f"{root}/{ask.at.path}")
    if not within(root, path):
        raise ServerError(f"{ask.at.path} lies outside of the repository")
    return path


def _column(text: Text, ask: Ask) -> int:
    """Return the column where the name stands: the one that was said, else another of its line.

    Raises:
        ServerError: it does not stand there any more. About whatever does we must not ask.
    """
    place = f"{ask.at.path}:{ask.at.line}"
    if not 0 < ask.at.line <= len(text.lines):
        raise ServerError(f"{place} is no line of the file any more")
    line = text.lines[ask.at.line - 1]
    index = to_index(line, ask.at.column)
    if ask.name in _ANY_NAME or re.match(rf"{re.escape(ask.name)}(?![\w$])", line[index:]):
        return to_units(line, index)
    found = re.search(rf"(?<![\w$]){re.escape(ask.name)}(?![\w$])", line)
    if found is None:
        raise ServerError(f"{ask.name} does not stand in {place} any more")
    return to_units(line, found.start())


async def _or_nothing(server: Server, method: str, params: Any) -> Any:
    """Ask for what is only a help: some servers do not know the question."""
    try:
        return await server.ask(method, params)
    except ServerError:
        return None


def _unknown(ask: Ask) -> ServerError:
    return ServerError(f"it knows nothing of {ask.name} ({ask.at.path}:{ask.at.line})")


def _start(spot: Spot) -> tuple[str, int, int]:
    return spot.path, spot.line, spot.column


def _changed_since(server: Server, paths: set[str]) -> bool:
    """Whether one of these files was written after the server was last told of changes."""
    return any(server.changes.unseen(path, stamp(path)) for path in paths)
