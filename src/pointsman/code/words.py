"""From sections to the text an agent reads, within a number of tokens.

A token is reckoned as 3.5 bytes of UTF-8, rounded up: code has shorter ones than prose (about 4
characters), and what is promised as a most must not turn out to be more.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pointsman.model.bundle import Bundle, Item, Kind, Section

BYTES_PER_TOKEN = 3.5
ORDER = (Kind.DECLARATIONS, Kind.DEPENDENTS, Kind.IMPORTS, Kind.EXPORTS, Kind.HISTORY)
"""What is cut last comes first."""
_SHARE = {
    Kind.DECLARATIONS: 0.45,
    Kind.DEPENDENTS: 0.2,
    Kind.IMPORTS: 0.15,
    Kind.EXPORTS: 0.1,
    Kind.HISTORY: 0.1,
}
"""What each section may have before any has more; what one leaves is the next one's."""
_GROUPED = frozenset({Kind.IMPORTS, Kind.EXPORTS})
_SOURCE = len("\n [syntax, stale]")
_FEW = 6
"""Members that are told where there is no room for all."""


def tokens_of(text: str) -> int:
    """Return how many tokens a text is taken to have."""
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


@dataclass(slots=True)
class _Filling:
    """A section while it is filled: what was let in, how far, and the bytes it takes."""

    section: Section
    items: list[Item] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    at: int = 0
    size: int = 0

    def cost(self, item: Item) -> int:
        """Return the bytes that an item adds; no less than it will be."""
        title = 0 if self.items else _bytes(_title(replace(self.section, items=()))) + _SOURCE
        if self.section.kind in _GROUPED:
            first = item.group not in self.groups
            return title + _bytes(item.text) + (_bytes(item.group) + 3 if first else 2)
        lines = (f"{item.path}:{item.line} {item.text}", *item.more)
        return title + sum(_bytes(line) + 3 for line in lines)

    def add(self, item: Item, cost: int) -> None:
        """Let an item in."""
        self.items.append(item)
        self.groups.add(item.group)
        self.size += cost


def written(
    file: str,
    sections: Sequence[Section],
    most: int,
    notes: Sequence[str] = (),
    *,
    again: bool = False,
) -> Bundle:
    """Return what is told of these sections, in at most ``most`` tokens.

    ``again`` says that there was more of it before, of which this is what is new.
    """
    head = f"What {file} hangs on, {'new since that was said' if again else 'as it is now'}:"
    by_kind = {each.kind: each for each in sections if each.items}
    filled = [_Filling(by_kind[kind]) for kind in ORDER if kind in by_kind]
    room = int(most * BYTES_PER_TOKEN) - _bytes(head)
    left = room
    for filling in filled:
        share = min(left, int(room * _SHARE[filling.section.kind]))
        _fill(filling, share)
        left -= filling.size
    for filling in filled:
        before = filling.size
        _fill(filling, before + left)
        left -= filling.size - before
    told = [replace(each.section, items=tuple(each.items)) for each in filled if each.items]
    text = _text(head, told) if told else ""
    return Bundle(file, text, tokens_of(text), tuple(told), tuple(notes))


def _fill(filling: _Filling, most: int) -> None:
    """Let in as many of the items as fit, one that does not fit whole with few or no members."""
    items = filling.section.items
    while filling.at < len(items):
        item = items[filling.at]
        # What the edit names is told with all its members, the rest with some of them.
        sizes = (item.more, item.more[:_FEW], ()) if item.named else (item.more[:_FEW], ())
        for more in dict.fromkeys(sizes):
            cut = replace(item, more=(*more, "…") if len(more) < len(item.more) else more)
            cost = filling.cost(cut)
            if filling.size + cost <= most:
                filling.add(cut, cost)
                break
        else:
            return
        filling.at += 1


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _text(head: str, sections: Sequence[Section]) -> str:
    lines = [head]
    for section in sections:
        lines.append(f"{_title(section)} [{section.source}{', stale' if section.stale else ''}]")
        lines += _lines(section)
    return "\n".join(lines)


def _title(section: Section) -> str:
    left = section.count - len(section.items)
    some = f" ({len(section.items)} of {section.count})" if left > 0 else ""
    tests = f", {section.tests} of them tests" if section.tests else ""
    files = "1 file" if section.count == 1 else f"{section.count} files"
    return {
        Kind.DECLARATIONS: f"Declarations of what it uses{some}:",
        Kind.DEPENDENTS: f"Used by {files}{tests}{', the first' if left > 0 else ''}:",
        Kind.IMPORTS: f"Imports{some}:",
        Kind.EXPORTS: f"Exported there beside that{some}:",
        Kind.HISTORY: "Went wrong with this file before:",
    }[section.kind]


def _lines(section: Section) -> list[str]:
    if section.kind in _GROUPED:
        groups: dict[str, list[str]] = {}
        for item in section.items:
            groups.setdefault(item.group, []).append(item.text)
        return [f"{group}: {', '.join(texts)}" for group, texts in groups.items()]
    out = []
    for item in section.items:
        at = f"{item.path}:{item.line} " if section.kind is not Kind.HISTORY else ""
        out.append(f"{at}{item.text}")
        out += [f"  {more}" for more in item.more]
    return out
