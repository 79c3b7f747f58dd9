"""What each listener has been told: everything once, and afterwards only what is new."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pointsman.model.bundle import Item, Kind, Section

_MOST_LISTENERS = 512
_MOST_KEYS = 20_000
_OF_THE_FILE = frozenset({Kind.IMPORTS, Kind.DEPENDENTS, Kind.HISTORY})
"""What is said of one file; a declaration is the same whichever file it is told with."""


@dataclass(slots=True)
class _Memory:
    told: OrderedDict[int, None] = field(default_factory=OrderedDict)
    passed: OrderedDict[int, None] = field(default_factory=OrderedDict)
    """What there was no room for: it is told when an edit names it, and not for its own sake."""
    files: set[str] = field(default_factory=set)
    last: dict[str, list[int]] = field(default_factory=dict)


class Memories:
    """The memories of all listeners, the oldest given up first."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, _Memory] = OrderedDict()

    def news(self, listener: str, file: str, sections: Sequence[Section]) -> tuple[Section, ...]:
        """Return of these sections what the listener has not been told."""
        memory = self._of.get(listener)
        if memory is None:
            return tuple(sections)
        out = []
        for section in sections:
            items = tuple(one for one in section.items if _is_new(memory, file, section.kind, one))
            if items and (items != section.items or section.kind in _OF_THE_FILE):
                # Of dependents the number says how many there are, whether new or not.
                count = section.count if section.kind is Kind.DEPENDENTS else len(items)
                out.append(replace(section, items=items, count=count))
            elif items:
                out.append(section)
        return tuple(out)

    def knows_of(self, listener: str, file: str) -> bool:
        """Whether the listener was told anything about a file."""
        memory = self._of.get(listener)
        return memory is not None and file in memory.files

    def keep(
        self, listener: str, file: str, whole: Sequence[Section], told: Sequence[Section]
    ) -> None:
        """Remember what was told, and what there was no room for."""
        memory = self._of.setdefault(listener, _Memory())
        self._of.move_to_end(listener)
        if len(self._of) > _MOST_LISTENERS:
            self._of.popitem(last=False)
        keys = [_key(file, one.kind, item) for one in told for item in one.items]
        for key in keys:
            memory.told[key] = None
        for section in whole:
            for item in section.items:
                memory.passed[_key(file, section.kind, item)] = None
        for kept in (memory.told, memory.passed):
            while len(kept) > _MOST_KEYS:
                kept.popitem(last=False)
        memory.files.add(file)
        memory.last[file] = keys

    def take_back(self, listener: str, file: str) -> None:
        """Forget what was told last of a file: it has not arrived."""
        memory = self._of.get(listener)
        if memory is None:
            return
        for key in memory.last.pop(file, ()):
            memory.told.pop(key, None)
            memory.passed.pop(key, None)
        memory.files.discard(file)

    def forget(self, session: str) -> None:
        """Forget everything that listeners of a session were told."""
        for listener in [one for one in self._of if one.split("/")[0] == session]:
            del self._of[listener]


def _is_new(memory: _Memory, file: str, kind: Kind, item: Item) -> bool:
    key = _key(file, kind, item)
    if key in memory.told:
        return False
    return item.named or key not in memory.passed


def _key(file: str, kind: Kind, item: Item) -> int:
    """Return what an item is told apart by: its content, and not the line that it has got to."""
    of = file if kind in _OF_THE_FILE else ""
    text = "" if kind is Kind.EXPORTS else item.key or item.text
    return hash((of, kind, item.path, item.name, text, item.group))
