"""Places and symbols as servers send them, read without trusting their shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pointsman.lsp.texts import to_path

_MOST_LEVELS = 20

KINDS = {
    2: "module", 3: "namespace", 5: "class", 6: "method", 7: "property", 8: "field",
    9: "constructor", 10: "enum", 11: "interface", 12: "function", 13: "variable",
    14: "constant", 22: "member", 23: "struct", 26: "type",
}  # fmt: skip
"""The protocol's numbers for kinds of symbols (3.17, «SymbolKind»), those that we show."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A range of a file, ends excluded, columns in UTF-16 code units."""

    path: str
    line: int
    """Counted from 0, as the protocol does."""
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Target:
    """Where a definition is: its name, and the whole of it if the server says so."""

    name: Spot
    whole: Spot | None


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol of a file."""

    name: str
    kind: int
    whole: Spot
    at: Spot
    children: tuple["Symbol", ...]


def targets(result: Any) -> list[Target]:
    """Read what ``definition`` and ``typeDefinition`` answer: a place, places, links or nothing."""
    found = []
    for each in result if isinstance(result, list) else [result]:
        if not isinstance(each, dict):
            continue
        if "targetUri" in each:
            path = to_path(each["targetUri"])
            name = _spot(path, each.get("targetSelectionRange"))
            whole = _spot(path, each.get("targetRange"))
        else:
            name, whole = _spot(to_path(each.get("uri")), each.get("range")), None
        if name is not None:
            found.append(Target(name, whole if whole != name else None))
    return found


def places(result: Any) -> list[Spot]:
    """Read what ``references`` answers."""
    return [target.name for target in targets(result if isinstance(result, list) else [])]


def symbols(path: str, result: Any, level: int = 0) -> tuple[Symbol, ...]:
    """Read what ``documentSymbol`` answers, as a tree."""
    found = []
    for each in result if isinstance(result, list) and level < _MOST_LEVELS else ():
        if not isinstance(each, dict):
            continue
        whole = _spot(path, each.get("range"))
        at = _spot(path, each.get("selectionRange"))
        name, kind = each.get("name"), each.get("kind")
        if whole and at and isinstance(name, str) and isinstance(kind, int):
            inner = symbols(path, each.get("children"), level + 1)
            found.append(Symbol(name, kind, whole, at, inner))
    return tuple(found)


def at(tree: tuple[Symbol, ...], spot: Spot) -> Symbol | None:
    """Return the symbol whose name stands at a place, else the innermost that begins there."""
    every = list(_walk(tree))
    for symbol in every:
        if (symbol.at.line, symbol.at.column) == (spot.line, spot.column):
            return symbol
    begins = [
        each for each in every if (each.whole.line, each.whole.column) == (spot.line, spot.column)
    ]
    return begins[-1] if begins else None


def hover_text(result: Any) -> str:
    """Return the code of a hover's first block, or its text where that is all code."""
    contents = result.get("contents") if isinstance(result, dict) else None
    for each in contents if isinstance(contents, list) else [contents]:
        if isinstance(each, dict) and isinstance(value := each.get("value"), str):
            return _code(value, str(each.get("language") or ""))
        if isinstance(each, str):
            return _code(each, "")
    return ""


def _code(value: str, language: str) -> str:
    if "```" not in value:
        return value if language else ""
    block = value.split("```", 2)[1]
    tag, _, code = block.partition("\n")
    # ty's for a class is a representation, «<class 'Foo'>», and no code.
    return "" if tag.strip() == "xml" else code.strip()


def _walk(tree: tuple[Symbol, ...]) -> Iterator[Symbol]:
    for symbol in tree:
        yield symbol
        yield from _walk(symbol.children)


def _spot(path: str, given: Any) -> Spot | None:
    try:
        start, end = given["start"], given["end"]
        numbers = (start["line"], start["character"], end["line"], end["character"])
    except (TypeError, KeyError):
        return None
    if not path or not all(isinstance(each, int) and 0 <= each < 2**31 for each in numbers):
        return None
    return Spot(path, *numbers)
