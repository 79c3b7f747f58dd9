"""From the place of a definition to the declaration as the language writes it."""

import asyncio
import re
from dataclasses import replace
from typing import Any

from pointsman.lsp import signature
from pointsman.lsp.server import Server
from pointsman.lsp.symbols import KINDS, Spot, Symbol, Target, at, hover_text, symbols
from pointsman.lsp.table import PYTHON, TYPESCRIPT
from pointsman.lsp.texts import Text, stamp, to_index, to_units
from pointsman.model.code import Declaration, Place
from pointsman.model.errors import ServerError

_MOST_TARGETS = 3
_MOST_MEMBERS = 80
_HAVE_MEMBERS = frozenset((2, 3, 5, 10, 11, 23))
_VARIABLES = frozenset((7, 8, 13, 14))
_FUNCTIONS = frozenset((6, 9, 12))
_ENUM_MEMBER = 22
_FUNCTION = 12
_ALIAS = re.compile(r"\A\((?:[a-z ]+)\)\s+")
_ALREADY_TYPED = {TYPESCRIPT: re.compile(r"\)\s*:"), PYTHON: re.compile(r"\)\s*->")}
_LOOKED_AT = 400
"""Lines of a declaration that are looked at for its head."""


class Declaring:
    """Makes declarations of what one server has answered to one ask."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._family = server.launch.kind.family
        self.stale = False
        """Whether the server was behind one of the files."""

    async def all(
        self, name: str, defined: list[Target], hovered: Any, typed: list[Target]
    ) -> list[Declaration]:
        """Return the declarations of a name; with a variable's, that of its type.

        Raises:
            ServerError: the server is gone or refuses.
        """
        hover = hover_text(hovered)
        pairs = await self._each(name, defined[:_MOST_TARGETS], hover)
        items = [item for item, _ in pairs]
        if any(variable for _, variable in pairs):
            known = {item.place for item in items}
            types = [item for item, _ in await self._each("", typed[:1], "")]
            items += [item for item in types if item.place not in known]
        return items

    async def _each(
        self, name: str, found: list[Target], hover: str
    ) -> list[tuple[Declaration, bool]]:
        root = self._server.root
        ours = [target for target in found if target.name.path.startswith(f"{root}/")]
        # One definition of several is told by the hover; the others are told by their own text.
        told = await asyncio.gather(
            *(self._one(name, target, hover if len(ours) == 1 else "") for target in ours)
        )
        return [each for each in told if each is not None]

    async def _one(self, name: str, target: Target, hover: str) -> tuple[Declaration, bool] | None:
        spot = target.name
        documents = await self._server.ready()
        try:
            text, found = await documents.look(spot.path)
        except ServerError:
            if self._server.problem is not None:
                raise
            # A file that cannot be read, a stub inside of an archive: no text to show.
            return None
        tree = symbols(spot.path, found)
        behind = self._server.changes.unseen(spot.path, text.stamp)
        self.stale = self.stale or behind or stamp(spot.path) != text.stamp
        symbol = at(tree, spot)
        whole = target.whole or (symbol.whole if symbol else None)
        kind = symbol.kind if symbol else 0
        written = self._head(text, whole or spot) if whole or symbol else ""
        shown = self._shown(name, kind, written, hover)
        path = spot.path[len(self._server.root) + 1 :]
        place = Place(path, spot.line + 1, spot.column)
        if symbol is None and (spot.line, spot.column) == (0, 0):
            # The file itself: what an import of a module stands for.
            return Declaration(name, "module", place, f"module {path}"), False
        if not shown:
            return None
        item = Declaration(
            name=name or _text_at(text, spot),
            kind=signature.word(written) or KINDS.get(kind, "") or signature.word(shown),
            place=place,
            text=shown,
            members=self._members(text, symbol),
        )
        return item, kind in _VARIABLES

    def _head(self, text: Text, whole: Spot) -> str:
        return signature.head(self._slice(text, whole), self._family)

    def _slice(self, text: Text, whole: Spot) -> str:
        """Return the text of a range, from the first word of the declaration on."""
        lines = list(text.lines[whole.line : min(whole.end_line + 1, whole.line + _LOOKED_AT)])
        if not lines:
            return ""
        if whole.end_line - whole.line < _LOOKED_AT:
            lines[-1] = lines[-1][: to_index(lines[-1], whole.end_column)]
        lines[0] = lines[0][signature.begin(lines[0], to_index(lines[0], whole.column)) :]
        return "\n".join(lines)

    def _shown(self, name: str, kind: int, written: str, hover: str) -> str:
        """Return what is written, or what the server makes of it where that says more.

        It says more where a type was left to be inferred: of variables and of functions.
        """
        hover = _ALIAS.sub("", hover.partition("\nimport ")[0])
        typed = _ALREADY_TYPED.get(self._family)
        if not hover or (written and kind not in _VARIABLES | _FUNCTIONS):
            return written
        if kind in _FUNCTIONS and written and (typed is None or typed.search(written)):
            return written
        if kind in _VARIABLES and re.match(r"[\w$ ]*[\w$]\s*:", written):
            return written
        hover = signature.flat(hover, self._family)
        if self._family == TYPESCRIPT and kind == _FUNCTION and name and hover.startswith(name):
            # tsserver leaves the word out where it shows an alias.
            return f"function {hover}"
        # Some say of a variable its type alone.
        alone = (
            self._family == PYTHON
            and kind in _VARIABLES
            and not re.search(rf"\b{re.escape(name)}\b", hover)
        )
        return f"{name}: {hover}" if alone and name else hover

    def _members(self, text: Text, symbol: Symbol | None) -> tuple[str, ...]:
        if symbol is None or symbol.kind not in _HAVE_MEMBERS:
            return ()
        found = []
        # As they are written: some servers have them in the order of their names.
        children = sorted(symbol.children, key=lambda each: (each.whole.line, each.whole.column))
        for child in children[:_MOST_MEMBERS]:
            if child.kind == _ENUM_MEMBER:
                found.append(signature.flat(self._slice(text, child.whole), self._family))
            else:
                found.append(self._head(text, _to_end(text, child)))
        return tuple(dict.fromkeys(filter(None, found)))


def _to_end(text: Text, symbol: Symbol) -> Spot:
    """Return the whole of a symbol; some servers name of a field only its name."""
    whole = symbol.whole
    if symbol.kind not in _VARIABLES or whole != symbol.at or whole.line >= len(text.lines):
        return whole
    return replace(whole, end_column=to_units(text.lines[whole.line], len(text.lines[whole.line])))


def _text_at(text: Text, spot: Spot) -> str:
    line = text.lines[spot.line] if spot.line < len(text.lines) else ""
    return line[to_index(line, spot.column) : to_index(line, spot.end_column)]
