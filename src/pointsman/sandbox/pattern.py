"""Globs, walked directory by directory: what can still match below where one stands."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from pointsman.paths.globs import check, expanded
from pointsman.paths.segments import matcher

State = frozenset[tuple[int, int]]
"""Where one stands in which patterns: a pattern's number and how many segments are behind."""
_Segment = str | Callable[[str], bool] | None
"""A name, what says whether a name matches, or ``None`` for ``**``."""
_MAGIC = re.compile(r"[*?\[\]{}()!+@\\|]")
_MOST_STATES = 4096
_Place = tuple[int, int]
_Takes = tuple[Callable[[str], bool], _Place]
_Onward = tuple[tuple[_Place, ...], dict[str, tuple[_Place, ...]], tuple[_Takes, ...]]
"""Where a state leads: with any name, with these names, with the names that these take."""


class Walked:
    """A list of globs relative to ``root``, walked from ``/``."""

    def __init__(self, patterns: Iterable[str], root: str) -> None:
        self._patterns = [
            tuple(_segments(each, root))
            for pattern in patterns
            if not check(pattern)
            for each in expanded(pattern)[1]
        ]
        # A tree has many names and few states: what follows from one is worked out once.
        self._onward: dict[State, _Onward] = {}
        self._states: dict[tuple[_Place, ...], State] = {}

    def start(self) -> State:
        """Return the state at ``/``."""
        return self._closed((index, 0) for index in range(len(self._patterns)))

    def step(self, state: State, name: str) -> State:
        """Return the state one name further."""
        onward = self._onward.get(state)
        if onward is None:
            _make_room(self._onward)
            onward = self._onward[state] = self._onward_of(state)
        after, named, asked = onward
        if name in named:
            after += named[name]
        composed = name if name.isascii() else unicodedata.normalize("NFC", name)
        if composed != name:
            after += named.get(composed, ())
        for segment, place in asked:
            if segment(name) or (composed != name and segment(composed)):
                after += (place,)
        found = self._states.get(after)
        if found is None:
            _make_room(self._states)
            found = self._states[after] = self._closed(after)
        return found

    def _onward_of(self, state: State) -> _Onward:
        stay: list[_Place] = []
        named: dict[str, tuple[_Place, ...]] = {}
        asked: list[_Takes] = []
        for index, at in state:
            pattern = self._patterns[index]
            if at == len(pattern):
                continue
            segment = pattern[at]
            if segment is None:
                stay.append((index, at))
            elif segment is _anything:
                stay.append((index, at + 1))
            elif isinstance(segment, str):
                named[segment] = (*named.get(segment, ()), (index, at + 1))
            else:
                asked.append((segment, (index, at + 1)))
        return tuple(stay), named, tuple(asked)

    def matches(self, state: State) -> bool:
        """Whether where one stands is itself matched."""
        return any(at == len(self._patterns[index]) for index, at in state)

    def is_alive(self, state: State) -> bool:
        """Whether anything below could match."""
        return any(at < len(self._patterns[index]) for index, at in state)

    def is_all(self, state: State) -> bool:
        """Whether everything below matches."""
        return any(
            at == len(self._patterns[index]) - 2 and self._patterns[index][at] is None
            for index, at in state
            if self._patterns[index][-1] is _anything
        )

    def names(self, state: State) -> set[str] | None:
        """Return the names that can lead on from here, or ``None`` where any may."""
        names: set[str] = set()
        for index, at in state:
            if at < len(self._patterns[index]):
                segment = self._patterns[index][at]
                if not isinstance(segment, str):
                    return None
                names.add(segment)
        return names

    def makes_new(self, state: State, there: Callable[[str], bool]) -> bool:
        """Whether something of a name that is not there yet may be made right here.

        That is a file that a wildcard at the end allows, or the next part of what is written out
        in full; a directory that only a wildcard names is not made.
        """
        for index, at in state:
            pattern = self._patterns[index]
            if at == len(pattern) or pattern[at] is None:
                continue
            segment = pattern[at]
            if not isinstance(segment, str):
                if at == len(pattern) - 1:
                    return True
            elif all(isinstance(each, str) for each in pattern[:at]) and not there(segment):
                return True
        return False

    def _closed(self, state: Iterable[tuple[int, int]]) -> State:
        closed: set[tuple[int, int]] = set()
        for index, at in state:
            pattern = self._patterns[index]
            end = at
            while end < len(pattern) and pattern[end] is None:
                end += 1
            closed.update((index, place) for place in range(at, end + 1))
        return frozenset(closed)


def _make_room(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= _MOST_STATES:
        remembered.clear()


def _segments(pattern: str, root: str) -> Iterable[_Segment]:
    text = pattern if pattern.startswith("/") else f"{root}/{pattern}"
    parts: list[str] = []
    for part in text.split("/"):
        if part == ".." and parts and parts[-1] != "**":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    # The root is a path and no pattern, whatever its name looks like.
    own = 0 if pattern.startswith("/") else root.rstrip("/").count("/")
    for place, part in enumerate(parts):
        if part == "**" and place >= own:
            yield None
            if place == len(parts) - 1:
                yield _anything
        elif place < own or not _MAGIC.search(part):
            yield part
        else:
            yield matcher(unicodedata.normalize("NFC", part))


def _anything(name: str) -> bool:
    del name
    return True
