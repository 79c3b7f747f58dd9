"""A line of checkpoints that is held against the tree while that is built anew."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pointsman.store.checkpoints import FIRST, Checkpoint
from pointsman.store.handover import Succession
from pointsman.store.merkle import Frontier


@dataclass(slots=True)
class Stream:
    """Checkpoints of one source, in order, and what was found out about them.

    ``keys`` are those whose word counts; where none is known it is the first one's that is met,
    and those that it was handed over to. ``linked`` is for the ledger's own, which name one
    another without a gap; files may leave out what came in quiet times.
    """

    source: str
    checkpoints: Iterator[Checkpoint]
    log: str
    keys: Callable[[frozenset[bytes]], Succession]
    linked: bool = False
    start: int | None = None
    """The number that the first must have, where that is known."""
    until: int | None = None
    """The time in ns after which it may vouch for more than an older copy has."""

    count: int = 0
    """How many held: sound, by a key that counts, with the root of the tree."""
    size: int = 0
    """How many entries the largest of those vouches for."""
    event: int = 0
    """The highest number of an event among these."""
    unsound: Checkpoint | None = None
    touched: int = 0
    """Behind which event the first one follows that is unsound, of another chain, or lacks one."""
    stranger: Checkpoint | None = None
    foreign: Checkpoint | None = None
    differs: Checkpoint | None = None
    beyond: Checkpoint | None = None
    fork: Checkpoint | None = None
    gap: Checkpoint | None = None
    mended: bool = False
    """Whether one held again after one that did not: the key's holder went on from there."""
    signers: set[bytes] = field(default_factory=set)
    _known: Succession | None = None
    _newest: bytes | None = None
    _next: Checkpoint | None = None
    _before: Checkpoint | None = None
    _highest: int = 0

    def next_size(self) -> int | None:
        """Return at how many entries the next one is due, ``None`` when there is none left."""
        while self._next is None:
            found = next(self.checkpoints, None)
            if found is None:
                return None
            self._take(found)
        return self._next.tree_size

    def _take(self, found: Checkpoint) -> None:
        if found.log != self.log:
            self._touch(self.foreign)
            self.foreign = self.foreign or found
            return
        self._check_place(found)
        self._before = found
        if not found.is_sound():
            self._touch(self.unsound)
            self.unsound = self.unsound or found
        elif self._is_strange(found.key):
            self.stranger = self.stranger or found
        elif found.tree_size < self._highest:
            # The same hand has vouched for more before: what it vouched for was taken away.
            self.fork = self.fork or found
        else:
            self.signers.add(found.key)
            self._newest = found.key
            self._highest = found.tree_size
            self._next = found

    def _is_strange(self, key: bytes) -> bool:
        """Whether a key is not one that counts, or not any more."""
        if self._known is None:
            self._known = self.keys(frozenset())
            if not self._known.places:
                self._known = self.keys(frozenset({key}))
        return key not in self._known or self._known.is_late(key, self._newest)

    def _touch(self, before: Checkpoint | None) -> None:
        if before is None and not self.touched:
            self.touched = self.event + 1

    def _check_place(self, found: Checkpoint) -> None:
        if not self.linked:
            return
        before = self._before
        if before is not None:
            follows = found.seq == before.seq + 1 and found.previous == before.hash
        else:
            follows = self.start is None or found.seq == self.start
            follows = follows and (found.seq > 1 or found.previous == FIRST)
        if not follows:
            self._touch(self.gap)
            self.gap = self.gap or found

    def meet(self, tree: Frontier, root: bytes, event: int) -> None:
        """Hold what is due against a tree, whose root is given, and the last event in it."""
        size = tree.size
        while self.next_size() == size and self._next is not None:
            found, self._next = self._next, None
            if found.root != root:
                self.differs = self.differs or found
            elif found.frontier and found.frontier != tree.packed():
                self._touch(self.unsound)
                self.unsound = self.unsound or found
            else:
                self.count += 1
                self.size, self.event = size, max(event, self.event)
                self.mended = self.differs is not None

    def end(self) -> None:
        """Take what is left: it vouches for more than there is."""
        while self.next_size() is not None and self._next is not None:
            found, self._next = self._next, None
            if self.until is not None and found.ns > self.until:
                continue
            if self.beyond is None or found.tree_size > self.beyond.tree_size:
                self.beyond = found
