"""JSON text with the place of every value in it, and edits that leave every other byte alone.

The edits can be taken back from the text alone, without a record of what was there before:

- an element is put behind the last one, and taken out from the end of the one before it;
- a container that we open ourselves has white space before its closing bracket, an empty
  container of the user's that we fill has none (``hugs``): so what is left empty when our
  elements go is known to be ours, and goes too, or to be theirs, and stays;
- in an empty outermost object our lines stand before the user's white space.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from json import JSONDecodeError
from typing import Any

DEEPEST = 100
"""Levels of nesting that are read; settings have about six."""

COMMENT = "a comment, and JSON has none"
TRAILING_COMMA = "a comma with nothing behind it"

_SPACE = " \t\n\r"
_SPACES = re.compile(f"[{_SPACE}]*")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Element:
    """A member of an object or an item of an array, from its first character to its last.

    ``key`` is ``None`` for an item.
    """

    key: str | None
    start: int
    value: "Value"

    @property
    def end(self) -> int:
        """The offset behind the last character."""
        return self.value.end


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value, the offsets of its text, and what it holds."""

    start: int
    end: int
    data: Any
    elements: tuple[Element, ...] = ()

    def member(self, key: str) -> Element | None:
        """Return the member with this key, the last one as JSON readers do."""
        return next((found for found in reversed(self.elements) if found.key == key), None)

    def repeated(self) -> Element | None:
        """Return the first member whose key stood before, or ``None``."""
        seen: set[str | None] = set()
        for element in self.elements:
            if element.key is not None and element.key in seen:
                return element
            seen.add(element.key)
        return None


@dataclass(frozen=True, slots=True)
class Edit:
    """Text that takes the place of ``start`` to ``end``."""

    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class New:
    """An element to put in: its key (``None`` for an item), its value, how far it is ours.

    ``opened`` is the number of levels, from the value inwards, that are containers of ours: they
    disappear with the last element of ours in them.
    """

    key: str | None
    data: Any
    opened: int = 0


def parse(text: str) -> Value:
    """Read JSON and remember where everything stands; a byte order mark is passed over.

    Raises:
        JSONDecodeError: for anything else than one JSON value, with what it is instead.
    """
    reader = _Reader(text)
    value = reader.value(reader.skip(len(_BOM) if text.startswith(_BOM) else 0), 0)
    end = reader.skip(value.end)
    if end != len(text):
        raise JSONDecodeError("text behind the end of the JSON value", text, end)
    return value


class _Reader:
    """A recursive descent over the text; the depth is bounded by ``DEEPEST``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._scalars = json.JSONDecoder(parse_constant=_no_constant)

    def skip(self, at: int) -> int:
        """Return the offset of the next character that is not white space."""
        found = _SPACES.match(self._text, at)
        at = found.end() if found else at
        if self._text.startswith(("//", "/*"), at):
            raise JSONDecodeError(COMMENT, self._text, at)
        return at

    def value(self, at: int, depth: int) -> Value:
        """Read the value that begins here."""
        if depth > DEEPEST:
            raise JSONDecodeError(f"more than {DEEPEST} levels of nesting", self._text, at)
        opening = self._text[at : at + 1]
        if opening == "{":
            elements, end = self._elements(at, "}", depth)
            return Value(at, end, {one.key: one.value.data for one in elements}, elements)
        if opening == "[":
            elements, end = self._elements(at, "]", depth)
            return Value(at, end, [one.value.data for one in elements], elements)
        try:
            data, end = self._scalars.raw_decode(self._text, at)
        except JSONDecodeError:
            raise
        # NaN and numbers without end come as a plain ValueError; callers know one kind of fault.
        except ValueError as error:
            raise JSONDecodeError(str(error), self._text, at) from None
        return Value(at, end, data)

    def _elements(self, at: int, closing: str, depth: int) -> tuple[tuple[Element, ...], int]:
        text, elements = self._text, list[Element]()
        at = self.skip(at + 1)
        if text.startswith(closing, at):
            return (), at + 1
        while True:
            elements.append(self._element(at, closing, depth))
            at = self.skip(elements[-1].end)
            if text.startswith(closing, at):
                return tuple(elements), at + 1
            if not text.startswith(",", at):
                raise JSONDecodeError(f"',' or '{closing}' is missing", text, at)
            behind = self.skip(at + 1)
            if text.startswith(closing, behind):
                raise JSONDecodeError(TRAILING_COMMA, text, at)
            at = behind

    def _element(self, at: int, closing: str, depth: int) -> Element:
        if closing == "]":
            return Element(None, at, self.value(at, depth + 1))
        text = self._text
        if not text.startswith('"', at):
            raise JSONDecodeError("a key in double quotes is missing", text, at)
        key = self.value(at, depth + 1)
        colon = self.skip(key.end)
        if not text.startswith(":", colon):
            raise JSONDecodeError("':' is missing", text, colon)
        return Element(key.data, at, self.value(self.skip(colon + 1), depth + 1))


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


@dataclass(frozen=True, slots=True)
class Style:
    """How a file is laid out: over lines or in one, its unit of indentation, its separators."""

    lines: bool
    newline: str
    unit: str
    comma: str
    colon: str


def style_of(text: str, root: Value) -> Style:
    """Read the layout off the first member; an empty object gets lines and two spaces."""
    # A lone carriage return before a line feed of ours would be taken out with it.
    newline = "\r\n" if "\r" in text else "\n"
    if not root.elements:
        return Style(True, newline, "  ", ", ", ": ")
    first = root.elements[0]
    lead = text[_lead(text, first.start) : first.start]
    behind_key = text[first.start : first.value.start].rstrip(_SPACE)
    spaced = len(behind_key) < first.value.start - first.start
    lines = "\n" in lead
    indent = lead.rpartition("\n")[2] if lines else ""
    unit = indent.removeprefix(_line_indent(text, root.start))
    return Style(lines, newline, unit, ", " if spaced else ",", ": " if spaced else ":")


def insertion(
    text: str, container: Value, news: Sequence[New], style: Style, *, outermost: bool = False
) -> Edit:
    """Put elements behind those of a container, laid out as the last one is."""
    if container.elements:
        last = container.elements[-1]
        lead = text[_lead(text, last.start) : last.start]
        if "\n" not in lead:
            return _at(last.end, "".join(style.comma + _in_one_line(new, style) for new in news))
        begin = style.newline + lead.rpartition("\n")[2]
        return _at(last.end, "".join("," + begin + _over_lines(new, style, begin) for new in news))
    begin = style.newline + _line_indent(text, container.start) + style.unit
    piece = ",".join(begin + _over_lines(new, style, begin) for new in news)
    if outermost:
        return _at(container.start + 1, piece + style.newline)
    if not style.lines:
        piece = style.comma.join(_in_one_line(new, style) for new in news)
    # Right before the bracket: so it hugs, and the user's container outlives what we put in.
    return _at(container.end - 1, piece)


def replacement(text: str, value: Value, data: Any, style: Style) -> Edit:
    """Put another value in the place of this one, over lines where this one is."""
    new = New(None, data)
    if "\n" not in text[value.start : value.end]:
        return Edit(value.start, value.end, _in_one_line(new, style))
    begin = style.newline + _line_indent(text, value.start)
    return Edit(value.start, value.end, _over_lines(new, style, begin))


def hugs(text: str, container: Value) -> bool:
    """Whether the closing bracket directly follows the last element: the user's own container."""
    return container.end - 1 == container.elements[-1].end and text[container.end - 1] in "]}"


def removal(
    text: str, container: Value, doomed: frozenset[int], *, outermost: bool = False
) -> list[Edit]:
    """Take out the elements with these indices, and what ``insertion`` put around them."""
    elements = container.elements
    if len(doomed) == len(elements):
        return [_emptying(text, container, outermost=outermost)]
    edits = []
    for gone, run in groupby(range(len(elements)), lambda index: index in doomed):
        if not gone:
            continue
        indices = list(run)
        first, last = indices[0], indices[-1]
        if first > 0:
            edits.append(Edit(elements[first - 1].end, elements[last].end))
        else:
            # At the head there is none before it: what stands behind the bracket is left alone.
            edits.append(Edit(elements[first].start, elements[last + 1].start))
    return edits


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Carry out edits that do not overlap."""
    pieces, done = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        pieces += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*pieces, text[done:]])


def _emptying(text: str, container: Value, *, outermost: bool) -> Edit:
    start, end = container.elements[0].start, container.elements[-1].end
    if outermost:
        # `insertion` put one line end behind our lines: that goes with them, and no other space.
        over_lines = "\n" in text[container.start + 1 : start]
        newline = next((one for one in ("\r\n", "\n") if text.startswith(one, end)), "")
        return Edit(container.start + 1, end + len(newline) * over_lines)
    lead = _lead(text, start)
    if "\n" in text[start:end] and "\n" in text[lead:start]:
        start = text.rindex("\n", lead, start)
        # Both halves of a CRLF go, or a lone carriage return would be left of ours.
        start -= start > lead and text[start - 1] == "\r"
    return Edit(start, end)


def _at(offset: int, text: str) -> Edit:
    return Edit(offset, offset, text)


def _lead(text: str, at: int) -> int:
    """Return where the white space before this offset begins."""
    while at > 0 and text[at - 1] in _SPACE:
        at -= 1
    return at


def _line_indent(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _over_lines(new: New, style: Style, begin: str) -> str:
    # JSON escapes line feeds within texts: every one in here is layout.
    body = json.dumps(new.data, ensure_ascii=False, indent=style.unit).replace("\n", begin)
    return body if new.key is None else f"{json.dumps(new.key)}: {body}"


def _in_one_line(new: New, style: Style) -> str:
    body = _opened(new.data, new.opened, style)
    return body if new.key is None else f"{json.dumps(new.key)}{style.colon}{body}"


def _opened(data: Any, opened: int, style: Style) -> str:
    if opened == 0:
        return json.dumps(data, ensure_ascii=False, separators=(style.comma, style.colon))
    if isinstance(data, dict):
        members = (New(key, value, opened - 1) for key, value in data.items())
        # The space before the bracket marks a container as ours; `hugs` looks for it.
        return "{" + style.comma.join(_in_one_line(one, style) for one in members) + " }"
    return "[" + style.comma.join(_opened(one, opened - 1, style) for one in data) + " ]"
